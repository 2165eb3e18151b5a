"""Where chats are kept, while a test lasts."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from localspec.tui.store import Store


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "chats.db"


@pytest.fixture
def store(path: Path) -> Iterator[Store]:
    with Store(path) as store:
        yield store
