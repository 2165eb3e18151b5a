"""A worker with a fake model, which is closed with the test that had it."""

from collections.abc import Iterator

import pytest
from fakes import FakeModel, OracleDrafter, engine, working
from workers import within

from localspec.engine.worker import Worker


@pytest.fixture
def target() -> FakeModel:
    return FakeModel(length=100_000, sequences=2)


@pytest.fixture
def worker(target: FakeModel) -> Iterator[Worker]:
    worker = working(engine(target, [OracleDrafter(target, lie=1)]))
    yield worker
    within(worker.close)
