"""A conversation in the words of the model's own chat template, as tokens.

The template came with a model file and is not trusted: it runs in a sandbox. The messages are not
trusted either: what they say never becomes a control token. For this the characters in them that
could begin or end a control token's text are hidden from the template behind stand-ins, and shown
again in what the template wrote, when it is known who wrote what.
"""

import datetime
import functools
import json
import re
from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import groupby
from typing import Any, Protocol

from jinja2 import UndefinedError

from localspec.conversation.calling.notation import Notation, notations
from localspec.conversation.forms import Messages
from localspec.conversation.manners import Manners
from localspec.conversation.sandbox import LARGEST, Sandbox
from localspec.errors import LocalspecError, ModelError, UsageError

__all__ = ["ChatTemplate", "Words"]

_LONGEST = LARGEST // 4  # characters of all messages; each may take four bytes
_DEEPEST = 32  # lists and dicts inside one another in a message
_MOST_CONTROL = 1 << 17  # characters of all control tokens; the most known are 72,000
_STAND_INS = [chr(code) for code in range(0xE000, 0xF900)]  # private to whoever uses them


class Words(Protocol):
    """What a chat template asks of a vocabulary; `bos` and `eos` are -1 where there is none."""

    @property
    def bos(self) -> int:
        """The token that begins a text."""

    @property
    def eos(self) -> int:
        """The token that ends a text."""

    @property
    def adds_bos(self) -> bool:
        """Whether every text has to begin with `bos`."""

    @property
    def size(self) -> int:
        """How many tokens there are."""

    @property
    def control_texts(self) -> tuple[str, ...]:
        """Control tokens written out, longest first."""

    @property
    def special(self) -> Mapping[str, int]:
        """Control tokens, and others that look like them."""

    @property
    def end_texts(self) -> Sequence[str]:
        """Tokens that end an answer, written out."""

    def tokenize(self, text: str, *, control: bool) -> list[int]:
        """Tokens of `text`; only with `control` do control tokens come of it."""

    def text_of(self, token: int) -> str:
        """A token written out."""


