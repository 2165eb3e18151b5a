"""What a step costs: measured times of evaluating n rows, refined by every real step.

Two things move measured times. The shape V(n) belongs to the computer and the model and changes
slowly; the pace changes within seconds, when something else uses the processor. A step's time is
read as shape times pace, so that a busy minute slows all lengths alike in our books and does not
look like a property of the one length that was in use. Shapes are kept by depth of context.

llama.cpp keeps its graph from one decode to the next of the same number of rows, and builds it
anew for another number. `switch` is what that takes: nothing beside a large model, a sixth of a
step for a tiny one.
"""

from collections.abc import Iterable

__all__ = ["CostCurve", "Costs"]

_PACE_GAIN = 0.1
_SHAPE_GAIN = 0.05  # and 1 / count while a length is new
_OUTLIER = 1.6  # a step further off than this counts as this far off
_FIRST_STEPS = 5
_DEPTHS = (1024, 4096, 16384)  # tokens; each range of depths has a shape of its own


class CostCurve:
    """Seconds to evaluate n rows at once, for n from 1 to `longest`."""

    def __init__(self, longest: int) -> None:
        self.longest = longest
        self._seconds = [0.0] * (longest + 1)
        self._counts = [0] * (longest + 1)
        self._filled: list[float] | None = None

    def __bool__(self) -> bool:
        return any(self._counts)

    def measured(self) -> dict[int, float]:
        """What is known, by number of rows."""
        return {n: s for n, s in enumerate(self._seconds) if self._counts[n]}

    def set(self, rows: int, seconds: float) -> None:
        """Take a careful measurement as the truth."""
        if 1 <= rows <= self.longest:
            self._seconds[rows], self._counts[rows] = seconds, max(8, self._counts[rows])
            self._filled = None

    def scale(self, factor: float) -> None:
        """Multiply all times."""
        self._seconds = [s * factor for s in self._seconds]
        self._filled = None

    def refine(self, rows: int, ratio: float) -> None:
        """A step with `rows` took `ratio` times what the curve said."""
        self._counts[rows] += 1
        gain = max(_SHAPE_GAIN, 1 / self._counts[rows])
        self._seconds[rows] = self.seconds(rows) * ratio**gain
        self._filled = None

    def seconds(self, rows: int) -> float:
        """The time for `rows`; between measurements and beyond them along straight lines."""
        if self._filled is None:
            self._filled = self._fill()
        if rows <= self.longest:
            return self._filled[rows]
        return self._filled[self.longest] * rows / self.longest

    def _fill(self) -> list[float]:
        known = [n for n in range(1, self.longest + 1) if self._counts[n]]
        if not known:
            return [0.0] * (self.longest + 1)
        filled = list(self._seconds)
        for n in range(1, self.longest + 1):
            if self._counts[n]:
                continue
            below = max((k for k in known if k < n), default=known[0])
            above = min((k for k in known if k > n), default=None)
            if above is None:  # hopeful past the last measurement: trying it will tell
                filled[n] = self._seconds[below] * (1 + 0.5 * (n - below) / below)
            elif below > n:
                filled[n] = self._seconds[below]
            else:
                share = (n - below) / (above - below)
                filled[n] = self._seconds[below] * (1 - share) + self._seconds[above] * share
        return filled


class Costs:
    """V(n) by depth, the pace of the moment, and what the loop itself takes."""

    def __init__(self, longest: int) -> None:
        self.longest = longest
        self.curves = [CostCurve(longest) for _ in range(len(_DEPTHS) + 1)]
        self.pace = 1.0
        self.overhead = 0.0
        self.switch = 0.0
        self._steps = 0
        self._last_rows = 0

    def step(self, rows: int, depth: int = 0) -> float:
        """Seconds a step with `rows` takes now, after one like it; 0 while nothing is known."""
        curve = self._curve(depth)
        return curve.seconds(rows) * self.pace + self.overhead if curve else 0.0

    def extra(self, rows: int, plain: int, depth: int = 0) -> float:
        """Seconds by which a step with `rows` takes longer now than one with `plain` rows."""
        switches = (rows != self._last_rows) - (plain != self._last_rows)
        return self.step(rows, depth) - self.step(plain, depth) + switches * self.switch * self.pace

    def observe(self, rows: int, seconds: float, overhead: float, depth: int = 0) -> None:
        """A step with `rows` took `seconds` in the target, and the loop took `overhead`."""
        if not 1 <= rows <= self.longest:
            return
        curve = self._curve(depth)
        if not curve:
            curve.set(rows, seconds / self.pace)
        known = curve.seconds(rows)
        switched = rows != self._last_rows
        self._last_rows = rows
        if switched:
            beyond = min(max(seconds / self.pace - known, 0.0), known)
            self.switch += _PACE_GAIN * (beyond - self.switch)
        ratio = seconds / ((known + switched * self.switch) * self.pace)
        self._steps += 1
        if self._steps > _FIRST_STEPS:  # what was measured before may be of another time
            ratio = min(max(ratio, 1 / _OUTLIER), _OUTLIER)
        self.pace *= ratio ** max(_PACE_GAIN, 1 / self._steps)
        curve.refine(rows, ratio if self._steps > _FIRST_STEPS else 1.0)
        self.overhead += _PACE_GAIN * (min(overhead, seconds) - self.overhead)

    def settle(self) -> None:
        """Fold the pace into the curves, for the record."""
        for curve in self.curves:
            curve.scale(self.pace)
        self.switch *= self.pace
        self.pace = 1.0

    def load(self, curves: Iterable[dict[int, float]]) -> None:
        """Take over curves measured earlier, as `CostCurve.measured` gave them."""
        for curve, measured in zip(self.curves, curves, strict=False):
            for rows, seconds in measured.items():
                curve.set(rows, seconds)

    def _curve(self, depth: int) -> CostCurve:
        """The curve for a depth; a depth met for the first time begins like the nearest one."""
        index = next((i for i, end in enumerate(_DEPTHS) if depth < end), len(_DEPTHS))
        if not self.curves[index]:
            known = [i for i, curve in enumerate(self.curves) if curve]
            if known:
                nearest = min(known, key=lambda i: abs(i - index))
                for rows, seconds in self.curves[nearest].measured().items():
                    self.curves[index].set(rows, seconds)
        return self.curves[index]
