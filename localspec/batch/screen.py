"""Tells how a run is getting on: a line for a person at a terminal, or JSON events for a program.

Where neither is there, nothing is shown but what a person should know.
"""

import json
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Self

from localspec.batch import words
from localspec.batch.backends.base import Backend, Reply
from localspec.batch.energy import Meter
from localspec.batch.plan import Counts
from localspec.batch.tally import Tally
from localspec.console import tell
from localspec.progress import LiveLine

__all__ = ["Events", "Screen"]

_FRAME_SECONDS = 0.2
_EVENT_SECONDS = 1.0


class Screen:
    """The tally of a run, and a line on standard error where a person is there to see it."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.tally = Tally()
        self._clock = clock
        self._start = self._measured = clock()
        self._doing = "reading the input"
        self._backend: Backend | None = None
        self._meter: Meter | None = None
        self._lock = threading.Lock()
        self._line = LiveLine(self._text, _FRAME_SECONDS)

    def __enter__(self) -> Self:
        self._line.begin()
        return self

    def __exit__(self, *_: object) -> None:
        self._measure()
        self._line.end()

    def say(self, what: str) -> None:
        """What is being done until the first answers come."""
        self._doing = what

    def note(self, sentence: str) -> None:
        """See `Watcher`: a line that stays."""
        self._line.note(sentence)

    def reading(self, lines: int) -> None:
        """See `Watcher`."""
        self._doing = f"reading the input: {lines:,} lines"

    def started(self, counts: Counts) -> None:
        """See `Watcher`."""
        self.tally = Tally.after(counts)

    def answering(self, backend: Backend) -> None:
        """See `Watcher`: from here on it is time that answers take."""
        self._backend, self._start = backend, self._clock()
        self.tally.parallel = backend.parallel
        self._meter = Meter()

    def answered(self, reply: Reply) -> None:
        """See `Watcher`."""
        with self._lock:
            self.tally.add(reply)
        if self._clock() - self._measured > _EVENT_SECONDS:
            self.progressed(self._measure())

    def progressed(self, tally: Tally) -> None:
        """Once a second, where there is progress."""

    def _measure(self) -> Tally:
        """The tally as of now."""
        with self._lock:
            self._measured = self._clock()
            if self._backend and self._meter:
                self._meter.read()
                self.tally.seconds = self._measured - self._start
                self.tally.alone = self._backend.alone(self.tally.effort)
                self.tally.joules = self._meter.joules
            return replace(self.tally)

    def _text(self) -> str:
        return words.line(self._measure()) if self._backend else self._doing


class Events(Screen):
    """The same for a program: a JSON object a line on standard output."""

    def __exit__(self, *details: object) -> None:
        super().__exit__(*details)
        if details[0] is None:  # an error has words of its own
            self._emit("ended", self.tally)

    def started(self, counts: Counts) -> None:
        """See `Watcher`."""
        super().started(counts)
        self._emit("started", self.tally)

    def progressed(self, tally: Tally) -> None:
        """See `Screen`."""
        self._emit("progress", tally)

    def _emit(self, event: str, tally: Tally) -> None:
        document: dict[str, Any] = {"event": event, **words.document(tally)}
        tell(json.dumps(document))
