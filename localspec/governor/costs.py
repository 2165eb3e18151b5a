"""What a step costs: measured times of evaluating n rows, refined by every real step.

Two things move measured times. The shape V(n) belongs to the computer and the model and changes
slowly; the pace changes within seconds, when something else uses the processor. One step cannot
tell them apart, so steps without guesses set the pace, and a step with guesses says something of
the shape only while one without is recent, in the same text: the first passes after a prompt can be
twice as slow as later ones, where other programs have pushed the weights out of a shared cache
meanwhile. Shapes are kept by depth of context.

A step with another number of rows than the one before is slower, as llama.cpp builds another graph:
by a twelfth for a tiny model, by nothing for a large one. On the way to guesses that is part of
what steps with guesses are seen to take; on the way back it is `aftermath`. On a GPU it is so much
that it is counted apart, as `change`; nothing else disturbs the pace there.
"""

from bisect import bisect_right
from collections.abc import Iterable
from collections.abc import Sequence as Many

from localspec.governor.curve import CostCurve

__all__ = ["Costs"]

_PACE_GAIN = 0.1
_PLAIN_GAIN = 0.2  # of the pace, by a step without guesses
_DISTURBED_GAIN = 0.03
_ANCHOR_GAIN = 0.5  # after steps in which the pace took in what may have been the shape
_CHANGE_GAIN = 0.1
_OUTLIER = 1.6  # a step further off than this counts as this far off
_FIRST_STEPS = 8
_RECENT = 8  # steps
_LONG_AGO = 64  # steps
_SETTLING = 2  # steps of another number of rows before they are at their speed on a GPU
_PATIENCE = 512  # steps after which a length that was found slow begins to look better
_DEPTHS = (1024, 4096, 16384)  # tokens; each range of depths has a shape of its own


