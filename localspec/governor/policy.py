"""What the engine asks of a policy, and what it tells it of a step."""

from collections.abc import Sequence as Many
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from localspec.decoding.draft import Draft
from localspec.decoding.sequence import Sequence
from localspec.drafters.base import Drafter
from localspec.llama.rows import Logits

__all__ = ["Outcome", "Policy", "Step", "Wish"]


class Wish(NamedTuple):
    """A sequence that could use a guess of at most `limit` tokens."""

    sequence: Sequence
    limit: int


class Outcome(NamedTuple):
    """What became of a sequence's guess in a step: the first `held` tokens of it were right.

    `row` are the target's logits that the newest token was picked from, until the next decode.
    """

    sequence: Sequence
    draft: Draft
    held: int
    row: Logits


@dataclass
class Step:
    """What a step cost, in seconds, and what it bought.

    `passes` are the rows that each pass of the target evaluated, some of them prompt where
    `prefilling`, and `depth` tokens were in the deepest of the caches.
    """

    prefilling: bool
    depth: int = 0
    passes: Many[int] = ()
    seconds: float = 0.0
    target_seconds: float = 0.0
    draft_seconds: float = 0.0
    outcomes: list[Outcome] = field(default_factory=list)
    looked: bool = False
    """Whether guesses were looked for."""

    @property
    def rows(self) -> int:
        """That the target evaluated."""
        return sum(self.passes)


class Policy(Protocol):
    """Decides for every step who guesses and how much. Whatever it says, the text is the same."""

    def looks(self, sequences: Many[Sequence]) -> bool:
        """Whether to look for guesses for these in the next step; asked before each."""

    def draft(self, wishes: Many[Wish], drafters: Many[Drafter]) -> list[Draft]:
        """A guess for each wish, in order; an empty one means plain decoding."""

    def meanwhile(self, sequences: Many[Sequence], drafters: Many[Drafter]) -> None:
        """A GPU evaluates what lets these say more: what is done now takes no time.

        A drafter may guess for a sequence that `draft` was called for in this step, where it did
        not then, and for one whose prompt is being read; its cache must be rid of that guess again.
        """

    def observe(self, step: Step) -> None:
        """Learn from a step that was taken."""
