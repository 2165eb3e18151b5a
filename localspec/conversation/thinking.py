"""What a model thinks before it answers, told from the answer.

Models that reason first write their thoughts between two marks, which their chat templates know.
Thoughts stand at the beginning of an answer; some templates have written the first mark themselves
when the answer begins. Marks further on are text like any other.
"""

import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple, Self

from localspec.decoding.text import overlap

__all__ = ["KNOWN", "Marks", "Thinking", "Thought", "ThoughtReader", "marks_of"]


class Marks(NamedTuple):
    """What stands before and after thoughts, and what may stand before and after the answer."""

    begin: str
    end: str
    lead: str = ""
    tail: str = ""
    parts: tuple[str, ...] = ()
    """Tokens that the marks are made of, where they are not one token each."""
    again: str = ""
    """What stands after the last mark where more is thought."""

    @property
    def tokens(self) -> tuple[str, ...]:
        """Texts that have to be seen in an answer, control tokens though they may be."""
        return self.parts or (self.begin, self.end)


_TAG = re.compile(
    r"([<\[◁])/?((?:\w+:)?(?:think(?:ing)?|thoughts?|reason(?:ing)?))([>\]▷])", re.IGNORECASE
)
_OTHERS = (
    Marks(  # gpt-oss
        "<|channel|>analysis<|message|>",
        "<|end|><|start|>assistant",
        "<|channel|>final<|message|>",
        "<|end|>",
        ("<|channel|>", "<|message|>", "<|start|>", "<|end|>"),
        "<|channel|>analysis<|message|>",
    ),
    Marks(  # Cohere
        "<|START_THINKING|>", "<|END_THINKING|>", "<|START_RESPONSE|>", "<|END_RESPONSE|>"
    ),
    Marks("<|inner_prefix|>", "<|inner_suffix|>"),  # Apertus
)


def _tags(text: str) -> list[Marks]:
    """Marks of thoughts of which `text` has one or both, where they are tags."""
    found = (match.groups() for match in _TAG.finditer(text))
    return [
        Marks(opens + name + closes, f"{opens}/{name}{closes}") for opens, name, closes in found
    ]


KNOWN = (*_tags("<think> [THINK] <thought> <seed:think>"), *_OTHERS)
"""For answers of models whose templates are elsewhere."""


def marks_of(template: str | None) -> tuple[Marks, ...]:
    """The marks that a chat template knows; none where it knows of no thoughts."""
    source = template or ""
    others = [
        marks
        for marks in _OTHERS
        if marks.begin in source
        or marks.end in source
        or all(token in source for token in marks.tokens)
    ]
    return tuple(dict.fromkeys([*_tags(source), *others]))


class Thinking(NamedTuple):
    """How thoughts may be marked in an answer, and with which mark given it begins in them."""

    marks: tuple[Marks, ...]
    begun: Marks | None = None

    @classmethod
    def after(cls, prompt: str, marks: tuple[Marks, ...]) -> Self:
        """Of the answer to a prompt, whose end may be the first mark."""
        end = prompt.rstrip()
        return cls(marks, next((m for m in marks if end.endswith(m.begin)), None))


class Thought(NamedTuple):
    """Text that is thought and not said."""

    text: str


class ThoughtReader:
    """Reads an answer as it comes. White space around thoughts belongs to their marks.

    Some models forget to end their thoughts before they call functions, with the marks in `until`;
    others think of calls. What follows such a mark waits for the end of thoughts, or else is said.
    """

    def __init__(self, thinking: Thinking, until: Sequence[str] = ()) -> None:
        self._until = until
        self._known = thinking.marks
        self._marks = thinking.begun or Marks("", "")  # those of this answer, once they are seen
        self._held = ""
        self._thought = False  # whether anything was
        self._read = self._thoughts if thinking.begun else self._start

    def feed(self, text: str) -> Iterable[str | Thought]:
        """What `text` adds; a str is said. What may be a mark is held back until it is known."""
        self._held += text
        news = list[str | Thought]()
        while self._read(news):
            pass
        return news

    def finish(self) -> Iterable[str | Thought]:
        """What was held back, when nothing more comes."""
        rest, self._held = self._held, ""
        if self._read == self._thoughts:
            others = [at for mark in self._until if (at := rest.find(mark)) >= 0]
            at = min(others, default=len(rest))
            thought, rest = rest[:at].rstrip(), rest[at:]
            return [*([Thought(thought)] if thought else []), *([rest] if rest else [])]
        rest = rest.removesuffix(self._marks.tail)
        return [rest] if rest else []

    def _start(self, news: list[str | Thought]) -> bool:
        text = self._held.lstrip()
        after = [(marks.begin, marks, self._thoughts) for marks in self._known]
        after += [(marks.lead, marks, self._answer) for marks in self._known if marks.lead]
        for mark, marks, read in after:
            if text.startswith(mark):
                self._held, self._marks, self._read = text.removeprefix(mark), marks, read
                return True
        if any(mark.startswith(text) for mark, *_ in after):
            return False
        self._read = self._answer
        return True

    def _thoughts(self, news: list[str | Thought]) -> bool:
        if not self._thought:
            self._held = self._held.lstrip()
        mark = self._marks.end
        before, found, after = self._held.partition(mark)
        keep = 0 if found else len(before) - self._doubtful(before)
        shown = before[: len(before) - keep].rstrip()
        if shown:
            self._thought = True
            news.append(Thought(shown))
        self._held = after if found else before[len(shown) :]
        if found:
            self._read = self._gap
        return bool(found)

    def _doubtful(self, text: str) -> int:
        """Where in `text` something begins that may be no thought."""
        others = [at for mark in self._until if (at := text.find(mark)) >= 0]
        partly = max(overlap(text, mark) for mark in (self._marks.end, *self._until))
        return min([*others, len(text) - partly])

    def _gap(self, news: list[str | Thought]) -> bool:
        lead, again = self._marks.lead, self._marks.again
        self._held = self._held.lstrip()
        if any(mark.startswith(self._held) and mark != self._held for mark in (lead, again)):
            return False
        if again and self._held.startswith(again):
            self._held = f"\n\n{self._held.removeprefix(again).lstrip()}"
            self._read = self._thoughts
        elif self._held:
            self._held, self._read = self._held.removeprefix(lead), self._answer
        return bool(self._held)

    def _answer(self, news: list[str | Thought]) -> bool:
        tail = self._marks.tail
        keep = len(tail) if self._held.endswith(tail) else overlap(self._held, tail)
        said = self._held[: len(self._held) - keep]
        if said:
            news.append(said)
        self._held = self._held[len(said) :]
        return False
