"""What asking a drafter has been worth, in tokens a step: the value of the best part of its guess
over plain decoding, less the time that guessing took.

That is known before the target has judged the guess, from calibrated confidences, and so varies
far less than what came of it. It includes what a mean confidence would hide: the sure guesses pay
and the unsure ones need not be looked at. What to expect depends on how certain the target is
of itself; a text that turns out better or worse than others of its certainty is remembered as
such for a while.
"""

from localspec.governor.certainty import LEVELS

__all__ = ["OwnWorth", "Worth"]

_HOPE = 0.2  # tokens: a drafter nobody knows should be tried
_HOPE_WEIGHT = 2.0  # proposals
_ALL_WEIGHT = 3.0
_COMMON_WEIGHT = 2.0
_LEAVES = 0.02
_OWN_FADE = 0.9
_CAUTION = 0.2  # tokens by which a text may well differ from others
_FORGETTING = 0.99  # a token


class Worth:
    """Over all sequences, by level of certainty."""

    def __init__(self) -> None:
        self._all = [0.0, 0.0]
        self._levels = [[0.0, 0.0] for _ in range(LEVELS)]

    def estimate(self, level: int) -> float:
        """What to expect of asking."""
        total, count = self._all
        belief = (total + _HOPE_WEIGHT * _HOPE) / (count + _HOPE_WEIGHT)
        total, count = self._levels[level]
        return (total + _ALL_WEIGHT * belief) / (count + _ALL_WEIGHT)

    def observe(self, value: float, level: int, weight: float) -> None:
        """A drafter was asked, and its guess was worth `value`."""
        for pair in (self._all, self._levels[level]):
            pair[0] = pair[0] * (1 - _LEAVES * weight) + value * weight
            pair[1] = pair[1] * (1 - _LEAVES * weight) + weight

    def to_json(self) -> list[list[float]]:
        """For the record."""
        return [self._all, *self._levels]

    def load(self, record: list[list[float]]) -> None:
        """Take over a record; raises TypeError or ValueError where it is none."""
        pairs = [[float(total), float(count)] for total, count in record]
        if len(pairs) != 1 + LEVELS:
            raise ValueError("another number of levels")
        self._all, self._levels = pairs[0], pairs[1:]


class OwnWorth:
    """In one sequence: how far it differs from what all sequences taught."""

    def __init__(self, common: Worth) -> None:
        self._common = common
        self._sum = self._count = 0.0
        self._position = 0
        self.rests_until = 0
        """Position of the text before which nobody need ask again whether to ask."""

    def estimate(self, level: int, position: int) -> float:
        """What to expect of asking at a position of the text, on the safe side."""
        fade = _FORGETTING ** (position - self._position)
        count = self._count * fade
        own = self._sum * fade / (count + _COMMON_WEIGHT)
        return float(self._common.estimate(level) + own - _CAUTION / (1 + count))

    def observe(self, value: float, level: int, position: int) -> None:
        """A drafter was asked at a position, and its guess was worth `value`."""
        fade = _OWN_FADE * _FORGETTING ** (position - self._position)
        self._sum = self._sum * fade + value - self._common.estimate(level)
        # All texts speak alike for the next one, not those most that were worth asking longest.
        self._common.observe(value, level, 1 / (1 + self._count))
        self._count = self._count * fade + 1
        self._position = position
