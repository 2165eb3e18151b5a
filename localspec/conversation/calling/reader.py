"""Calls of functions, read from an answer as it comes: text, and names and arguments of calls.

What could be the beginning of a call is held back until it is known. What turns out to be none is
text like any other.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

from localspec.conversation.calling.notation import Calling, Notation
from localspec.conversation.calling.values import Reading
from localspec.conversation.calling.wording import MORE, past
from localspec.decoding.text import overlap

__all__ = ["Arguments", "Begun", "Call", "CallReader"]


@dataclass
class Call:
    """A function's name and its arguments as JSON."""

    name: str
    arguments: str = ""


@dataclass(frozen=True)
class Begun:
    """The `index`-th call of an answer began."""

    index: int
    name: str


@dataclass(frozen=True)
class Arguments:
    """A part of the arguments of the `index`-th call."""

    index: int
    text: str


News: TypeAlias = list[str | Begun | Arguments]


class _Opening(NamedTuple):
    """What a call begins with; `end` is where its arguments do."""

    notation: Notation
    name: str
    end: int


class CallReader:
    """Reads one answer. White space around calls belongs to them."""

    def __init__(self, calling: Calling) -> None:
        self._calling = calling
        self._names = sorted(calling.functions, key=len, reverse=True)  # the longest that fits
        self._bare = [notation for notation in calling.notations if not notation.mark]
        self._silent = {text for notation in calling.notations for text in notation.silent}
        marks = {notation.mark for notation in calling.notations} - {""}
        self._marks = sorted(marks | self._silent, key=len, reverse=True)
        self._held = ""
        self._calls = -1
        self._after = False  # a call, with nothing said since
        self._notation: Notation
        self._reading: Reading
        self._read = self._start if self._bare else self._content

    @property
    def called(self) -> bool:
        """Whether a call has begun."""
        return self._calls >= 0

    def feed(self, text: str) -> Iterable[str | Begun | Arguments]:
        """What `text` adds; a str is content."""
        self._held += text
        news = News()
        while self._read(news):
            pass
        return news

    def finish(self) -> str:
        """Content that was held back, when nothing more comes."""
        if self._read == self._next:
            self._let_go()
        said = News()
        while self._read(said):
            pass
        rest = self._held if self._read in (self._start, self._content) else ""
        self._held = ""
        self._say(rest, said)
        text = "".join(part for part in said if isinstance(part, str))
        return text.rstrip() if self.called else text

    def _let_go(self) -> None:
        """No other call follows the last one."""
        after = past(self._held, self._notation.after)
        if after == MORE or past(self._held, self._notation.end, after or 0) == MORE:
            self._held = ""
        else:
            self._over(after or 0, None)

    def _start(self, news: News) -> bool:
        """Calls without a mark, which begin an answer."""
        opening = self._opening(self._bare, self._held)
        if opening == MORE:
            return False
        if isinstance(opening, _Opening):
            self._begin(opening, news)
        else:
            self._read = self._content
        return True

    def _content(self, news: News) -> bool:
        """Text up to a mark. The white space before it waits until it is known what it marks."""
        found = [(at, mark) for mark in self._marks if (at := self._held.find(mark)) >= 0]
        at, mark = min(found, default=(-1, ""), key=lambda pair: pair[0])
        if not mark:
            at = len(self._held) - max((overlap(self._held, m) for m in self._marks), default=0)
        said = self._held[:at].rstrip()
        self._say(said, news)
        self._held = self._held[len(said) :]
        if mark in self._silent:
            self._held = self._held.replace(mark, "", 1)
        elif mark:
            self._read = self._header
        return bool(mark)

    def _header(self, news: News) -> bool:
        """A mark, and perhaps a call."""
        mark = next(mark for mark in self._marks if self._held.lstrip().startswith(mark.lstrip()))
        marked = [notation for notation in self._calling.notations if notation.mark == mark]
        opening = self._opening(marked, self._held)
        if isinstance(opening, _Opening):
            self._begin(opening, news)
        elif opening is None:
            end = self._held.index(mark) + len(mark)
            self._say(self._held[:end], news)
            self._held, self._read = self._held[end:], self._content
        return opening != MORE

    def _say(self, text: str, news: News) -> None:
        if self._after:
            text = text.lstrip()
        if text:
            news.append(text)
            self._after = False

    def _begin(self, opening: _Opening, news: News) -> None:
        self._calls += 1
        self._notation = opening.notation
        self._reading = self._notation.values.reading(self._calling.functions[opening.name])
        news.append(Begun(self._calls, opening.name))
        self._held, self._read = self._held[opening.end :], self._arguments

    def _arguments(self, news: News) -> bool:
        said, self._held, done = self._reading.feed(self._held)
        if said:
            news.append(Arguments(self._calls, said))
        if done:
            self._read = self._next
        return done

    def _next(self, news: News) -> bool:
        """What stands after a call: another one, or the end of calls."""
        notation = self._notation
        after = past(self._held, notation.after)
        if after is None or after == MORE:
            return self._over(0, after)
        opening = self._named(notation, notation.between + notation.before, self._held, after)
        if isinstance(opening, _Opening):
            self._begin(opening, news)
            return True
        return self._over(after, opening or past(self._held, notation.end, after))

    def _over(self, at: int, end: int | None) -> bool:
        """Calls end, at `end` if that is theirs, or else `at`."""
        if end == MORE:
            return False
        self._held, self._read, self._after = self._held[end or at :], self._content, True
        return True

    def _opening(self, notations: Sequence[Notation], text: str) -> _Opening | int | None:
        """That of the notation in which `text` begins; `MORE` where it may yet be one of them."""
        found = [self._named(n, n.begin + n.before, text, 0) for n in notations]
        whole = (opening for opening in found if isinstance(opening, _Opening))
        return next(whole, MORE if MORE in found else None)

    def _named(self, notation: Notation, before: str, text: str, at: int) -> _Opening | int | None:
        start = past(text, before, at)
        if start is None or start == MORE:
            return start
        for name in self._names:
            end = past(text, name + notation.middle, start)
            if end is not None and end != MORE:
                end = notation.values.begin(text, end)
            if end is not None:
                return MORE if end == MORE else _Opening(notation, name, end)
        return None
