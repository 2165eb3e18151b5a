"""V(n): what it takes to evaluate n rows at once, between and beyond what was measured.

It begins with careful measurements, and every step of n rows refines it. Each of them says
something of all other lengths too: or the one of many noisy times that is lowest by chance would
be believed, and the others grow stale.
"""

from collections.abc import Sequence as Many
from itertools import pairwise

__all__ = ["CostCurve"]

_GAIN = 0.1  # and 1 / count while a length is new
_ALIKE = 0.8  # of what a step says of its length is taken to be true of all others
_TRUST = 3  # steps' worth of belief in a careful measurement, which a busy moment may have spoilt
_HOPE = 0.97  # of what a length that nobody tries was measured to take, after so many


class CostCurve:
    """Seconds to evaluate n rows at once, for n from 1 to `longest`."""

    def __init__(self, longest: int) -> None:
        self.longest = longest
        self._seconds = [0.0] * (longest + 1)
        self._careful = [0.0] * (longest + 1)
        self._counts = [0] * (longest + 1)
        self._lately = set[int]()  # lengths of steps since it was relaxed
        self._filled: list[float] | None = None
        self._known = False

    def __bool__(self) -> bool:
        return self._known

    def measured(self) -> dict[int, float]:
        """What is known, by number of rows."""
        return {n: s for n, s in enumerate(self._seconds) if self._counts[n]}

    def set(self, rows: int, seconds: float) -> None:
        """Take a careful measurement as the truth."""
        if 1 <= rows <= self.longest:
            self._seconds[rows] = self._careful[rows] = seconds
            self._counts[rows] = max(_TRUST, self._counts[rows])
            self._filled, self._known = None, True

    def scale(self, factor: float) -> None:
        """Multiply all times."""
        self._seconds = [s * factor for s in self._seconds]
        self._careful = [s * factor for s in self._careful]
        self._filled = None

    def relax(self) -> None:
        """Doubt what steps said against careful measurements, and these where no step has said
        anything for long: either may be of a bad moment, and what looks dear is never tried.
        """
        for n, careful in enumerate(self._careful):
            if n not in self._lately:
                self._careful[n] = careful = min(careful, max(careful * _HOPE, self._seconds[1]))
            if 0 < careful < self._seconds[n]:
                self._seconds[n] *= (careful / self._seconds[n]) ** _GAIN
        self._lately.clear()
        self._filled = None

    def refine(self, rows: int, plain: int, ratio: float) -> None:
        """A step with `rows`, `plain` of them no guesses, took `ratio` times what was expected."""
        self._counts[rows] += 1
        self._lately.add(rows)
        gain = max(_GAIN, 1 / self._counts[rows])
        self._seconds[rows] = self.seconds(rows) * ratio**gain
        for n in range(plain + 1, self.longest + 1):  # or one that seems cheap by chance stays
            if n != rows and self._counts[n]:
                self._seconds[n] *= ratio ** (gain * _ALIKE)
        self._filled = None

    def seconds(self, rows: int) -> float:
        """The time for `rows`; between measurements and beyond them along straight lines."""
        if rows <= self.longest:
            return self.filled()[rows]
        return self.filled()[self.longest] * rows / self.longest

    def filled(self) -> Many[float]:
        """The times for 0, 1, 2 … `longest` rows."""
        filled = self._filled
        if filled is None:  # on any thread: the engine's may forget it again at once
            filled = self._filled = self._fill()
        return filled

    def _fill(self) -> list[float]:
        known = [n for n in range(1, self.longest + 1) if self._counts[n]]
        if not known:
            return [0.0] * (self.longest + 1)
        filled = list(self._seconds)
        for n in range(1, known[0]):
            filled[n] = filled[known[0]]
        for below, above in pairwise(known):
            slope = (filled[above] - filled[below]) / (above - below)
            for n in range(below + 1, above):
                filled[n] = filled[below] + slope * (n - below)
        last = known[-1]
        for n in range(last + 1, self.longest + 1):  # hopeful: trying it will tell
            filled[n] = filled[last] * (1 + 0.5 * (n - last) / last)
        return filled
