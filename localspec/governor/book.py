"""What is known about one drafter: what a guess costs, and what its confidence is worth."""

from weakref import WeakKeyDictionary

from localspec.decoding.draft import Draft
from localspec.decoding.sequence import Sequence
from localspec.governor.sharpness import Sharpness
from localspec.governor.survival import Calibration

__all__ = ["Book"]

_GAIN = 0.1
_SURPRISE_GAIN = 0.01
_LITTLE = 8  # tokens of backlog that do not show in the time of a guess


class Book:
    """Seconds for a guess (of all sequences at once) and for a token of backlog; calibrations."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.seconds_to_read = 0.0
        self.surprise = 0.0
        """By how much asking was worth more than promised, in tokens a step."""
        self.common = Calibration()
        self._own: WeakKeyDictionary[Sequence, Calibration] = WeakKeyDictionary()
        self._common_sharpness = Sharpness()
        self._sharpness: WeakKeyDictionary[Sequence, Sharpness] = WeakKeyDictionary()

    def calibration(self, sequence: Sequence) -> Calibration:
        """The one of a sequence, begun where there is none."""
        if sequence not in self._own:
            self._own[sequence] = Calibration(self.common)
        return self._own[sequence]

    def paid(self, seconds: float, guesses: int, backlog: int) -> None:
        """A proposal took `seconds`, for `guesses` guesses one after another."""
        if backlog > _LITTLE:
            reading = max(0.0, seconds - guesses * self.seconds) / backlog
            self.seconds_to_read += (reading - self.seconds_to_read) * (
                _GAIN if self.seconds_to_read else 1
            )
        elif guesses:
            each = seconds / guesses
            if self.seconds:  # one slow moment is no reason to give a drafter up
                each = min(each, 3 * self.seconds)
            self.seconds += (each - self.seconds) * (_GAIN if self.seconds else 1)

    def surprised(self, difference: float) -> None:
        """A step gave this much more than was promised, which costs and chances do not explain."""
        bounded = max(-1.0, min(1.0, difference - self.surprise))
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
