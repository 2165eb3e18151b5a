"""When to look for guesses at all.

To see whether there is a guess worth making takes Python a seventh of a millisecond: nothing
beside a large model, but percents of a small one's step. So where a text has had none for some
steps, looking takes a share of the time that nobody will miss.
"""

__all__ = ["Attention"]

_PATIENCE = 2  # steps without a guess
_SHARE = 0.005  # of the time, after those
_GAIN = 0.1


class Attention:
    """Of one engine, for whatever it decodes together. Times are at a pace of 1."""

    def __init__(self) -> None:
        self._idle = self._rest = 0
        self._seconds = 0.0

    def due(self) -> bool:
        """Whether to look in this step."""
        if self._rest:
            self._rest -= 1
            return False
        return True

    def wake(self) -> None:
        """A new text begins: what another one had says nothing of it."""
        self._idle = self._rest = 0

    def took(self, seconds: float) -> None:
        """Looking took so long, and led to no guess."""
        self._seconds += _GAIN * (seconds - self._seconds)

    def found(self, guesses: bool, step: float) -> None:
        """A look led to guesses, or to none, in a step of about `step` seconds."""
        self._idle = 0 if guesses else self._idle + 1
        if self._idle >= _PATIENCE and step:
            self._rest = int(self._seconds / (_SHARE * step))
