"""Thoughts as the chat keeps them: before their answer in one text, between <think> and </think>.

So what is kept and shown need not know which model it came from; `conversation.thinking` does.
"""

from collections.abc import Iterable
from typing import NamedTuple

from localspec.conversation.thinking import Thinking, Thought, ThoughtReader
from localspec.tui.backend import Said

__all__ = ["Parts", "Writer", "split_thoughts"]

_OPEN, _CLOSE = "<think>", "</think>"


class Writer:
    """Writes an answer on its way in the chat's form.

    What is held back until it is known not to be a mark counts as what comes after it.
    """

    def __init__(self, thinking: Thinking | None) -> None:
        self._reader = ThoughtReader(thinking) if thinking else None
        self._open = False

    def say(self, text: str, drafter: str | None = None) -> list[Said]:
        """What can be shown of what the model wrote."""
        if self._reader:
            return self._write(self._reader.feed(text), drafter)
        return self._write([text] if text else [], drafter)

    def think(self, text: str) -> list[Said]:
        """Thoughts that came apart from the answer, which then has no marks."""
        held, self._reader = self._reader.finish() if self._reader else [], None
        return self._write([*held, Thought(text)], None)

    def finish(self) -> list[Said]:
        """The rest, when no more comes."""
        said = self._write(self._reader.finish() if self._reader else [], None)
        closed, self._open = self._open, False
        return [*said, Said(_CLOSE)] if closed else said

    def _write(self, parts: Iterable[str | Thought], drafter: str | None) -> list[Said]:
        said: list[Said] = []
        for part in parts:
            thought = isinstance(part, Thought)
            if thought != self._open:
                said.append(Said(_OPEN if thought else f"{_CLOSE}\n\n"))
                self._open = thought
            said.append(Said(part.text if isinstance(part, Thought) else part, drafter))
        return said


class Parts(NamedTuple):
    """An answer, and its thoughts apart."""

    thoughts: str
    answer: str
    thinking: bool
    """Whether the thoughts have not come to an end yet."""


def split_thoughts(text: str) -> Parts:
    """What a model thought, apart from what it said.

    Where only the end of a thought is seen, the answer began within it.
    """
    before, closed, after = text.partition(_CLOSE)
    opened = before.lstrip().startswith(_OPEN)
    if not (opened or closed):
        return Parts("", text, False)
    thoughts = before.lstrip().removeprefix(_OPEN).strip()
    return Parts(thoughts, after.lstrip(), not closed)
