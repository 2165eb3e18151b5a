"""What a model is asked, as tokens: text, a conversation in the words of its template, or tokens.

What a person wrote never becomes a control token. The end of a prompt tells how an answer begins.
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, cast

from localspec.conversation.calling.notation import HERMES, Calling, Notation
from localspec.conversation.template import ChatTemplate, Words
from localspec.conversation.thinking import Thinking, marks_of
from localspec.errors import UsageError

__all__ = ["Message", "Prompt", "Prompts"]

Message = Mapping[str, object]
"""`{"role": "user", "content": "…"}`; what else a model's template understands may be there too."""
Prompt = str | Sequence[Message] | Sequence[int]
"""Text to answer, a conversation to continue, or tokens to go on from."""

_MARK_TOKENS = 16  # that the beginning of thoughts takes at most, with white space after it


class Prompts:
    """Prompts for the model called `name`, with its chat template where it has a usable one."""

    def __init__(self, name: str, vocabulary: Words, template: str | None) -> None:
        """Raises ModelError where `template` is none."""
        self._name, self._vocabulary = name, vocabulary
        self._template = None if template is None else ChatTemplate(template, vocabulary)
        self._thoughts = marks_of(template)

    @property
    def marks(self) -> tuple[str, ...]:
        """Texts that mark thoughts and calls, to be seen in answers though they may be tokens."""
        thoughts = (text for marks in self._thoughts for text in marks.tokens)
        return (*thoughts, *self._words_of_calls())

    def tokens(
        self,
        prompt: Prompt,
        functions: Sequence[Mapping[str, Any]] | None = None,
        extra: Mapping[str, Any] = MappingProxyType({}),
        *,
        raw: bool = False,
    ) -> list[int]:
        """Tokens of `prompt`; text is what a user says, unless it is `raw` or there is no template.

        `functions` may be called; `extra` is for the template. Raises UsageError where it refuses.
        """
        if isinstance(prompt, str):
            if raw or self._template is None:
                return self._plain(prompt, control=raw)
            prompt = [{"role": "user", "content": prompt}]
        if _is_all(prompt, int):
            return self._checked(cast("Sequence[int]", prompt))
        if not _is_all(prompt, Mapping):
            raise UsageError("A prompt must be a text, a list of messages, or a list of tokens.")
        if self._template is None:
            raise UsageError(f"{self._name} has no usable chat template; ask with raw text.")
        messages = cast("Sequence[Message]", prompt)
        return self._template.render(messages, tools=functions, **extra)

    def thinking(self, prompt: Sequence[int]) -> Thinking | None:
        """How thoughts will be marked in the answer to a prompt, where there can be any."""
        if not self._thoughts:
            return None
        end = "".join(map(self._vocabulary.text_of, prompt[-_MARK_TOKENS:]))
        return Thinking.after(end, self._thoughts)

    def calling(self, functions: Sequence[Mapping[str, Any]] | None) -> Calling | None:
        """How calls will be said in an answer, where `functions` may be called."""
        return Calling.of(functions, self._notations) if functions else None

    @property
    def _notations(self) -> tuple[Notation, ...]:
        return self._template.notations if self._template else (HERMES,)

    def _words_of_calls(self) -> list[str]:
        said = "".join(notation.words for notation in self._notations)
        return [text for text in self._vocabulary.special if text in said]

    def _plain(self, text: str, *, control: bool) -> list[int]:
        """Who asks with raw text may write control tokens, the one that begins a text too."""
        vocabulary = self._vocabulary
        tokens = vocabulary.tokenize(text, control=control)
        begin = [vocabulary.bos] if vocabulary.adds_bos else []
        return tokens if begin == tokens[:1] else begin + tokens

    def _checked(self, tokens: Sequence[int]) -> list[int]:
        size = self._vocabulary.size
        wrong = next((token for token in tokens if not 0 <= token < size), None)
        if wrong is not None:
            raise UsageError(f"There is no token {wrong}; {self._name} has {size}.")
        return list(tokens)


def _is_all(prompt: Any, kind: type) -> bool:
    """Whether `prompt` is a list of that. Bytes look like tokens, and are none."""
    listed = isinstance(prompt, Sequence) and not isinstance(prompt, bytes)
    return listed and all(isinstance(part, kind) for part in prompt)
