"""What the engine asks of a policy, and the simplest one that works."""

from collections.abc import Sequence as Many
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from localspec.decoding.draft import Draft
from localspec.decoding.sequence import Sequence
from localspec.drafters.base import Drafter

__all__ = ["FixedPolicy", "Outcome", "Policy", "Step"]


class Outcome(NamedTuple):
    """What became of a sequence's guess in a step; `held` guesses were right."""

    sequence: Sequence
    draft: Draft
    held: int


@dataclass
class Step:
    """What a step cost, in seconds, and what it bought.

    The target evaluated `rows` in `target_seconds`; `draft_seconds` goes by the drafters' names.
    What is left of `seconds` is the loop's own overhead.
    """

    prefilling: bool
    rows: int = 0
    seconds: float = 0.0
    target_seconds: float = 0.0
    draft_seconds: dict[str, float] = field(default_factory=dict)
    outcomes: list[Outcome] = field(default_factory=list)


class Policy(Protocol):
    """Decides for every step and sequence. Whatever it says, the text stays the same."""

    def choose(self, sequences: Many[Sequence], drafters: Many[Drafter]) -> list[Drafter | None]:
        """Who guesses for each sequence in this step; None: nobody, plain decoding."""

    def more(self, sequence: Sequence, draft: Draft) -> bool:
        """Whether to guess one token more after `draft`, which may be empty."""

    def worth(self, sequence: Sequence, draft: Draft) -> int:
        """How many tokens of a finished draft the target should look at."""

    def observe(self, step: Step) -> None:
        """Learn from a step that was taken."""


class FixedPolicy:
    """The first drafter guesses up to `length` tokens and stops where it becomes unsure.

    A guess of confidence below `cut` is neither looked at nor followed.
    """

    def __init__(self, length: int = 3, cut: float = 0.4) -> None:
        self.length, self.cut = length, cut

    def choose(self, sequences: Many[Sequence], drafters: Many[Drafter]) -> list[Drafter | None]:
        """The first drafter for all, unless a request wants none."""
        first = drafters[0] if drafters else None
        return [first if s.request.speculation != 0 else None for s in sequences]

    def more(self, sequence: Sequence, draft: Draft) -> bool:
        """Until the length is reached or a guess was unsure."""
        wanted = sequence.request.speculation
        if wanted != "auto":
            return len(draft) < wanted
        return len(draft) < self.length and self.worth(sequence, draft) == len(draft)

    def worth(self, sequence: Sequence, draft: Draft) -> int:
        """All up to the first unsure guess; all of them where the request fixes the length."""
        if sequence.request.speculation != "auto":
            return len(draft)
        unsure = (i for i, sure in enumerate(draft.confidences) if sure < self.cut)
        return next(unsure, len(draft))

    def observe(self, step: Step) -> None:
        """A fixed policy learns nothing."""
