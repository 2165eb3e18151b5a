"""Tasks that begin alike, one after another: what they share is then read once.

Only a window of tasks is put in order at a time, so that memory stays bounded and the output can be
written in order of the input without waiting for the end of the file.
"""

import json
from collections.abc import Iterable, Iterator

from localspec.batch.request import Task

__all__ = ["neighbours"]

_WINDOW = 512  # tasks
_WINDOW_CHARACTERS = 8 << 20


def neighbours(tasks: Iterable[Task]) -> Iterator[Task]:
    """The same tasks, those of a window sorted by what the model reads."""
    window: list[tuple[str, Task]] = []
    characters = 0
    for task in tasks:
        window.append((_text(task), task))
        characters += len(task.body)
        if len(window) == _WINDOW or characters > _WINDOW_CHARACTERS:
            yield from _sorted(window)
            window, characters = [], 0
    yield from _sorted(window)


def _sorted(window: list[tuple[str, Task]]) -> Iterator[Task]:
    return (task for _, task in sorted(window, key=lambda entry: entry[0]))


def _text(task: Task) -> str:
    body = json.loads(task.body)
    return json.dumps(body.get("messages", body.get("prompt")))
