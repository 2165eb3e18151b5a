"""The engine of this process: many sequences at once, and always one more waiting for each."""

import queue
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from localspec.batch.backends.asking import Asking, refused
from localspec.batch.backends.base import Effort, Reply
from localspec.batch.backends.order import neighbours
from localspec.batch.backends.width import LARGEST, free_memory, room, widest
from localspec.batch.request import Task
from localspec.errors import ModelError, UsageError
from localspec.governor.policy import Step
from localspec.loading import Loading
from localspec.models import resolve
from localspec.runtime import LLM
from localspec.wire.errors import Refusal

__all__ = ["Local", "Settings", "opened"]

_SOME = 16  # rows; fewer take longer, row by row
_POLL_SECONDS = 0.2  # how long Ctrl-C may take where a blocked queue cannot be interrupted


class Local:
    """Answers with `llm`, `parallel` tasks at once."""

    def __init__(self, llm: LLM, parallel: int) -> None:
        self.parallel = parallel
        self._llm = llm
        self._ended: queue.SimpleQueue[Asking | None] = queue.SimpleQueue()
        self._asking: set[Asking] = set()
        self._stopped = False
        self._rows, self._reading = 0, 0.0  # of steps that read, and the seconds these took
        llm.listen(self._measure)

    def alone(self, effort: Effort) -> float | None:
        """See `Backend`. Prompts count as they were read here."""
        plain = self._llm.governor.plain_rate()
        row = self._reading / self._rows if self._rows else 0.0
        return effort.completion / plain + effort.read * row if plain else None

    def answers(self, tasks: Iterator[Task]) -> Iterator[Reply]:
        """See `Backend`. Tasks that begin alike are answered together."""
        waiting = neighbours(tasks)
        while True:
            yield from self._fill(waiting)
            if not self._asking:
                return
            reply = self._next()
            if reply:
                yield reply

    def stop(self) -> None:
        """See `Backend`: the step that is being taken is finished, and no other begun."""
        self._stopped = True
        self._ended.put(None)

    def _measure(self, step: Step) -> None:
        if step.prefilling and step.rows >= _SOME:
            self._rows += step.rows
            self._reading += step.target_seconds

    def _fill(self, waiting: Iterator[Task]) -> Iterator[Reply]:
        """Give the engine work for now and for what follows; replies to what makes no sense."""
        while not self._stopped and len(self._asking) < 2 * self.parallel:
            task = next(waiting, None)
            if task is None:
                return
            try:
                self._asking.add(Asking(self._llm, task, self._ended.put))
            except (Refusal, UsageError, ModelError) as error:  # the last from chat templates
                yield refused(task, error)

    def _next(self) -> Reply | None:
        """Wait until something ends; a reply where it is an answer."""
        try:
            asking = self._ended.get(timeout=_POLL_SECONDS)
        except queue.Empty:
            return None
        if asking is None:
            for unfinished in self._asking:
                unfinished.cancel()
        elif asking in self._asking:
            self._asking.remove(asking)
            return asking.reply()
        return None


class Settings(NamedTuple):
    """Which model answers, and how many tasks at once; None: as many as it is quick with."""

    loading: Loading
    parallel: int | None = None

    @property
    def target(self) -> Path:
        """The file of the model."""
        return resolve(str(self.loading.model), str(self.loading.draft))[0]


@contextmanager
def opened(
    settings: Settings, tasks: int, told: Callable[[str], None], context: int | None = None
) -> Iterator[Local]:
    """The backend for so many tasks, loaded. `told` hears what a person should know.

    `context` is the most tokens a task can take, where that is known. Raises ModelError and
    UsageError as loading does.
    """
    target, loading = settings.target, settings.loading
    length = loading.context or loading.length(context)
    most = min(settings.parallel or LARGEST, tasks)
    if not settings.parallel and target.is_file():
        most = min(most, room(target, length, free_memory()))
    with LLM(replace(loading, context=length, parallel=most)) as llm:
        for note in llm.notes:
            told(note)
        width = most if settings.parallel else widest(llm.governor.plain_rate, most)
        llm.limit(width)
        yield Local(llm, width)
