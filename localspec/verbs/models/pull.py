"""`localspec models pull`: fetch a model, with a bar that says how long it will take."""

import argparse
import json
import sys
import time
from collections import deque

from localspec import spoken
from localspec.console import note
from localspec.errors import INTERRUPTED, UsageError
from localspec.models.embedded import EMBEDDED
from localspec.models.pull import pull
from localspec.progress import Progress

__all__ = ["run"]

_WINDOW_SECONDS = 10.0


def run(options: argparse.Namespace) -> int:
    """Fetch what was named, and say what it is called from now on; 130 where Ctrl-C ended it."""
    if options.model in EMBEDDED:
        raise UsageError(f"{options.model} comes with localspec; there is nothing to pull.")
    try:
        with Progress() as progress:
            pulled = pull(options.model, _Meter(progress), draft=options.draft != "none")
    except KeyboardInterrupt:
        note("Stopped; what has come is kept, pull again to go on.")
        return INTERRUPTED
    if options.json:
        document = [{**vars(model), "path": str(model.path)} for model in pulled]
        print(json.dumps({"models": document}, ensure_ascii=False))
        return 0
    for model in pulled:
        how = (
            f"{spoken.size(model.fetched)} fetched and checked"
            if model.fetched
            else "was here already"
        )
        print(f"{model.name}: {how}")
    if sys.stdout.isatty():
        print(f"\nlocalspec generate -m {pulled[0].name} 'Hello!'")
    return 0


class _Meter:
    """Draws how far a pull has come, how fast it goes, and how long the rest will take."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._seen: deque[tuple[float, int]] = deque()

    def at(self, done: int, total: int, what: str) -> None:
        """So many bytes of all are there."""
        now = time.monotonic()
        self._seen.append((now, done))
        while now - self._seen[0][0] > _WINDOW_SECONDS:
            self._seen.popleft()
        line = f"{spoken.size(done)} of {spoken.size(total)}"
        speed = self._speed()
        if speed > 0:
            line += f" · {spoken.size(speed)}/s · {spoken.duration((total - done) / speed)} left"
        self._progress.show(done / total if total else 1.0, f"{line} · {what}")

    def note(self, sentence: str) -> None:
        """A line that stays."""
        self._progress.note(sentence)

    def _speed(self) -> float:
        """Bytes a second in the last seconds; 0 where that says nothing yet."""
        (then, before), (now, done) = self._seen[0], self._seen[-1]
        return (done - before) / (now - then) if now - then > 0.5 else 0.0
