"""One server with the shell pair for all tests of this folder."""

from collections.abc import Iterator

import httpx2
import pytest
from servers import PATIENCE, Kept, serving

import localspec
from localspec import LLM


@pytest.fixture(scope="session")
def shell() -> Iterator[LLM]:
    with localspec.load("shell", parallel=4, waiting=64) as llm:
        yield llm


@pytest.fixture(scope="session")
def url(shell: LLM) -> Iterator[str]:
    with serving(lambda: Kept(shell)) as url:
        yield url


@pytest.fixture
def http(url: str) -> Iterator[httpx2.Client]:
    with httpx2.Client(base_url=url, timeout=PATIENCE) as client:
        yield client
