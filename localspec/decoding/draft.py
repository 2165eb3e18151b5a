"""A guess at what comes next: a chain of tokens, each with how sure its drafter is of it."""

from dataclasses import dataclass, field

__all__ = ["Draft"]


@dataclass
class Draft:
    """Guessed tokens, in the order in which they would be said.

    `confidences` says of each how likely its drafter thinks that it holds, given that those before
    it do.
    """

    drafter: str = ""
    tokens: list[int] = field(default_factory=list)
    confidences: list[float] = field(default_factory=list)
    at_sharpness: list[tuple[int, ...]] = field(default_factory=list)
    """What each guess would have been at other sharpness, where its drafter can tell."""

    def __len__(self) -> int:
        return len(self.tokens)

    def append(self, token: int, confidence: float, at_sharpness: tuple[int, ...] = ()) -> None:
        """Grow the chain by one token."""
        self.at_sharpness.append(at_sharpness)
        self.tokens.append(token)
        self.confidences.append(confidence)

    def first(self, length: int) -> "Draft":
        """The first `length` guesses, as a draft of its own."""
        return Draft(
            self.drafter,
            self.tokens[:length],
            self.confidences[:length],
            self.at_sharpness[:length],
        )