class ChatTemplate:
    """A template, compiled once. Raises ModelError where its source is no template.

    `seconds` limits each rendering. Any thread may render.
    """

    def __init__(self, source: str, vocabulary: Words, *, seconds: float = 1.0) -> None:
        self._source, self._vocabulary = source, vocabulary
        self._sandbox = Sandbox(seconds)
        self._sandbox.globals |= {"raise_exception": _refuse, "strftime_now": _now}
        self._special = {
            name: vocabulary.text_of(token) if token >= 0 else ""
            for name, token in (("bos_token", vocabulary.bos), ("eos_token", vocabulary.eos))
        }
        try:
            self._fence = _Fence(vocabulary.control_texts)
            self._template = self._sandbox.compile_template(source)
            chosen = functools.partial(notations, words=vocabulary.special, source=source)
            self._manners = Manners(self._small, chosen, vocabulary.end_texts)
        except LocalspecError:
            raise
        except Exception as error:  # whatever a stranger's file can bring out of Jinja
            raise _broken(error) from error

    def render(
        self,
        messages: Messages,
        /,
        *,
        add_generation_prompt: bool = True,
        tools: Messages | None = None,
        **extra: object,
    ) -> list[int]:
        """Tokens of the conversation, by default up to where the model's answer begins.

        What the template refuses or passes over is told in another form, if need be as text: tools,
        calls and their results. `extra` is what only some templates know, e.g. `enable_thinking`.
        Raises UsageError where the template refuses the messages, ModelError where it fails.
        """
        messages, tools = self._manners.told(messages, tools)
        texts: list[str] = []
        given = _mapped({**extra, "messages": messages, "tools": tools}, _noting(texts))
        if sum(map(len, texts)) > _LONGEST:
            raise UsageError(f"The messages are longer than {_LONGEST} characters; shorten them.")
        stand_ins = self._fence.stand_ins(texts, self._source)
        if stand_ins:
            given = _mapped(given, functools.partial(self._fence.hide, stand_ins))
        try:
            written = self._written({**given, "add_generation_prompt": add_generation_prompt})
            tokens = self._tokenized(*_show(stand_ins, written))
        except _Refused as error:
            said = _show(stand_ins, str(error))[0].rstrip(".")
            raise UsageError(f"The model's chat template refuses this: {said}.") from None
        except UnicodeEncodeError as error:
            raise UsageError("A message holds half a character (a lone surrogate).") from error
        except LocalspecError:
            raise
        except Exception as error:
            raise _broken(error) from error
        missing = self._vocabulary.adds_bos and tokens[:1] != [self._vocabulary.bos]
        return [self._vocabulary.bos, *tokens] if missing else tokens

    @property
    def notations(self) -> tuple[Notation, ...]:
        """How the model says calls, the usual way first."""
        return self._manners.notations

    def _small(self, messages: Messages, tools: Messages | None) -> str:
        """What the template makes of a conversation that is no stranger's. Raises anything."""
        given = {"messages": messages, "tools": tools, "add_generation_prompt": True}
        return self._written(given)

    def _written(self, given: Mapping[str, object]) -> str:
        given = {**given, **self._special}
        try:
            return self._sandbox.render(self._template, given)
        except TypeError:  # some go through the tools without asking whether there are any
            if given.pop("tools") is not None:
                raise
            return self._sandbox.render(self._template, given)
        except UndefinedError:  # firefunction's want tools by another name, and the date
            tools = given["tools"] if isinstance(given["tools"], list) else []
            functions = json.dumps([tool.get("function", tool) for tool in tools])
            given |= {"functions": functions, "datetime": _now("%Y-%m-%d %H:%M:%S")}
            return self._sandbox.render(self._template, given)

    def _tokenized(self, text: str, shown: Sequence[int]) -> list[int]:
        """Tokens of `text`, in which the characters at `shown` had been hidden."""
        spans = self._fence.control_spans(text, shown)
        if spans is None:
            return self._vocabulary.tokenize(text, control=True)
        tokens, at = list[int](), 0
        for start, end in [*spans, (len(text), len(text))]:
            if at < start:
                tokens += self._vocabulary.tokenize(text[at:start], control=False)
            if start < end:
                tokens += self._vocabulary.tokenize(text[start:end], control=True)
            at = end
        return tokens


class _Fence:
    """Between control tokens' texts that the template writes and those that messages hold.

    A control text that is partly a message's is the message's: cut in two by the border between
    template and message, or put together from two messages. Not so one that holds a whole message
    in its middle, as where a template writes '<|' + role + '|>'. And a template that takes things
    out of the middle of a message can join what is left to a control text unseen; those in use
    cut and strip.
    """

    def __init__(self, control_texts: Iterable[str]) -> None:
        texts = [text for text in control_texts if text.strip()]
        if sum(map(len, texts)) > _MOST_CONTROL:  # patterns of them would take minutes to make
            raise ModelError(
                f"The model's control tokens have more than {_MOST_CONTROL} characters; get "
                "another file of the model."
            )
        self._control = re.compile("|".join(map(re.escape, texts)) or r"(?!)")
        self._beginning = re.compile(_beginning(texts) or r"(?!)")
        lasts = "".join(sorted({text[-1] for text in texts}))
        self._last = re.compile(f"[{re.escape(lasts)}]" if lasts else r"(?!)")
        # Not of one character, with which too many a text begins for templates not to look.
        self._endings = {text[at:] for text in texts for at in range(1, len(text) - 1)}
        self._longest = max(map(len, texts), default=0)
        self._edges = sorted({text[at] for text in texts for at in (0, -1)})

    def stand_ins(self, texts: Sequence[str], source: str) -> dict[str, str]:
        """Characters that occur nowhere, by those to be hidden; none if there is nothing to hide.

        Written by JSON or Python they may come out as escapes, which must not occur either.
        """
        if not any(self._beginning.search(text) or self._ending(text) for text in texts):
            return {}
        taken = "".join((source, *texts))
        free = (c for c in _STAND_INS if c not in taken and _escaped(c) not in taken)
        try:
            return {edge: next(free) for edge in self._edges}
        except StopIteration as error:
            raise UsageError("The messages hold too many private characters.") from error

    def hide(self, stand_ins: Mapping[str, str], text: str) -> str:
        """`text` with stand-ins where control texts begin, and where one from before it ends."""
        ending = self._ending(text)
        if ending:
            text = text[: ending - 1] + stand_ins[text[ending - 1]] + text[ending:]
        return self._beginning.sub(lambda found: stand_ins[found[0]], text)

    def _ending(self, text: str) -> int:
        """Characters of `text` that could end a control text begun before it; 0 if none could."""
        bare = text.lstrip()
        for found in self._last.finditer(bare, 0, self._longest):
            if bare[: found.end()] in self._endings:
                return len(text) - len(bare) + found.end()
        return 0

    def control_spans(self, text: str, shown: Sequence[int]) -> list[tuple[int, int]] | None:
        """Where the template's control texts are, or None where all in `text` are its own."""
        spans, mixed, at = list[tuple[int, int]](), False, 0
        while shown and (found := self._control.search(text, at)):
            start, at = found.span()
            nearest = bisect_left(shown, start)
            if nearest < len(shown) and shown[nearest] < at:
                mixed, at = True, start + 1
            else:
                spans.append((start, at))
        return spans if mixed else None


