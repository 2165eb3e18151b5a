"""One server with the shell pair for all tests of this folder, and one with a fake for each."""

from collections.abc import Iterator

import httpx2
import pytest
from servers import PATIENCE, FakeLLM, Kept, serving

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


@pytest.fixture
def llm() -> FakeLLM:
    return FakeLLM(parallel=2, waiting=2)


@pytest.fixture
def fake_url(llm: FakeLLM) -> Iterator[str]:
    with serving(lambda: llm) as url:
        yield url
