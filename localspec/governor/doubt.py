"""What speaks against asking a draft now, in numbers that a person can judge."""

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:  # the chat begins without numpy
    from localspec.decoding.sequence import Sequence
    from localspec.governor.book import Book
    from localspec.governor.prices import Prices

__all__ = ["Doubt", "doubt"]

_HALVINGS = 10
_LONGEST = 8  # guesses; longer ones pay only where shorter ones do


class Doubt(NamedTuple):
    """How likely a guess is to hold in a text, and how likely it must be to pay.

    `expected` is None where nobody has asked in this text.
    """

    expected: float | None
    needed: float


def doubt(sequence: "Sequence", book: "Book", prices: "Prices", seconds: float) -> Doubt:
    """Of guesses that take `seconds` each. Reads only, so that any thread may call."""
    low, high = 0.0, 1.0
    for _ in range(_HALVINGS):
        chance = (low + high) / 2
        pays = prices.outlook([], chance, _LONGEST, seconds) > 0
        low, high = (low, chance) if pays else (chance, high)
    return Doubt(book.expected(sequence), high)
