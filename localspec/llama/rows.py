"""What goes into a decode and what comes out, as plain data. No llama.cpp in here.

`Evaluator` is all the loop asks of a context; `Context` keeps it with a real model, the tests
with a fake one.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

__all__ = ["NO_LOGITS", "Evaluator", "Logits", "Run", "nothing"]

Logits = npt.NDArray[np.float32]

NO_LOGITS: Logits = np.empty((0, 0), dtype=np.float32)


class Run(NamedTuple):
    """Neighbouring tokens of one sequence: the first stands at `position`.

    The last `outputs` of them want logits, but for `surplus` at the end that nobody wants.
    """

    slot: int
    tokens: Sequence[int]
    position: int
    outputs: int
    surplus: int = 0


def nothing() -> None:
    """Is to be done while a decode goes on."""


class Evaluator(Protocol):
    """A model with a KV cache for several sequences; lengths in tokens.

    Rows give what they give alone however many are evaluated together, but for those that are read
    in bulk.
    """

    @property
    def length(self) -> int:
        """Tokens a sequence may grow to."""

    @property
    def sequences(self) -> int:
        """Number of slots."""

    @property
    def batch(self) -> int:
        """Most rows in one decode."""

    @property
    def outputs(self) -> int:
        """Most rows with logits in one decode."""

    @property
    def even(self) -> int:
        """Most rows of one sequence in a pass that have the logits they have alone."""

    @property
    def bulks(self) -> Sequence[int]:
        """Numbers of rows, from each of which on to the next those that are read in bulk give the
        same however many there are; none where nothing can be read so.
        """

    @property
    def can_truncate(self) -> bool:
        """Whether rollback is possible at all."""

    @property
    def own_cells(self) -> bool:
        """Whether each sequence has cells of its own, so that a decode may take several passes."""

    @property
    def settling(self) -> int:
        """Decodes of another number of rows before one takes what it takes from then on."""

    @property
    def asynchronous(self) -> bool:
        """Whether the processor is free while it evaluates, as a GPU does that."""

    def decode(self, runs: Iterable[Run], meanwhile: Callable[[], None] = nothing) -> Logits:
        """Evaluate rows, extend the cache; a view of the wanted logits, until the next call.

        `meanwhile` is called once it has begun, where it is asynchronous, and else not at all.
        """

    def read(self, run: Run) -> None:
        """Evaluate rows of one sequence in bulk; nobody wants their logits."""

    def truncate(self, slot: int, length: int) -> None:
        """Keep the first `length` tokens of a sequence."""

    def copy(self, source: int, slot: int, length: int) -> None:
        """Begin `slot` with the first `length` tokens of `source`."""
