"""How likely a guess is to hold, learned from its drafter's own confidence.

Confidences fall into bins, and each bin counts what became of its guesses. A sequence starts from
what all sequences taught and moves on to what its own text teaches; old evidence fades, as a
text's character changes. Until there is evidence a drafter is taken at its word.
"""

from bisect import bisect_right

__all__ = ["Calibration"]

_EDGES = (0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.87, 0.93, 0.97, 0.99)
_WORD = 4.0  # guesses' worth of belief in the drafter's word
_COMMON = 10.0  # guesses' worth of belief in what all sequences taught
_FADE = 0.997
_OWN_FADE = 0.97
_HOPE = 0.6  # what to expect of a drafter nobody knows
_HOPE_WEIGHT = 2.0


class Calibration:
    """What a drafter's confidences are worth: over all sequences, or in one that leans on them."""

    def __init__(self, common: "Calibration | None" = None) -> None:
        self._common = common
        self._fade = _OWN_FADE if common else _FADE
        self._held = [0.0] * (len(_EDGES) + 1)
        self._seen = [0.0] * (len(_EDGES) + 1)
        self._expected = self._expectations = 0.0

    def chance(self, confidence: float) -> float:
        """How likely a guess of this confidence is to hold, given that those before it do."""
        i = bisect_right(_EDGES, confidence)
        if self._common:
            belief, weight = self._common.chance(confidence), _COMMON
        else:
            belief, weight = confidence, _WORD
        return (self._held[i] + weight * belief) / (self._seen[i] + weight)

    def observe(self, confidence: float, held: bool) -> None:
        """A guess was put to the test."""
        i = bisect_right(_EDGES, confidence)
        self._held[i] = self._held[i] * self._fade + held
        self._seen[i] = self._seen[i] * self._fade + 1
        if self._common:
            self._common.observe(confidence, held)

    def expect(self, chance: float) -> None:
        """A first guess was made whose chance is `chance`: the next one may be like it."""
        self._expected = self._expected * self._fade + chance
        self._expectations = self._expectations * self._fade + 1
        if self._common:
            self._common.expect(chance)

    @property
    def next_chance(self) -> float:
        """What to expect of a guess before it is made."""
        belief = self._common.next_chance if self._common else _HOPE
        return (self._expected + _HOPE_WEIGHT * belief) / (self._expectations + _HOPE_WEIGHT)

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
