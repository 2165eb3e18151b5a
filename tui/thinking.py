"""Thoughts of models, told apart while they come, whatever marks a chat template has for them.

In the chat a thought stands between <think> and </think>, so that what is kept and shown need not
know which model it came from. A thought comes first in an answer or not at all.
"""

import re
from collections.abc import Iterable
from typing import NamedTuple

from localspec.tui.backend import Said
from localspec.tui.text import CLOSE, OPEN

__all__ = ["KNOWN", "Marks", "Thinking", "marks_of"]


class Marks(NamedTuple):
    """What begins and ends a thought, and what may stand before the answer."""

    open: str
    close: str
    answer: str = ""


_TAG = re.compile(
    r"([<\[◁])((?:\w+:)?(?:think(?:ing)?|thoughts?|reason(?:ing)?))([>\]▷])", re.IGNORECASE
)
_USUAL = Marks(OPEN, CLOSE)  # what many models say though their templates are silent
_TURN = "<|start|>assistant"
_OTHERS = (
    Marks("<|channel|>analysis<|message|>", "<|end|>", f"{_TURN}<|channel|>final<|message|>"),
    Marks("<|START_THINKING|>", "<|END_THINKING|>", "<|START_RESPONSE|>"),
    Marks("<|inner_prefix|>", "<|inner_suffix|>"),
)

KNOWN = (_USUAL, Marks("[THINK]", "[/THINK]"), Marks("<seed:think>", "</seed:think>"), *_OTHERS)
"""For answers of models whose templates are elsewhere."""


def marks_of(template: str | None) -> tuple[Marks, ...]:
    """The marks that a template speaks of, or else the usual ones."""
    source = template or ""
    tags = {
        Marks(opens + name + closes, f"{opens}/{name}{closes}")
        for opens, name, closes in _TAG.findall(source)
    }
    found = [marks for marks in sorted(tags) if marks.close in source]
    found += [marks for marks in _OTHERS if marks.open in source]
    return tuple(dict.fromkeys([*found, _USUAL]))


class Thinking:
    """Puts the chat's own marks in the place of a model's.

    `before` is how the prompt ends: a template may have opened a thought there.
    """

    def __init__(self, marks: Iterable[Marks], before: str = "") -> None:
        self._marks = tuple(marks)
        self._held: list[Said] = []
        self._inside = next((m for m in self._marks if before.rstrip().endswith(m.open)), None)
        self._thought = self._opened = self._inside is not None
        self.answering = False
        """Whether what comes now is the answer; no mark means anything from then on."""

    def feed(self, said: Iterable[Said]) -> list[Said]:
        """What can be shown of what was said; the rest may be the beginning of a mark."""
        ready = [Said(OPEN)] if self._opened else []
        self._opened = False
        self._held += said
        while more := self._advance():
            ready += more
        return ready

    def finish(self) -> list[Said]:
        """What was held back, when no more comes."""
        rest, self._held = self._held, []
        return rest

    def _advance(self) -> list[Said]:
        text = "".join(part.text for part in self._held)
        if self.answering:
            return self._take(len(text))
        return self._think(text, self._inside.close) if self._inside else self._begin(text)

    def _begin(self, text: str) -> list[Said]:
        """The first words tell whether a thought begins, or the answer."""
        bare = text.lstrip()
        opens = {} if self._thought else {marks.open: marks for marks in self._marks}
        known = [*opens, *(header for marks in self._marks for header in _headers(marks))]
        found = next((mark for mark in known if bare.startswith(mark)), "")
        if not found and (not bare or any(mark.startswith(bare) for mark in known)):
            return []
        if found or self._thought:
            self._take(len(text) - len(bare) + len(found))
        if found in opens:
            self._inside, self._thought = opens[found], True
            return [Said(OPEN)]
        self.answering = True
        return self._advance()

    def _think(self, text: str, close: str) -> list[Said]:
        at = text.find(close)
        if at < 0:
            return self._take(len(text) - _overlap(text, close))
        thought = self._take(at)
        self._take(len(close))
        self._inside = None
        return [*thought, Said(f"{CLOSE}\n\n")]

    def _take(self, length: int) -> list[Said]:
        """The first characters of what is held."""
        taken: list[Said] = []
        while length and self._held:
            text, drafter = self._held.pop(0)
            taken.append(Said(text[:length], drafter))
            if len(text) > length:
                self._held.insert(0, Said(text[length:], drafter))
            length -= min(length, len(text))
        return taken


def _headers(marks: Marks) -> list[str]:
    """What may stand before an answer; where there was no thought, the prompt began it."""
    return [marks.answer, marks.answer.removeprefix(_TURN)] if marks.answer else []


def _overlap(text: str, mark: str) -> int:
    """How many characters at the end of `text` may be the beginning of `mark`."""
    longest = min(len(text), len(mark) - 1)
    return next((n for n in range(longest, 0, -1) if text.endswith(mark[:n])), 0)
