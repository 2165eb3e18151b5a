"""How often to draw: ten times a second, and less often where drawing is dear.

Drawing competes with decoding for the processor, so it may have a small share of one core. What a
draw costs depends on the terminal's size and on the text; it is measured, by the time this thread
was at work since the last one.
"""

import time
from collections.abc import Callable

__all__ = ["Pace"]

_SHORTEST, _LONGEST = 0.1, 1.0  # seconds
_SHARE = 0.08


class Pace:
    """Seconds until the next draw, by what the last ones cost. For one thread."""

    def __init__(self, work: Callable[[], float] = time.thread_time) -> None:
        self._work = work
        self._before = work()
        self._cost = 0.0

    def interval(self) -> float:
        """How long to wait now."""
        now = self._work()
        spent, self._before = now - self._before, now
        self._cost += 0.3 * (spent - self._cost)
        return min(_LONGEST, max(_SHORTEST, self._cost / _SHARE))
