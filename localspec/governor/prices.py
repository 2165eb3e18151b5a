"""What guesses are worth in one step: tokens gained, less what looking at them costs in tokens.

Time is worth `rate` tokens a second. A row more costs what V(n) says; all lengths are compared, as
V(n) has cliffs: a fourth row can cost less than a third.
"""

from collections.abc import Sequence as Many

from localspec.decoding.passes import widened
from localspec.governor.costs import Costs

__all__ = ["Prices"]

_HOPELESS = 0.02  # a guess less likely to be reached is not worth making


class Prices:
    """Of a step that has `plain` rows without guesses, at a `depth` of context.

    Where `sharing` sequences fill up one pass, each pays its part of as many guesses for all.
    Where steps stay at `steady` rows, these are paid for.
    """

    def __init__(
        self,
        costs: Costs,
        plain: int,
        depth: int,
        rate: float,
        *,
        sharing: int = 0,
        steady: int = 0,
    ) -> None:
        self.rate = rate
        self._times, self._plain = costs.times(depth), plain
        self._besides = costs.of_guessing
        self._worth = rate * costs.pace
        self._each, self._parts = (plain, sharing) if sharing else (1, 1)
        self._fills_up = bool(sharing) or plain == 1
        self._paid = max(plain, steady)
        self._of = [0.0]

    def of(self, guesses: int) -> float:
        """What looking at so many guesses costs, in tokens."""
        for n in range(len(self._of), guesses + 1):
            each = widened(1 + n, self._seconds) - 1 if self._fills_up else n
            rows = self._plain + each * self._each
            longer = 0.0
            if rows > self._paid:
                longer = max(0.0, self._step(rows) - self._step(self._paid)) + self._besides
            self._of.append(self._worth * longer / self._parts)
        return self._of[guesses]

    def _seconds(self, rows: int) -> float:
        return self._step(rows * self._each)

    def _step(self, rows: int) -> float:
        """Seconds; beyond what is known they grow as the rows."""
        last = len(self._times) - 1
        return self._times[rows] if rows <= last else self._times[last] * rows / last

    def best(self, survivals: Many[float]) -> tuple[float, int]:
        """The most valuable number of guesses to look at, and its value in tokens."""
        best, length, gain = 0.0, 0, 0.0
        for i, survival in enumerate(survivals, start=1):
            gain += survival
            value = gain - self.of(i)
            if value > best:
                best, length = value, i
        return best, length

    def outlook(self, survivals: Many[float], chance: float, limit: int, seconds: float) -> float:
        """The value of the best length beyond what is guessed, if further guesses hold with
        `chance` and take `seconds` each.
        """
        best, gain = -1.0, sum(survivals)
        survival = survivals[-1] if survivals else 1.0
        for i in range(len(survivals) + 1, limit + 1):
            survival *= chance
            gain += survival
            drafting = self.rate * seconds * (i - len(survivals))
            best = max(best, gain - self.of(i) - drafting)
            if survival < _HOPELESS:
                break
        return best
