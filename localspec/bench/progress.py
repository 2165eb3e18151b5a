"""A bar on standard error for what takes its time, where a person is looking."""

import sys
import time
from collections.abc import Callable
from typing import Self

from localspec.console import draw

__all__ = ["Progress", "spoken_time"]

_WIDTH = 20
_REDRAW_SECONDS = 0.1
_TELLING = 0.02  # share of the work after which its speed says when it will end


class Progress:
    """How much is done and how long the rest will take; gone without a trace at the end."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._shown = sys.stderr.isatty()
        self._start = clock()
        self._drawn = float("-inf")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.clear()

    def clear(self) -> None:
        """Take the bar away until the next call of `at`."""
        if self._shown:
            draw("")

    def at(self, share: float, what: str) -> None:
        """`share` of the work is done (0 to 1), and this is being done now."""
        now = self._clock()
        if share > _TELLING:
            what += f", {spoken_time((now - self._start) * (1 - share) / share)} left"
        self._draw(now, share, what)

    def draw(self, share: float, words: str) -> None:
        """The bar with just these words behind it, for who knows better how long it will take."""
        self._draw(self._clock(), share, words)

    def _draw(self, now: float, share: float, words: str) -> None:
        if not self._shown or now - self._drawn < _REDRAW_SECONDS:
            return
        self._drawn = now
        draw(f"{_bar(share)} {share:4.0%} {words}")


def _bar(share: float) -> str:
    done = round(share * _WIDTH)
    return "█" * done + "░" * (_WIDTH - done)


def spoken_time(seconds: float) -> str:
    """A duration as a person says it."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    if seconds < 100 * 60:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"
