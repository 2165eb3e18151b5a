"""A context that seems to begin at a depth: what is measured in it has that much text before it."""

import time
from collections.abc import Callable, Iterable

from localspec.llama.rows import Evaluator, Logits, Run, nothing

__all__ = ["Deep", "dive"]

_TOKEN = 1
_MARGIN = 64  # tokens that a sweep wants to work with


class Deep:
    """`target` below the first `depth` tokens of its slots, which are there already."""

    def __init__(self, target: Evaluator, depth: int) -> None:
        self._target, self._depth = target, depth
        self.length = target.length - depth
        self.sequences, self.batch = target.sequences, target.batch
        self.outputs, self.can_truncate = target.outputs, target.can_truncate
        self.own_cells, self.settling = target.own_cells, target.settling
        self.asynchronous, self.even = target.asynchronous, target.even
        self.bulks = target.bulks

    def decode(self, runs: Iterable[Run], meanwhile: Callable[[], None] = nothing) -> Logits:
        """As the target does, that much deeper."""
        deeper = [run._replace(position=run.position + self._depth) for run in runs]
        return self._target.decode(deeper, meanwhile)

    def read(self, run: Run) -> None:
        """As the target does, that much deeper."""
        self._target.read(run._replace(position=run.position + self._depth))

    def truncate(self, slot: int, length: int) -> None:
        """Keep the first `length` tokens below the depth."""
        self._target.truncate(slot, self._depth + length)

    def copy(self, source: int, slot: int, length: int) -> None:
        """Begin `slot` with the depth and `length` tokens more of `source`."""
        self._target.copy(source, slot, self._depth + length)


def dive(
    target: Evaluator,
    depth: int,
    budget: float,
    clock: Callable[[], float] = time.perf_counter,
) -> Deep | None:
    """Fill slot 0 to `depth`; None where there is no room, or where it would take too long.

    `budget` is in seconds. Whether it will do is judged by the first batch.
    """
    if target.length <= depth + target.outputs + _MARGIN:
        return None
    target.truncate(0, 0)
    start, filled = clock(), 0
    while filled < depth:
        rows = min(target.batch, depth - filled)
        run = Run(0, (_TOKEN,) * rows, filled, 0)
        if any(size <= rows for size in target.bulks):
            target.read(run)
        else:  # logits are waited for
            target.decode([run._replace(outputs=1)])
        filled += rows
        if (clock() - start) * depth / filled > budget:
            return None
    return Deep(target, depth)
