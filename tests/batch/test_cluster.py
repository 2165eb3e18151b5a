"""A real Ray cluster of two nodes on this computer, one of whose workers is killed in mid-run."""

import os
import signal
from collections.abc import Iterator
from contextlib import AbstractContextManager, closing
from pathlib import Path

import psutil
import pytest
from batch_world import Watching, World

from localspec import models
from localspec.batch.backends import local
from localspec.batch.backends.base import Backend, Reply
from localspec.batch.plan import Counts, Plan
from localspec.batch.request import Recipe
from localspec.batch.run import Work, run
from localspec.loading import Loading
from localspec.models.fingerprint import fingerprint

ray = pytest.importorskip("ray")
pytest.importorskip("ray.data")

pytestmark = [
    pytest.mark.skipif(os.name == "nt", reason="workers are killed otherwise there"),
    pytest.mark.filterwarnings("default"),  # Ray's own are not ours to mend
]

MODEL = local.Settings(Loading(), 4)
LINES = [{"custom_id": f"a{n}", "prompt": f"How do I list {n} files by size?"} for n in range(48)]


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    from ray.cluster_utils import Cluster

    root = str(Path(__file__).parents[2])
    # An empty part would stand for whatever folder a process is in.
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [root, os.getenv("PYTHONPATH")]))
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    cluster = Cluster()
    for _ in range(2):
        cluster.add_node(num_cpus=1, object_store_memory=100 << 20, include_dashboard=False)
    yield cluster.address
    cluster.shutdown()


def recipe() -> Recipe:
    target, _ = models.resolve("shell")
    return Recipe(fingerprint(target), defaults={"max_tokens": 16})


def workers() -> list[int]:
    """Processes in which a model answers."""
    return [
        process.pid
        for process in psutil.process_iter(["cmdline"])
        if "ray::" in " ".join(process.info["cmdline"] or ())
        and "MapBatches" in " ".join(process.info["cmdline"] or ())
    ]


def test_the_same_bytes_as_on_this_computer_though_a_worker_dies(
    address: str, tmp_path: Path
) -> None:
    from localspec.batch.backends.cluster import Cluster

    world = World(tmp_path)
    world.write(*LINES)

    def here(plan: Plan) -> AbstractContextManager[Backend]:
        return local.opened(MODEL, len(LINES), print)

    def there(plan: Plan) -> AbstractContextManager[Backend]:
        return closing(Cluster(address, MODEL, len(LINES)))

    run(Work(str(world.source), world.output, recipe()), here, Watching())
    expected = world.output.read_bytes()
    world.output.unlink()

    killed = list[int]()

    def kill(reply: Reply) -> None:
        if not killed:
            killed.append(workers()[0])  # whether or not Ray has begun the other by now
            os.kill(killed[0], signal.SIGKILL)

    watching = Watching(kill)
    outcome = run(Work(str(world.source), world.output, recipe()), there, watching)
    assert outcome.counts == Counts(len(LINES), len(LINES), 0)
    assert killed
    assert watching.replies == len(LINES)
    assert watching.effort.completion > 0
    assert world.output.read_bytes() == expected
