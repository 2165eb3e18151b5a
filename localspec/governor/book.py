"""What is known about one drafter: what a guess costs, what its confidence is worth,
and what it is worth to ask it.
"""

from weakref import WeakKeyDictionary

from localspec.decoding.draft import Draft
from localspec.decoding.sequence import Sequence
from localspec.governor.sharpness import Sharpness
from localspec.governor.survival import Calibration, OwnCalibration
from localspec.governor.worth import OwnWorth, Worth

__all__ = ["Book"]

_GAIN = 0.1
_SURPRISE_GAIN = 0.004
_SHOCK = 2.0  # tokens
_LITTLE = 2  # tokens of backlog: what follows a guess, right or wrong; part of a guess's time


class Book:
    """Seconds for a guess (of all sequences at once) and for a token of backlog, at a pace of 1;
    calibrations and worths.
    """

    def __init__(self) -> None:
        self.seconds = 0.0
        self.seconds_to_read = 0.0
        self.surprise = 0.0
        """By how much steps in which it was asked gave more than was expected, in tokens."""
        self.common = Calibration()
        self.common_worth = Worth()
        self._common_sharpness = Sharpness()
        self._own: WeakKeyDictionary[Sequence, OwnCalibration] = WeakKeyDictionary()
        self._worths: WeakKeyDictionary[Sequence, OwnWorth] = WeakKeyDictionary()
        self._sharpness: WeakKeyDictionary[Sequence, Sharpness] = WeakKeyDictionary()

    def calibration(self, sequence: Sequence) -> OwnCalibration:
        """The one of a sequence, begun where there is none."""
        if sequence not in self._own:
            self._own[sequence] = OwnCalibration(self.common)
        return self._own[sequence]

    def expected(self, sequence: Sequence) -> float | None:
        """How likely its next guess is to hold; None where it was not asked in this sequence."""
        own = self._own.get(sequence)
        return own.next_chance if own and own.asked else None

    def worth(self, sequence: Sequence) -> OwnWorth:
        """The one of a sequence, begun where there is none."""
        if sequence not in self._worths:
            self._worths[sequence] = OwnWorth(self.common_worth)
        return self._worths[sequence]

    def paid(self, seconds: float, guesses: int, backlog: int) -> None:
        """A proposal took `seconds`, for `guesses` guesses one after another."""
        if backlog > _LITTLE:
            reading = max(0.0, seconds - guesses * self.seconds) / backlog
            self.seconds_to_read = _follow(self.seconds_to_read, reading)
        elif guesses:
            self.seconds = _follow(self.seconds, seconds / guesses)

    def reading(self, backlog: int) -> float:
        """Seconds to read a backlog before the first guess."""
        return self.seconds_to_read * backlog if backlog > _LITTLE else 0.0

    def surprised(self, difference: float) -> None:
        """A step gave this much more than costs and chances made expect."""
        bounded = max(-_SHOCK, min(_SHOCK, difference - self.surprise))
        self.surprise = min(0.0, self.surprise + _SURPRISE_GAIN * bounded)

    def learn(self, sequence: Sequence, draft: Draft, said: list[int]) -> None:
        """Compare a guess, looked at or not, with what was said in its place."""
        calibration = self.calibration(sequence)
        for i, (guess, token) in enumerate(zip(draft.tokens, said, strict=False)):
            calibration.observe(draft.confidences[i], guess == token)
            if draft.at_sharpness[i]:
                self._sharpen(sequence, draft.at_sharpness[i], token)
            if guess != token:
                break

    def _sharpen(self, sequence: Sequence, guesses: tuple[int, ...], token: int) -> None:
        if sequence not in self._sharpness:
            self._sharpness[sequence] = Sharpness(self._common_sharpness)
        self._sharpness[sequence].observe(guesses, token)
        sequence.sampler.sharpness = self._sharpness[sequence].best


def _follow(known: float, measured: float) -> float:
    """A running mean of times, which one slow moment does not move far."""
    return known + _GAIN * (min(measured, 2 * known) - known) if known else measured
