"""The interface all drafters share."""

from collections.abc import Callable
from collections.abc import Sequence as Many
from typing import NamedTuple, Protocol

from localspec.decoding.draft import Draft
from localspec.decoding.sequence import Sequence

__all__ = ["Ask", "Drafter"]


class Ask(NamedTuple):
    """A wish for guesses at how `sequence` goes on, `length` of them at the most.

    Drafting ends early when `more(draft)` says no; it is asked before each further guess. `hint`
    is what another drafter guessed: it changes no guess, but may make guessing quicker.
    """

    sequence: Sequence
    length: int
    more: Callable[[Draft], bool]
    hint: Many[int] = ()


class Drafter(Protocol):
    """Guesses for many sequences at once. All methods run on the engine's thread.

    What a drafter knows of a slot may lag behind: it catches up when it is asked to propose, so
    that a drafter nobody asks costs nothing.
    """

    @property
    def name(self) -> str:
        """Shown to people and used as a key in statistics."""

    def propose(self, asks: Many[Ask]) -> list[Draft]:
        """One draft for each ask, in order; an empty one where there is nothing to say."""

    def peek(self, sequence: Sequence) -> Draft | None:
        """The first guess, or an empty draft, where that is known already; None where it is not."""

    def backlog(self, sequence: Sequence) -> int:
        """Tokens it must read before it can guess, each of which costs time."""

    def observe(self, sequence: Sequence) -> None:
        """`sequence` has said more than when this was last called, or has come to its end by
        itself. It is not called after steps in which nobody looked for guesses.
        """

    def forget(self) -> None:
        """No text seen before is known any more; no slot is in use."""

    def truncate(self, slot: int, length: int) -> None:
        """What followed the first `length` tokens of the slot was never said, or is gone."""

    def copy(self, source: int, slot: int, length: int) -> None:
        """`slot` begins anew, with the first `length` tokens of `source`."""
