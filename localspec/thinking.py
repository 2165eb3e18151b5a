"""What a model thinks before it answers, told from the answer.

Models that reason first write their thoughts between two marks, which their chat templates know.
Thoughts stand at the beginning of an answer; some templates have written the first mark themselves
when the answer begins. Marks further on are text like any other.
"""

from collections.abc import Iterable
from typing import NamedTuple

from localspec.decoding.text import overlap

__all__ = ["Marks", "Thinking", "Thought", "ThoughtReader", "marks_of"]


class Marks(NamedTuple):
    """What stands before and after thoughts. `lead` may stand before an answer without any."""

    begin: str
    end: str
    lead: str = ""
    parts: tuple[str, ...] = ()
    """Tokens that the marks are made of, where they are not one token each."""

    @property
    def tokens(self) -> tuple[str, ...]:
        """Texts that have to be seen in an answer, control tokens though they may be."""
        return self.parts or (self.begin, self.end)


_KNOWN = (
    Marks("<think>", "</think>"),  # DeepSeek, Qwen, GLM and most others
    Marks("[THINK]", "[/THINK]"),  # Mistral
    Marks("<|START_THINKING|>", "<|END_THINKING|>"),  # Cohere
    Marks("<seed:think>", "</seed:think>"),  # ByteDance
    Marks("<thought>", "</thought>"),  # EXAONE
    Marks(  # gpt-oss
        "<|channel|>analysis<|message|>",
        "<|end|><|start|>assistant<|channel|>final<|message|>",
        "<|channel|>final<|message|>",
        ("<|channel|>", "<|message|>", "<|start|>", "<|end|>"),
    ),
)


class Thinking(NamedTuple):
    """How thoughts are marked in an answer, and whether it begins with them, their mark given."""

    marks: Marks
    begun: bool


class Thought(NamedTuple):
    """Text that is thought and not said."""

    text: str


def marks_of(template: str | None) -> Marks | None:
    """The marks that a chat template knows, or None where it knows of no thoughts."""
    if template is None:
        return None
    return next((m for m in _KNOWN if all(p in template for p in m.parts or (m.end,))), None)


class ThoughtReader:
    """Reads an answer as it comes. White space around thoughts belongs to their marks."""

    def __init__(self, thinking: Thinking) -> None:
        self._marks = thinking.marks
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
            rest = rest.rstrip()
            return [Thought(rest)] if rest else []
        return [rest] if rest else []

    def _start(self, news: list[str | Thought]) -> bool:
        begin, lead = self._marks.begin, self._marks.lead
        text = self._held.lstrip()
        if text.startswith(begin):
            self._held, self._read = text.removeprefix(begin), self._thoughts
        elif lead and text.startswith(lead):
            self._held, self._read = text.removeprefix(lead), self._answer
        elif any(mark.startswith(text) for mark in (begin, lead) if mark):
            return False
        else:
            self._read = self._answer
        return True

    def _thoughts(self, news: list[str | Thought]) -> bool:
        if not self._thought:
            self._held = self._held.lstrip()
        before, found, after = self._held.partition(self._marks.end)
        keep = 0 if found else overlap(before, self._marks.end)
        shown = before[: len(before) - keep].rstrip()
        if shown:
            self._thought = True
            news.append(Thought(shown))
        self._held = after if found else before[len(shown) :]
        if found:
            self._read = self._gap
        return bool(found)

    def _gap(self, news: list[str | Thought]) -> bool:
        self._held = self._held.lstrip()
        if self._held:
            self._read = self._answer
        return bool(self._held)

    def _answer(self, news: list[str | Thought]) -> bool:
        if self._held:
            news.append(self._held)
        self._held = ""
        return False
