"""A Ray cluster: one engine a worker, one worker a GPU, or a node where there are none.

Tasks travel in blocks of a Ray Data set through `map_batches`. Ray gives blocks to whoever is free,
starts a worker that died anew, and has its block answered again. Tasks carry their seeds, and every
worker checks that it has the same model, so it makes no difference who answers what.
"""

import json
import logging
import queue
import threading
from collections.abc import Iterator
from itertools import islice
from typing import Any, NamedTuple

from localspec.batch.backends.base import Effort, Reply
from localspec.batch.backends.local import Settings as Model
from localspec.batch.backends.local import opened
from localspec.batch.backends.order import neighbours
from localspec.batch.request import Task
from localspec.errors import LocalspecError, ModelError, UsageError
from localspec.models.fingerprint import fingerprint

try:
    import pyarrow
    import ray
    import ray.data
except ImportError:
    raise UsageError("--ray needs Ray; install it with pip install 'localspec[ray]'.") from None

__all__ = ["Cluster"]

_BLOCKS_A_WORKER = 8  # at least, so that all end at about the same time
_SMALLEST_BLOCK, _LARGEST_BLOCK = 8, 256  # tasks
_POLL_SECONDS = 0.2
_ASIDE = ("url", "body", "fault")  # what a reply need not bring back


class Room(NamedTuple):
    """How many workers a cluster has room for, and what each may use of it."""

    workers: int
    cpus: float
    gpus: float


class Cluster:
    """Answers with the workers of the cluster at `address`; see `ray.init` for addresses.

    `tasks` is how many there will be.
    """

    def __init__(self, address: str, model: Model, tasks: int) -> None:
        """Join the cluster. Raises LocalspecError where there is none."""
        try:
            ray.init(address, log_to_driver=False, logging_level=logging.ERROR)
        except (ConnectionError, RuntimeError, ValueError) as error:
            raise LocalspecError(f"There is no Ray cluster at {address}: {error}.") from error
        _be_quiet()
        self._model, self._room = model, _room(ray.nodes())
        block = tasks // (self._room.workers * _BLOCKS_A_WORKER)
        self._block = min(max(block, _SMALLEST_BLOCK), _LARGEST_BLOCK)
        self.parallel = self._room.workers * self._block
        self._stopped = threading.Event()

    def alone(self, effort: Effort) -> None:
        """See `Backend`."""

    def answers(self, tasks: Iterator[Task]) -> Iterator[Reply]:
        """See `Backend`. All tasks go to the cluster's store at once, which keeps them on disk."""
        blocks = list(_blocks(neighbours(tasks), self._block))
        arrived: queue.SimpleQueue[object] = queue.SimpleQueue()
        threading.Thread(target=self._work, args=(blocks, arrived), daemon=True).start()
        while not self._stopped.is_set():
            try:
                table = arrived.get(timeout=_POLL_SECONDS)
            except queue.Empty:
                continue
            if table is None:
                return
            if isinstance(table, Exception):
                raise _complaint(table) from table
            yield from _replies(table)

    def stop(self) -> None:
        """See `Backend`: blocks that are under way are given up."""
        self._stopped.set()

    def close(self) -> None:
        """Leave the cluster; what it still does for us ends."""
        ray.shutdown()

    def _work(self, blocks: list[Any], arrived: "queue.SimpleQueue[object]") -> None:
        model, room = self._model, self._room
        data = ray.data.from_arrow_refs(blocks).map_batches(
            Answerer,
            fn_constructor_args=(model, fingerprint(model.target), self._block),
            batch_size=None,
            batch_format="pyarrow",
            concurrency=(1, room.workers),
            num_cpus=room.cpus,
            num_gpus=room.gpus,
        )
        try:
            for table in data.iter_batches(batch_size=None, batch_format="pyarrow"):
                arrived.put(table)
            arrived.put(None)
        except Exception as error:  # for the thread that waits
            arrived.put(error)


class Answerer:
    """A worker: a model, loaded once, that answers block after block."""

    def __init__(self, model: Model, expected: str, tasks: int) -> None:
        """Raises ModelError where the model's file is another one here."""
        target = model.target
        if fingerprint(target) != expected:
            raise ModelError(f"{target} is another file on a worker than where the run was begun.")
        self._opening = opened(model, tasks, lambda note: None)
        self._local = self._opening.__enter__()

    def __call__(self, block: Any) -> Any:
        """The replies to a block of tasks, both as tables."""
        tasks = (Task(**row) for row in block.to_pylist())
        replies = self._local.answers(tasks)
        return pyarrow.Table.from_pylist([_row(reply) for reply in replies])


def _room(nodes: list[dict[str, Any]]) -> Room:
    """Room in the nodes, as `ray.nodes` tells of them."""
    resources = [node["Resources"] for node in nodes if node["Alive"]]
    gpus = sum(int(found.get("GPU", 0)) for found in resources)
    cpus = [found["CPU"] for found in resources if found.get("CPU", 0) >= 1]
    if gpus:
        return Room(gpus, 1, 1)
    if not cpus:
        raise LocalspecError("The Ray cluster has no processors to work with; add nodes to it.")
    return Room(len(cpus), min(cpus), 0)


def _blocks(tasks: Iterator[Task], size: int) -> Iterator[Any]:
    while block := list(islice(tasks, size)):
        yield ray.put(pyarrow.Table.from_pylist([task._asdict() for task in block]))


def _row(reply: Reply) -> dict[str, Any]:
    task = {name: value for name, value in reply.task._asdict().items() if name not in _ASIDE}
    reply_body = json.dumps(reply.body)
    return {**task, "status": reply.status, "reply": reply_body, **reply.effort._asdict()}


def _replies(table: Any) -> Iterator[Reply]:
    for row in table.to_pylist():
        task = Task(row["number"], row["name"], row["identity"])
        effort = Effort(*(row[name] for name in Effort._fields))
        yield Reply(task, row["status"], json.loads(row["reply"]), effort)


def _be_quiet() -> None:
    """There is one progress line, and it is not Ray's."""
    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = False
    context.print_on_execution_start = False
    logging.getLogger("ray.data").setLevel(logging.ERROR)


def _complaint(error: Exception) -> LocalspecError:
    """What went wrong at a worker, in its own words where they are ours."""
    cause: BaseException | None = error
    while cause:
        if isinstance(cause, LocalspecError):
            return cause
        cause = getattr(cause, "cause", None) or cause.__cause__
    first = str(error).strip().splitlines()[-1:] or [type(error).__name__]
    return LocalspecError(f"The Ray cluster could not go on: {first[0]}.")
