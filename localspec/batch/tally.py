"""What a run has come to so far, and what follows from it: speed, time left. Pure arithmetic."""

from dataclasses import dataclass, field

from localspec.batch.backends.base import Effort, Reply
from localspec.batch.plan import Counts

__all__ = ["Tally"]


@dataclass
class Tally:
    """Counts of lines and tokens; times in seconds.

    `answered` and `failed` count lines of earlier runs too; everything else is of this one.
    """

    lines: int = 0
    answered: int = 0
    failed: int = 0
    replies: int = 0
    parallel: int = 0
    """How many lines are worked on at once; 0 before anybody answers."""
    seconds: float = 0.0
    effort: Effort = field(default_factory=Effort)
    alone: float | None = None
    """Seconds of the same effort one answer at a time without guesses; None where nobody knows."""
    joules: float | None = None

    @classmethod
    def after(cls, counts: Counts) -> "Tally":
        """The state before the first reply."""
        return cls(lines=counts.lines, answered=counts.answered, failed=counts.failed)

    def add(self, reply: Reply) -> None:
        """One more line is answered."""
        self.answered += 1
        self.failed += not reply.ok
        self.replies += 1
        self.effort = Effort(*map(sum, zip(self.effort, reply.effort, strict=True)))

    @property
    def tokens_per_second(self) -> float:
        """Tokens of finished answers over all the time."""
        return self.effort.completion / self.seconds if self.seconds else 0.0

    @property
    def speedup(self) -> float | None:
        """Against one answer at a time without guesses, on this computer."""
        return self.alone / self.seconds if self.alone and self.seconds else None

    @property
    def acceptance_rate(self) -> float | None:
        """Share of the guesses that held; None where none was made."""
        return self.effort.accepted / self.effort.drafted if self.effort.drafted else None

    @property
    def seconds_left(self) -> float | None:
        """Until the end, if lines go on to take as long as they did."""
        if not self.replies:
            return None
        return (self.lines - self.answered) * self.seconds / self.replies

    @property
    def joules_per_1000_tokens(self) -> float | None:
        """Energy for a thousand tokens of answers, where it can be read."""
        if self.joules is None or not self.effort.completion:
            return None
        return self.joules * 1000 / self.effort.completion
