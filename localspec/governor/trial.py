"""One sequence's part in a step, as the governor sees it: who guessed what, what is looked at."""

from dataclasses import dataclass, field

from localspec.decoding.draft import Draft
from localspec.governor.book import Book
from localspec.governor.policy import Wish
from localspec.governor.survival import OwnCalibration

__all__ = ["Proposal", "Trial"]

_HORIZON = 64  # tokens that are likely to follow, at the most


@dataclass
class Proposal:
    """A draft with its survivals: how likely each guess is to be reached and to hold."""

    draft: Draft
    calibration: OwnCalibration
    survivals: list[float] = field(default_factory=list)

    def update(self, draft: Draft) -> None:
        """Take in guesses made since the last call."""
        self.draft = draft
        for confidence in draft.confidences[len(self.survivals) :]:
            chance = self.calibration.chance(confidence)
            if not self.survivals:
                self.calibration.expect(chance)
            self.survivals.append(chance * (self.survivals[-1] if self.survivals else 1.0))


@dataclass
class Trial:
    """Proposals for one sequence, and the one whose first `length` guesses the target sees."""

    wish: Wish
    base: int = 0
    proposals: list[Proposal] = field(default_factory=list)
    asked: list[Book] = field(default_factory=list)
    """Of those who were asked."""
    probes: dict[Book, float] = field(default_factory=dict)
    """Seconds that were allowed for asking just to see."""
    costs: dict[Book, float] = field(default_factory=dict)
    """Seconds of its part in what asking took, where several decode together, at a pace of 1."""
    spent: float = 0.0
    """Seconds their guesses were to take, at a pace of 1."""
    chosen: Proposal | None = None
    length: int = 0
    value: float = 0.0
    """What the chosen guesses are expected to give over plain decoding, in tokens."""

    def __post_init__(self) -> None:
        self.base = len(self.wish.sequence)

    def ahead(self, least: int) -> int:
        """Tokens that are likely to follow: as many as were said, and `least` whatever was."""
        sequence = self.wish.sequence
        said = len(sequence) - len(sequence.request.prompt)
        return min(max(said, least), _HORIZON, sequence.room)

    @property
    def survivals(self) -> list[float]:
        """Of the chosen guesses."""
        return self.chosen.survivals if self.chosen else []

    @property
    def looked_at(self) -> Draft:
        """What goes to the target."""
        return self.chosen.draft.first(self.length) if self.chosen else Draft()
