"""How often a draft's first guesses held, by target and kind of text, from one run to the next.

A draft drifts away from its target when the target changes: a fine-tune, another quantization. The
answers are right all the same, only slower; so what was reached is kept, and compared.
"""

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, NamedTuple

from localspec import folders
from localspec.decoding.sequence import Pieces, Sequence
from localspec.drafters.model import ModelDrafter
from localspec.errors import ModelError
from localspec.governor.policy import Step
from localspec.models.fingerprint import fingerprint

__all__ = ["Count", "Diary", "Kind", "kind_of", "records", "remember", "sentence"]

Kind = Literal["code", "numbers", "prose"]

_VERSION = 1
_FEW = 100  # guesses that say nothing yet
_FALL = 0.1  # a smaller one is no reason to make another draft
_CERTAIN = 3.0  # standard deviations
_MOST = 20_000  # guesses; older ones fade, so that what is kept is how things are


class Count(NamedTuple):
    """First guesses, and how many of them held."""

    guessed: float
    held: float

    @property
    def share(self) -> float:
        """Of guesses that held."""
        return self.held / self.guessed if self.guessed else 0.0

    def __add__(self, other: object) -> "Count":
        assert isinstance(other, Count)
        total = Count(self.guessed + other.guessed, self.held + other.held)
        fade = min(1.0, _MOST / max(1.0, total.guessed))
        return Count(total.guessed * fade, total.held * fade)


def kind_of(text: str) -> Kind:
    """Code, numbers or prose, by the characters of an answer."""
    if "```" in text or len(re.findall(r"[{}()\[\];=<>_|]", text)) > 0.06 * len(text):
        return "code"
    return "numbers" if sum(map(str.isdigit, text)) > 0.1 * len(text) else "prose"


@dataclass
class Record:
    """What a draft reached with one target."""

    name: str
    kinds: dict[str, Count] = field(default_factory=dict)


class Diary:
    """Listens to an engine, and counts what became of the draft model's guesses."""

    def __init__(self, vocabulary: Pieces) -> None:
        self._vocabulary = vocabulary
        self._open: dict[Sequence, Count] = {}
        self.counts: dict[Kind, Count] = {}

    def observe(self, step: Step) -> None:
        """Count the first guesses of a step; those of an ended answer go to its kind of text."""
        for sequence, draft, held, _ in step.outcomes:
            if draft and draft.drafter == ModelDrafter.name:
                now = Count(1, min(1, held))
                self._open[sequence] = self._open.get(sequence, Count(0, 0)) + now
        for sequence in [s for s in self._open if s.finish_reason]:
            kind = kind_of(self._text(sequence))
            count = self._open.pop(sequence)
            self.counts[kind] = self.counts.get(kind, Count(0, 0)) + count

    def _text(self, sequence: Sequence) -> str:
        return b"".join(map(self._vocabulary.piece, sequence.answer)).decode("utf-8", "replace")


def remember(target: Path, draft: Path, counts: Mapping[Kind, Count]) -> None:
    """Add counts to what is kept; where that cannot be written, nothing is."""
    if not counts:
        return
    try:
        known, key = records(draft), fingerprint(target)
        record = known.setdefault(key, Record(target.stem))
        for kind, count in counts.items():
            record.kinds[kind] = record.kinds.get(kind, Count(0, 0)) + count
        targets = {key: {"name": r.name, "kinds": r.kinds} for key, r in known.items()}
        text = json.dumps({"version": _VERSION, "targets": targets})
        folders.write_atomically(_path(draft), text)
    except (OSError, ModelError):
        return


def records(draft: Path) -> dict[str, Record]:
    """What a draft reached, by the target's fingerprint."""
    try:
        kept = json.loads(_path(draft).read_text(encoding="utf-8"))
        if kept["version"] != _VERSION:
            return {}
        return {
            key: Record(r["name"], {kind: Count(*count) for kind, count in r["kinds"].items()})
            for key, r in kept["targets"].items()
        }
    except (OSError, ValueError, KeyError, TypeError, AttributeError, ModelError):
        return {}


def sentence(target: Path, draft: Path) -> str | None:
    """What a draft reached in use, and a warning where it reached clearly more with another target.

    None where it was not in use enough to tell.
    """
    known = records(draft)
    record = known.pop(fingerprint(target), None) if known else None
    told = {k: c for k, c in record.kinds.items() if c.guessed >= _FEW} if record else {}
    if not told:
        return None
    shares = ", ".join(f"{count.share:.0%} of {kind}" for kind, count in sorted(told.items()))
    words = f"in use, its first guesses held in {shares}"
    for other in known.values():
        for kind, count in told.items():
            better = other.kinds.get(kind, Count(0, 0))
            if _clearly_below(count, better):
                return (
                    f"{words}; with {other.name} it reached {better.share:.0%} of {kind}: "
                    "localspec distill makes a draft for this target"
                )
    return words


def _clearly_below(now: Count, then: Count) -> bool:
    if min(now.guessed, then.guessed) < _FEW or then.share - now.share < _FALL:
        return False
    spread = sum(c.share * (1 - c.share) / c.guessed for c in (now, then))
    return then.share - now.share > _CERTAIN * math.sqrt(spread)


def _path(draft: Path) -> Path:
    return folders.state() / "acceptance" / f"{fingerprint(draft)}.json"
