"""A backend that answers from a script, and a run with it: in this process, or in one to be killed.

python batch_world.py IN             answers IN, a task a millisecond
python batch_world.py IN --held      says when it has begun, and waits until its input ends
"""

import hashlib
import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from itertools import islice
from pathlib import Path
from typing import Any

from localspec.batch.backends.base import Backend, Effort, Reply
from localspec.batch.plan import Counts, Plan
from localspec.batch.request import Recipe, Task
from localspec.batch.run import Outcome, Work, run

RECIPE = Recipe("model")
WINDOW = 5


class Scripted:
    """Answers in windows, each backwards, what only the body of a task decides."""

    parallel = WINDOW

    def __init__(self, seconds: float = 0.0, on_task: Callable[[Task], None] | None = None) -> None:
        self.asked: list[int] = []
        self._seconds, self._on_task = seconds, on_task
        self._stopped = False

    def answers(self, tasks: Iterator[Task]) -> Iterator[Reply]:
        while not self._stopped and (window := list(islice(tasks, WINDOW))):
            for task in reversed(window):
                self.asked.append(task.number)
                if self._on_task:
                    self._on_task(task)
                time.sleep(self._seconds)
                yield reply(task)
                if self._stopped:
                    return

    def alone(self, effort: Effort) -> float:
        return effort.completion / 10

    def stop(self) -> None:
        self._stopped = True


def reply(task: Task) -> Reply:
    body: Any = json.loads(task.body)
    if "fail" in task.body and not body.get("mended"):
        return Reply(task, 500, {"error": {"message": "told to fail"}})
    text = hashlib.sha256(task.body.encode()).hexdigest() * 3
    return Reply(task, 200, {"text": f"{text}\u2028é"}, Effort(3, 5))


class Watching:
    """Remembers what a run tells."""

    def __init__(self, on_reply: Callable[[Reply], None] = lambda reply: None) -> None:
        self.notes: list[str] = []
        self.counts: list[Counts] = []
        self.replies = 0
        self.effort = Effort()
        self._on_reply = on_reply

    def note(self, sentence: str) -> None:
        self.notes.append(sentence)

    def reading(self, lines: int) -> None:
        pass

    def started(self, counts: Counts) -> None:
        self.counts.append(counts)

    def answering(self, backend: Backend) -> None:
        pass

    def answered(self, reply: Reply) -> None:
        self.replies += 1
        self.effort = Effort(*map(sum, zip(self.effort, reply.effort, strict=True)))
        self._on_reply(reply)


class World:
    """A folder with an input and an output, and runs over them."""

    def __init__(self, folder: Path) -> None:
        self.source, self.output = folder / "in.jsonl", folder / "out.jsonl"
        self.journal = folder / "out.jsonl.journal"
        self.folder = folder

    def write(self, *lines: object) -> None:
        texts = [line if isinstance(line, str) else json.dumps(line) for line in lines]
        self.source.write_text("\n".join(texts) + "\n")

    def run(
        self,
        backend: Backend | None = None,
        watching: Watching | None = None,
        recipe: Recipe = RECIPE,
        **options: bool,
    ) -> Outcome:
        chosen = backend or Scripted()

        def opening(plan: Plan) -> AbstractContextManager[Backend]:
            return nullcontext(chosen)

        work = Work(str(self.source), self.output, recipe, **options)
        return run(work, opening, watching or Watching())

    def whole(self) -> bytes:
        """The output of an undisturbed run, which leaves nothing else behind."""
        self.run()
        assert {path.name for path in self.folder.iterdir()} == {"in.jsonl", "out.jsonl"}
        return self.output.read_bytes()

    def answers(self) -> list[Any]:
        return [json.loads(line) for line in self.output.read_bytes().split(b"\n")[:-1]]


def lines(count: int) -> list[dict[str, str]]:
    return [
        {"custom_id": f"a{n}", "prompt": f"question {n} of a longer kind"} for n in range(count)
    ]


if __name__ == "__main__":
    world = World(Path(sys.argv[1]).parent)

    def hold(task: Task) -> None:
        if task.number == WINDOW:  # the first to be answered
            print("begun", flush=True)
            sys.stdin.read()

    world.run(Scripted(on_task=hold) if "--held" in sys.argv else Scripted(0.001))
