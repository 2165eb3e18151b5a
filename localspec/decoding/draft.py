"""A guess at what comes next: tokens with parents, so that a tree is as good as a chain."""

from dataclasses import dataclass, field

__all__ = ["ROOT", "Draft"]

ROOT = -1
"""The parent of a first guess: the last committed token."""


@dataclass
class Draft:
    """Guessed tokens in the order of their rows; a parent comes before its children.

    `confidences` says of each token how likely its drafter thinks that it holds, given that its
    parent does.
    """

    drafter: str = ""
    tokens: list[int] = field(default_factory=list)
    parents: list[int] = field(default_factory=list)
    confidences: list[float] = field(default_factory=list)
    at_sharpness: list[tuple[int, ...]] = field(default_factory=list)
    """What each guess would have been at other sharpness, where its drafter can tell."""

    def __len__(self) -> int:
        return len(self.tokens)

    def append(self, token: int, confidence: float, at_sharpness: tuple[int, ...] = ()) -> None:
        """Grow the chain by one token."""
        self.at_sharpness.append(at_sharpness)
        self.parents.append(len(self.tokens) - 1)
        self.tokens.append(token)
        self.confidences.append(confidence)

    def first(self, length: int) -> "Draft":
        """The first `length` guesses, as a draft of its own."""
        return Draft(
            self.drafter,
            self.tokens[:length],
            self.parents[:length],
            self.confidences[:length],
            self.at_sharpness[:length],
        )

    def child(self, parent: int, token: int) -> int | None:
        """Where the guess stands that `token` follows `parent`, or None where nobody made it."""
        for i in range(parent + 1, len(self.tokens)):
            if self.parents[i] == parent and self.tokens[i] == token:
                return i
        return None