class Costs:
    """V(n) by depth, the pace of the moment, and what the loop itself takes."""

    def __init__(self, longest: int) -> None:
        self.longest = longest
        self.curves = [CostCurve(longest) for _ in range(len(_DEPTHS) + 1)]
        self.pace = 1.0
        self.overhead = 0.0
        """Seconds of a step without guesses outside the target's pass, at a pace of 1."""
        self.overhead_of_guesses = 0.0
        """Seconds that judging guesses adds, at a pace of 1."""
        self.aftermath = 0.0
        """Seconds by which the first step after guesses is slower, at a pace of 1: it needs another
        graph, and finds colder caches.
        """
        self.change = 0.0
        """Seconds that another number of rows costs once; 0 where it is not counted apart."""
        self.distraction = 0.0
        """Seconds by which a step without guesses is slower for having looked for some, beside what
        looking took, at a pace of 1: caches are colder, and threads have gone to sleep.
        """
        self.steady = 0
        """Rows that the next step of one sequence should have, though it needs fewer."""
        self._rows = self._unsettled = 0
        self._excess = 0.0
        self._since_plain = self._guessed = 0
        self._warm = self._adrift = False
        self._paced = False  # by a step without guesses in this text
        self._steps = 0

    def step(self, rows: int, depth: int = 0) -> float:
        """Seconds a step with `rows` and no guesses takes now; 0 while nothing is known."""
        curve = self._curve(depth)
        return (curve.seconds(rows) + self.overhead) * self.pace if curve else 0.0

    def times(self, depth: int = 0) -> Many[float]:
        """Seconds of steps of 0, 1, 2 … `longest` rows and no guesses, at a pace of 1."""
        return [seconds + self.overhead for seconds in self._curve(depth).filled()]

    @property
    def of_guessing(self) -> float:
        """Seconds that guesses take beside their rows, however many they are, at a pace of 1."""
        return self.overhead_of_guesses + (0.0 if self._since_plain else self.aftermath)

    @property
    def due(self) -> bool:
        """Whether a step without guesses is due, to tell pace from shape: two in a row, the more
        often, the less is known.
        """
        if self.change:
            return False
        if self._adrift and not self._since_plain:
            return True  # the first was slower than others, the second sets the pace
        return self._since_plain >= min(_LONG_AGO, 4 + self._guessed // 8)

    def observe(
        self,
        rows: int,
        plain: int,
        seconds: float,
        overhead: float,
        depth: int = 0,
        *,
        looked: bool = False,
    ) -> None:
        """A step with `rows`, `plain` of them no guesses, took `seconds` in the target.

        All else that it took, but for drafting, is `overhead`; it `looked` for guesses, or not.
        """
        if not 1 <= rows <= self.longest:
            return
        curve = self._curve(depth)
        if not curve:
            curve.set(rows, seconds / self.pace)
        if self.change and not self._settled(rows, seconds - curve.seconds(rows)):
            return
        ratio = seconds / (curve.seconds(rows) * self.pace)
        if self._warm:
            if looked and rows == plain and not self._since_plain and self._paced:
                expected = curve.seconds(rows) + self.overhead
                beyond = min((seconds + overhead) / self.pace, _OUTLIER * expected) - expected
                self.distraction += _PACE_GAIN * (beyond - self.distraction)
            self._learn(curve, rows, plain, ratio)
            self._loop(overhead / self.pace, seconds / self.pace, guessed=rows != plain)
        self._warm = True

    def interrupted(self) -> None:
        """Something else was evaluated, which makes the next step slower than others."""
        self._warm = self._paced = False
        self._rows = 0

    def _settled(self, rows: int, excess: float) -> bool:
        """Whether so many rows are at their speed; if not, the `excess` is of the change."""
        if rows != self._rows:
            self._rows, self._unsettled, self._excess = rows, _SETTLING, 0.0
        if not self._unsettled:
            return True
        self._unsettled -= 1
        self._excess += max(0.0, excess)
        if not self._unsettled:
            self.change += _CHANGE_GAIN * (min(self._excess, 2 * self.change) - self.change)
        return False

    def _learn(self, curve: CostCurve, rows: int, plain: int, ratio: float) -> None:
        self._steps += 1
        ratio = min(max(ratio, 1 / _OUTLIER), _OUTLIER)
        if self.change:
            curve.refine(rows, plain, ratio)
            return
        if self._steps <= _FIRST_STEPS:  # what was measured before may be of another time
            self.pace *= ratio ** (1 / self._steps)
            return
        if rows == plain:
            if self._since_plain and self._paced:
                excess = max(0.0, (ratio - 1) * curve.seconds(rows))
                self.aftermath += _PACE_GAIN * (excess - self.aftermath)
                self.pace *= ratio**_DISTURBED_GAIN
            else:
                self.pace *= ratio ** (_ANCHOR_GAIN if self._adrift else _PLAIN_GAIN)
                self._adrift = False
            self._since_plain, self._paced = 0, True
            if self._steps % _PATIENCE == 0:
                curve.relax()
            return
        self._since_plain += 1
        self._guessed += 1
        recent = self._since_plain <= _RECENT
        if recent and self._paced:
            curve.refine(rows, plain, ratio)
        else:
            self.pace *= ratio**_PACE_GAIN
            self._adrift = self._adrift or not recent

    def _loop(self, overhead: float, seconds: float, *, guessed: bool) -> None:
        overhead = min(overhead, seconds)
        if guessed:
            beyond = max(0.0, overhead - self.overhead)
            self.overhead_of_guesses += _PACE_GAIN * (beyond - self.overhead_of_guesses)
        else:
            self.overhead += _PACE_GAIN * (overhead - self.overhead)

    def fold(self, pace: float) -> None:
        """Have so much of the pace in all times instead."""
        for curve in self.curves:
            curve.scale(pace)
        self.overhead *= pace
        self.overhead_of_guesses *= pace
        self.aftermath *= pace
        self.distraction *= pace
        self.change *= pace
        self.pace /= pace

    def load(self, curves: Iterable[dict[int, float]]) -> None:
        """Take over curves measured earlier, as `CostCurve.measured` gave them."""
        for curve, measured in zip(self.curves, curves, strict=False):
            for rows, seconds in measured.items():
                curve.set(rows, seconds)

    def _curve(self, depth: int) -> CostCurve:
        """The curve for a depth; a depth met for the first time begins like the nearest one."""
        index = bisect_right(_DEPTHS, depth)
        if not self.curves[index]:
            known = [i for i, curve in enumerate(self.curves) if curve]
            if known:
                nearest = min(known, key=lambda i: abs(i - index))
                for rows, seconds in self.curves[nearest].measured().items():
                    self.curves[index].set(rows, seconds)
        return self.curves[index]
