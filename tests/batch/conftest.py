"""A folder for runs."""

from pathlib import Path

import pytest
from batch_world import World


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)
