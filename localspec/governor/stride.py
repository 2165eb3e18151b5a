"""The number of rows that steps stay at, where another number costs much.

On a GPU, llama.cpp builds another graph for another number of rows, and records it anew before it
can be replayed: two steps that take about half as long again. So steps keep their number of rows,
whether they have guesses for them or not, until the tokens missed by staying come to what the
change costs (Karlin et al. 1988, competitive snoopy caching). One step cannot bring that about,
however much its guesses promise: what pays for a change at once is taken, and then steps go on as
before, unless the next one promises as much.
"""

from collections.abc import Sequence as Many

__all__ = ["Stride"]

_WITNESSES = 4  # steps that speak for a change at the least


class Stride:
    """Of steps that decode one sequence."""

    def __init__(self) -> None:
        self.rows = 1
        self._missed: dict[int, float] = {}

    def take(self, values: Many[float], change: float) -> int:
        """The rows of the next step, where one of n rows is worth `values[n - 1]` tokens and
        another number than last time costs `change` tokens once, more than none.
        """
        self.rows = min(self.rows, len(values))
        staying = values[self.rows - 1]
        for rows, value in enumerate(values, start=1):
            evidence = min(value - staying, change / _WITNESSES)
            self._missed[rows] = max(0.0, self._missed.get(rows, 0.0) + evidence)
        best = max(range(1, len(values) + 1), key=lambda rows: self._missed[rows])
        if self._missed[best] >= change:
            self.rows = best
            self._missed.clear()
            return self.rows
        best = max(range(1, len(values) + 1), key=lambda rows: values[rows - 1])
        return best if values[best - 1] - staying > change else self.rows
