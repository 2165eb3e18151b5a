"""What tests of workers have in common: requests, and calls that must not hang."""

import threading
from collections.abc import Callable
from typing import Any, TypeVar

import pytest
from fakes import ENDLESS, PROMPT, FakeModel, plain

from localspec.decoding.sequence import Piece, Request
from localspec.engine.worker import Stream, Worker

T = TypeVar("T")
PATIENCE = 60
"""Seconds after which something is taken to hang."""
FOREVER = Request(PROMPT, ENDLESS, speculation=2)  # would take about 100,000 tokens
SHORT = Request(PROMPT, ENDLESS, 12, speculation=2)


def within(call: Callable[[], T]) -> T:
    """What a call that must not hang returns or raises."""
    outcome: list[Any] = []

    def go() -> None:
        try:
            outcome.extend((call(), None))
        except BaseException as error:
            outcome.extend((None, error))

    thread = threading.Thread(target=go, daemon=True)
    thread.start()
    thread.join(PATIENCE)
    if not outcome:
        pytest.fail("it hangs")  # which no test can mistake for an error it expects
    if outcome[1]:
        raise outcome[1]
    result: T = outcome[0]
    return result


def read_all(stream: Stream) -> list[Piece]:
    return within(lambda: list(stream))


def read_some(stream: Stream, pieces: int = 5) -> None:
    def read() -> None:
        for _, _ in zip(range(pieces), stream, strict=False):
            pass

    within(read)


def check_it_serves(worker: Worker, target: FakeModel) -> None:
    stream = worker.stream(SHORT)
    assert within(lambda: [piece.token for piece in stream]) == plain(target, SHORT)[0]
