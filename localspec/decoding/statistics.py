"""What one answer cost and what speculation gave it."""

from dataclasses import dataclass, field

__all__ = ["Statistics"]


@dataclass
class Statistics:
    """Counts in tokens, times in seconds.

    A token that ends an answer counts, though it says nothing. Figures of speed leave out the
    decode that ends the prefill: `steps`, `predicted_tokens` and `predicted_seconds` begin after.
    """

    prompt_tokens: int = 0
    cached_tokens: int = 0
    completion_tokens: int = 0
    predicted_tokens: int = 0
    steps: int = 0
    drafted_first: bool = False
    """Whether the decode that ends the prefill had a guess already."""
    draft_tokens: int = 0
    accepted_tokens: int = 0
    drafted_by_drafter: dict[str, int] = field(default_factory=dict)
    accepted_by_drafter: dict[str, int] = field(default_factory=dict)
    drafted_per_position: list[int] = field(default_factory=list)
    accepted_per_position: list[int] = field(default_factory=list)
    prompt_seconds: float = 0.0
    predicted_seconds: float = 0.0
    draft_seconds: float = 0.0
    """Of `predicted_seconds`, those in which drafters guessed."""
    target_seconds: float = 0.0
    """Of `predicted_seconds`, those in which the target decoded; the rest is the loop's own."""
    first_token_seconds: float = 0.0

    @property
    def acceptance_rate(self) -> float:
        """Share of the guesses that held; 0 where none was made."""
        return _ratio(self.accepted_tokens, self.draft_tokens)

    @property
    def tokens_per_step(self) -> float:
        """Tokens a pass of the target gave; 1 is plain decoding."""
        return _ratio(self.predicted_tokens, self.steps)

    @property
    def draft_length(self) -> float:
        """Mean length of the guesses over all steps."""
        return _ratio(self.draft_tokens, self.steps + self.drafted_first)

    @property
    def tokens_per_second(self) -> float:
        """Speed after the first token."""
        return _ratio(self.predicted_tokens, self.predicted_seconds)

    def count_draft(self, drafter: str, drafted: int, accepted: int) -> None:
        """Add a guess, of which the first `accepted` tokens held."""
        if not drafted:
            return
        self.draft_tokens += drafted
        self.accepted_tokens += accepted
        for by_drafter, by_position, n in (
            (self.drafted_by_drafter, self.drafted_per_position, drafted),
            (self.accepted_by_drafter, self.accepted_per_position, accepted),
        ):
            by_drafter[drafter] = by_drafter.get(drafter, 0) + n
            by_position.extend([0] * (drafted - len(by_position)))
            for i in range(n):
                by_position[i] += 1


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole else 0.0
