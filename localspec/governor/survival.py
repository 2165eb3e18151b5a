"""How likely a guess is to hold, learned from its drafter's own confidence.

Over all sequences, confidences fall into bins, and each bin counts what became of its guesses; old
evidence fades, as texts change. Until there is evidence a drafter is taken at its word. A sequence
starts from there and soon knows by how much its drafter promises too much or too little in this
text: one number, added to the log-odds of every chance (Platt 1999, with the slope left alone), so
that a dozen guesses of whatever confidence teach it.
"""

import math
from bisect import bisect_right

__all__ = ["Calibration", "OwnCalibration"]

_EDGES = (0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.87, 0.93, 0.97, 0.99)
_WORD = 4.0  # guesses' worth of belief in the drafter's word
_FADE = 0.997
_OWN_FADE = 0.97
_PRECISION = 2.0  # of the belief that a text is like others: log-odds differ by 0.7
_HOPE = 0.6  # what to expect of a drafter nobody knows
_HOPE_WEIGHT = 2.0
_SUREST = 0.999


class Calibration:
    """What a drafter's confidences are worth over all sequences."""

    def __init__(self) -> None:
        self._held = [0.0] * (len(_EDGES) + 1)
        self._seen = [0.0] * (len(_EDGES) + 1)
        self._expected = self._expectations = 0.0

    def chance(self, confidence: float) -> float:
        """How likely a guess of this confidence is to hold, given that those before it do."""
        i = bisect_right(_EDGES, confidence)
        return (self._held[i] + _WORD * confidence) / (self._seen[i] + _WORD)

    def observe(self, confidence: float, held: bool) -> None:
        """A guess was put to the test."""
        i = bisect_right(_EDGES, confidence)
        self._held[i] = self._held[i] * _FADE + held
        self._seen[i] = self._seen[i] * _FADE + 1

    def expect(self, chance: float) -> None:
        """A first guess was made whose chance is `chance`: the next one may be like it."""
        self._expected = self._expected * _FADE + chance
        self._expectations = self._expectations * _FADE + 1

    @property
    def next_chance(self) -> float:
        """What to expect of a guess before it is made."""
        return (self._expected + _HOPE_WEIGHT * _HOPE) / (self._expectations + _HOPE_WEIGHT)

    def to_json(self) -> dict[str, list[float]]:
        """For the record."""
        expected = [self._expected, self._expectations]
        return {"held": self._held, "seen": self._seen, "expected": expected}

    def load(self, record: dict[str, list[float]]) -> None:
        """Take over a record; raises KeyError, TypeError or ValueError where it is none."""
        held, seen = [float(x) for x in record["held"]], [float(x) for x in record["seen"]]
        expected, expectations = (float(x) for x in record["expected"])
        if not len(held) == len(seen) == len(_EDGES) + 1:
            raise ValueError("another number of bins")
        self._held, self._seen = held, seen
        self._expected, self._expectations = expected, expectations


class OwnCalibration:
    """The same for one sequence, which leans on what all of them taught."""

    def __init__(self, common: Calibration) -> None:
        self._common = common
        self._shift = self._information = 0.0
        self._expected = self._expectations = 0.0

    def chance(self, confidence: float) -> float:
        """How likely a guess of this confidence is to hold in this text."""
        belief = min(max(self._common.chance(confidence), 1 - _SUREST), _SUREST)
        odds = belief / (1 - belief) * math.exp(self._shift)
        return odds / (1 + odds)

    def observe(self, confidence: float, held: bool) -> None:
        """A guess was put to the test: a step of Newton's towards the likeliest shift."""
        chance = self.chance(confidence)
        self._information = self._information * _OWN_FADE + chance * (1 - chance)
        step = held - chance - _PRECISION * (1 - _OWN_FADE) * self._shift
        self._shift += step / (self._information + _PRECISION)
        self._common.observe(confidence, held)

    def expect(self, chance: float) -> None:
        """A first guess was made whose chance is `chance`: the next one may be like it."""
        self._expected = self._expected * _OWN_FADE + chance
        self._expectations = self._expectations * _OWN_FADE + 1
        self._common.expect(chance)

    @property
    def asked(self) -> bool:
        """Whether a guess was made in it."""
        return self._expectations > 0

    @property
    def next_chance(self) -> float:
        """What to expect of a guess before it is made."""
        belief = self._common.next_chance
        return (self._expected + _HOPE_WEIGHT * belief) / (self._expectations + _HOPE_WEIGHT)
