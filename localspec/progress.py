"""What a person at a terminal sees while they wait: a line on standard error that leaves no trace.

Where nobody is there to see it, nothing is drawn.
"""

import sys
import threading
import time
from collections.abc import Callable
from itertools import cycle
from typing import Self

from localspec import console, spoken

__all__ = ["FRAMES", "LiveLine", "Progress", "Waiting", "bar"]

_PATIENCE_SECONDS = 0.7
_FRAME_SECONDS = 0.1
FRAMES = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"
_CLEAR_LINE = "\r\x1b[K"
_BAR = 20
_TELLING = 0.02  # share of the work after which its speed says when it will end


def bar(share: float, columns: int = _BAR) -> str:
    """A bar of which `share` is filled."""
    done = round(share * columns)
    return "█" * done + "░" * (columns - done)


def _draw(text: str) -> None:
    """Have `text` in the line that the cursor is in, instead of what is there."""
    sys.stderr.write(f"{_CLEAR_LINE}{console.harmless(text)[: console.width(sys.stderr) - 1]}")
    sys.stderr.flush()


class LiveLine:
    """A line drawn anew `every` so many seconds, the first time after `patience`."""

    def __init__(self, text: Callable[[], str], every: float, patience: float = 0.0) -> None:
        self._text, self._every, self._patience = text, every, patience
        self._lock, self._end = threading.Lock(), threading.Event()
        self._thread: threading.Thread | None = None

    def begin(self) -> None:
        """Draw from now on."""
        if console.drawable(sys.stderr):
            self._thread = threading.Thread(target=self._show, daemon=True)
            self._thread.start()

    def end(self) -> None:
        """Draw no more."""
        if self._thread:
            self._end.set()
            self._thread.join()
            self._thread = None

    def note(self, sentence: str) -> None:
        """A line that stays."""
        with self._lock:
            if self._thread:
                _draw("")
            console.note(sentence)

    def _show(self) -> None:
        if self._end.wait(self._patience):
            return
        try:
            while not self._end.wait(self._every):
                text = self._text()
                with self._lock:
                    _draw(text)
        finally:
            _draw("")


class Waiting:
    """Says what is being waited for, if it takes long."""

    def __init__(self) -> None:
        self._what, self._frames = "", cycle(FRAMES)
        self._line = LiveLine(self._text, _FRAME_SECONDS, _PATIENCE_SECONDS)

    def __enter__(self) -> Self:
        self._line.begin()
        return self

    def __exit__(self, *_: object) -> None:
        self.over()

    def say(self, what: str) -> None:
        """What is going on from now on."""
        self._what = what

    def note(self, sentence: str) -> None:
        """A line that stays."""
        self._line.note(sentence)

    def over(self) -> None:
        """The wait has ended: leave no trace."""
        self._line.end()

    def _text(self) -> str:
        return f"{next(self._frames)} {self._what}"


class Progress:
    """How much is done and how long the rest will take; drawn when there is news."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._shown = console.drawable(sys.stderr)
        self._start = clock()
        self._drawn = float("-inf")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.clear()

    def clear(self) -> None:
        """Take the bar away until there is news."""
        if self._shown:
            _draw("")

    def note(self, sentence: str) -> None:
        """A line that stays."""
        self.clear()
        console.note(sentence)

    def at(self, share: float, what: str) -> None:
        """`share` of the work is done (0 to 1), and this is being done now."""
        now = self._clock()
        if share > _TELLING:
            what += f", {spoken.duration((now - self._start) * (1 - share) / share)} left"
        self._show(now, share, what)

    def show(self, share: float, words: str) -> None:
        """The bar with just these words behind it, for who knows better how long it will take."""
        self._show(self._clock(), share, words)

    def _show(self, now: float, share: float, words: str) -> None:
        if not self._shown or now - self._drawn < _FRAME_SECONDS:
            return
        self._drawn = now
        _draw(f"{bar(share)} {share:4.0%} {words}")
