"""What an answer is made of: thoughts, text, and calls of functions; whole, or as it comes."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import TypeAlias

from localspec.conversation.calling.notation import Calling
from localspec.conversation.calling.reader import Arguments, Begun, Call, CallReader
from localspec.conversation.thinking import Thinking, Thought, ThoughtReader
from localspec.engine.worker import Answer

__all__ = ["Part", "Reader", "Said", "gathered", "said"]

Part: TypeAlias = str | Thought | Begun | Arguments
"""A str is text of the answer itself."""


class Reader:
    """Reads an answer piece by piece."""

    def __init__(self, thinking: Thinking | None, calling: Calling | None) -> None:
        marks = calling.marks if calling else ()
        self._thoughts = ThoughtReader(thinking, marks) if thinking else None
        self._calls = CallReader(calling) if calling else None

    @property
    def called(self) -> bool:
        """Whether a call has begun."""
        return self._calls is not None and self._calls.called

    def feed(self, text: str, *, last: bool = False) -> Iterator[Part]:
        """What `text` adds; with the `last` one, what was held back too."""
        if self._thoughts is None:
            yield from self._said(text, last)
            return
        news = [*self._thoughts.feed(text), *(self._thoughts.finish() if last else ())]
        for part in news:
            if isinstance(part, Thought):
                yield part
            else:
                yield from self._said(part, last=False)
        if last:
            yield from self._said("", last)

    def _said(self, text: str, last: bool) -> Iterator[Part]:
        if self._calls is None:
            rest = text
        else:
            yield from self._calls.feed(text)
            rest = self._calls.finish() if last else ""
        if rest:
            yield rest


@dataclass
class Said:
    """A whole answer."""

    thoughts: str = ""
    text: str = ""
    calls: list[Call] = field(default_factory=list)


def said(answer: Answer) -> Said:
    """What a whole answer is made of."""
    reader = Reader(answer.thinking, answer.calling)
    return gathered(reader.feed(answer.text, last=True))


def gathered(parts: Iterable[Part]) -> Said:
    """All parts of an answer."""
    whole = Said()
    for part in parts:
        if isinstance(part, Thought):
            whole.thoughts += part.text
        elif isinstance(part, Begun):
            whole.calls.append(Call(part.name))
        elif isinstance(part, Arguments):
            whole.calls[-1].arguments += part.text
        else:
            whole.text += part
    return whole
