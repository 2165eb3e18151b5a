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

_PROBE_SHARE = 0.0025  # of the time may go into asking just to see
_GAIN = 0.1
_RELIEF = 0.5  # where it took clearly less: what was known before was of a bad moment
_CLEARLY = 0.2  # of what was expected; less is chance, and the least would be believed
_GUESSING, _READING = 0.25, 0.02  # of a step of the target, for a guess and a token at first
_LEAST = 0.5  # of what a guess took, by one measurement
_MANY = 16  # tokens of backlog
_LONG = 128  # tokens of a prompt: texts that answer long ones are of another kind
_FEW = 4  # answers at once
_SURPRISE_GAIN = 0.004
_SHOCK = 2.0  # tokens
_LITTLE = 2  # tokens of backlog: what follows a guess, right or wrong; part of a guess's time


class Line:
    """Seconds that n of something take, `fixed` ones and `each`, learnt by normalised least mean
    squares; n comes in the order of `unit`.
    """

    def __init__(self, fixed: float = 0.0, each: float = 0.0, unit: int = 1) -> None:
        self.fixed, self.each, self._unit = fixed, each, unit

    def __call__(self, n: int) -> float:
        return self.fixed + self.each * n

    def learn(self, n: int, seconds: float, beside: float = 0.0) -> None:
        """Take in a measurement, of which `beside` was to go into something else; one slow moment
        does not move it far.
        """
        expected, x = beside + self(n), n / self._unit
        error = min(seconds, 2 * expected) - expected
        gain = _RELIEF if error < -_CLEARLY * expected else _GAIN
        share = gain * error / (1 + x**2)
        self.fixed = max(0.0, self.fixed + share)
        self.each = max(_LEAST * self.each, self.each + share * x / self._unit)


class Book:
    """What it takes at a pace of 1 to make a `proposal` of n guesses (of all sequences at once),
    and before it to read a backlog of n tokens; calibrations and worths.

    `change` is what another number of rows costs the target; the draft is held to pay as much
    at first.
    """

    def __init__(self, change: float = 0.0) -> None:
        self.proposal = Line()
        self.catching_up = Line(fixed=change, unit=_MANY)
        self.free = False
        """Whether its first guess is known for nothing."""
        self.probed = 0.0
        """Seconds that went into asking just to see, but for what turned out well."""
        self.surprise = 0.0
        """By how much steps in which it was asked gave more than was expected, in tokens."""
        self.common = Calibration()
        self.common_worths = (Worth(), Worth(), Worth(), Worth())
        """Alone, after short prompts and after long ones; among few, and among many."""
        self._common_sharpness = Sharpness()
        self._own: WeakKeyDictionary[Sequence, OwnCalibration] = WeakKeyDictionary()
        self._worths: WeakKeyDictionary[Sequence, dict[int, OwnWorth]] = WeakKeyDictionary()
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

    def worth(self, sequence: Sequence, company: int) -> OwnWorth:
        """The one of a sequence, one of `company` that decode together; begun where there is none.

        Guesses of one among several take a pass of their own, or rows of all others.
        """
        long = len(sequence.request.prompt) > _LONG
        kind = int(long) if company == 1 else 2 + (company > _FEW)
        own = self._worths.setdefault(sequence, {})
        if kind not in own:
            own[kind] = OwnWorth(self.common_worths[kind])
        return own[kind]

    def paid(self, seconds: float, guesses: int, backlog: int, step: float) -> None:
        """A proposal took `seconds`, for `guesses` guesses one after another.

        The first ones are slow, as memory is cold: they say nothing beyond what may be expected of
        a draft for a target whose `step` takes so long.
        """
        if backlog > _LITTLE:
            self.catching_up.each = self.catching_up.each or _READING * step
            self.catching_up.learn(backlog, seconds, self.proposal(guesses))
        elif guesses and not self.proposal.each:
            self.proposal.each = min(seconds / guesses, _GUESSING * step)
        elif guesses:
            self.proposal.learn(guesses, seconds)

    def fold(self, pace: float) -> None:
        """Count all times at another pace, `pace` times as slow."""
        for line in (self.proposal, self.catching_up):
            line.fixed, line.each = line.fixed * pace, line.each * pace

    def probes(self, seconds: float, passed: float, most: float) -> bool:
        """Whether asking just to see, which takes `seconds`, is within its share of the `passed`
        ones; of what was not used no more is kept than `most`.
        """
        allowed = _PROBE_SHARE * passed - self.probed
        self.probed += max(0.0, allowed - most)
        if self.probed and seconds > min(allowed, most):
            return False
        self.probed += seconds
        return True

    def reading(self, backlog: int) -> float:
        """Seconds to read a backlog before the first guess."""
        return self.catching_up(backlog) if backlog > _LITTLE else 0.0

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