def _beginning(texts: Iterable[str]) -> str:
    """A pattern for the first character of any of `texts`, which the text's end may cut off."""
    groups = groupby(sorted(texts), key=lambda text: text[:1])
    return "|".join(f"{re.escape(c)}(?={_rest([t[1:] for t in ts])})" for c, ts in groups)


def _rest(texts: Sequence[str]) -> str:
    if "" in texts:
        return ""
    groups = groupby(sorted(texts), key=lambda text: text[:1])
    rests = (re.escape(c) + _rest([t[1:] for t in ts]) for c, ts in groups)
    return rf"(?:\s*\Z|{'|'.join(rests)})"


def _escaped(character: str) -> str:
    return f"\\u{ord(character):04x}"


def _show(stand_ins: Mapping[str, str], text: str) -> tuple[str, list[int]]:
    """`text` with every character that was hidden in its place, and their places."""
    if not stand_ins:
        return text, []
    hidden = {form(c): edge for edge, c in stand_ins.items() for form in (str, _escaped)}
    pattern = "|".join(map(re.escape, hidden))
    parts, places, length = list[str](), list[int](), 0
    for i, part in enumerate(re.split(f"({pattern})", text)):
        if i % 2:
            part = hidden[part]
            places.append(length)
        parts.append(part)
        length += len(part)
    return "".join(parts), places


def _mapped(value: object, change: Callable[[str], str], depth: int = 0) -> Any:
    """A plain copy of `value` with every text in it changed."""
    if isinstance(value, str):
        return change(value)
    if depth > _DEEPEST:
        raise UsageError("The messages or tools are nested too deeply.")
    if isinstance(value, Mapping):
        return {
            _mapped(key, change, depth): _mapped(item, change, depth + 1)
            for key, item in value.items()
        }
    if isinstance(value, (list, tuple)):
        return [_mapped(item, change, depth + 1) for item in value]
    return value


def _noting(texts: list[str]) -> Callable[[str], str]:
    def note(text: str) -> str:
        texts.append(text)
        return text

    return note


class _Refused(Exception):
    """The template called raise_exception."""


def _refuse(message: object) -> None:
    raise _Refused(_line(message))


def _now(form: str) -> str:
    if len(form) > 100:
        raise ValueError("a date of such a form")
    return datetime.datetime.now().strftime(form)


def _line(message: object) -> str:
    return " ".join(str(message)[:500].split())


def _broken(error: Exception) -> ModelError:
    told = _line(error) or type(error).__name__
    return ModelError(
        f"The model's chat template does not work ({told}); use --raw to write the prompt "
        "yourself, or get another file of the model."
    )
