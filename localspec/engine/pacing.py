"""How much of prompts a step reads beside answers that are being decoded.

Who waits for the next token should not wait long, and who waits for a prompt to be read not for
ever. Rows of a prompt take less time the more of them are read at once (on two cores twenty rows
of a small model take a third more, row by row, than a hundred). So time for reading is saved up,
in every step some, until it pays for a chunk that is worth its passes.
"""

from localspec.governor.policy import Step

__all__ = ["Pacing"]

_CHUNK = 128  # prompt tokens of a step at most
_PAUSE = 0.4  # seconds that a chunk may take
_LEAST = 16  # prompt tokens of a step, however slow it is
_SHARE = 0.1  # seconds that are saved up in a step
_CROWD = 4.0  # times as much, at most, where more are reading than decoding
_STEPS = 4.0  # times what a pass takes that reads nothing, where that is more
_ALONE = 2.0  # seconds where nobody decodes: whom a cancelled or a new request concerns may wait
_GAIN = 0.3


class Pacing:
    """Of one engine. It learns from steps what rows take."""

    def __init__(self) -> None:
        self._row = 0.0  # seconds of a row of prompt, lately
        self._step = 0.0  # seconds of a pass that reads nothing, lately
        self._saved = _PAUSE

    def tokens(self, waiting: int, reading: int, beside: int, least: int = 0) -> int:
        """Prompt tokens for the next step: of `reading` sequences `waiting` tokens are yet to be
        read, no fewer than `least` at once, and `beside` sequences decode.
        """
        if not waiting:
            self._saved = _PAUSE  # a prompt that comes after a pause is not kept waiting
            return 0
        if not beside:
            self._saved = 0.0
            return max(least, self._within(_ALONE, waiting))
        crowd = min(_CROWD, max(1.0, reading / beside))
        wanted = max(least, min(_CHUNK, self._within(_PAUSE, waiting)))
        takes = wanted * self._row
        saved = self._saved + max(_SHARE * crowd, _STEPS * self._step)
        self._saved = min(saved, max(_PAUSE, takes))
        if takes > self._saved:
            return 0
        self._saved -= takes
        return wanted

    def _within(self, seconds: float, most: int) -> int:
        return min(most, max(_LEAST, int(seconds / self._row))) if self._row else most

    def observe(self, step: Step) -> None:
        """Learn from a step that was taken."""
        if not step.rows:  # it failed
            return
        if not step.prefilling:
            self._step += (step.target_seconds - self._step) * (_GAIN if self._step else 1)
        elif step.rows >= _LEAST:
            seconds = step.target_seconds / step.rows
            self._row += (seconds - self._row) * (_GAIN if self._row else 1)
