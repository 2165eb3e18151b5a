"""How long a client may take, by a clock of our own; tests/serve/test_http.py has real ones."""

from types import SimpleNamespace as Facts
from typing import Any

import pytest

from localspec.serve.patience import Patience

SENDING = Facts(more_body=True, response_complete=False)
COMPUTING = Facts(more_body=False, response_complete=False)
ANSWERED = Facts(more_body=False, response_complete=True)


class Connection:
    """What uvicorn knows of a client."""

    def __init__(self, cycle: Any = None, unread: int = 0, *, paused: bool = False) -> None:
        self.cycle, self.unread = cycle, unread
        self.flow = Facts(write_paused=paused)
        self.transport = self
        self.open = True

    def get_write_buffer_size(self) -> int:
        return self.unread

    def abort(self) -> None:
        self.open = False


@pytest.mark.parametrize(
    "connection",
    [
        Connection(),
        Connection(SENDING),
        Connection(ANSWERED),
        Connection(ANSWERED, unread=10),
        Connection(COMPUTING, unread=70_000, paused=True),
    ],
    ids=["asks nothing", "sends half", "asks no more", "reads no end", "reads nothing"],
)
def test_whoever_is_waited_for_too_long_is_hung_up_on(connection: Connection) -> None:
    patience = Patience(30)
    for now in (100.0, 115.0, 129.0):
        patience.look([connection], now)
        assert connection.open
    patience.look([connection], 130.0)
    assert not connection.open


def test_computing_may_take_as_long_as_it_takes() -> None:
    patience, connection = Patience(30), Connection(COMPUTING, unread=100)
    for now in range(0, 10_000, 20):
        patience.look([connection], now)
    assert connection.open


def test_a_slow_reader_that_reads_is_waited_for() -> None:
    patience, connection = Patience(30), Connection(ANSWERED, unread=10_000)
    for now in range(0, 10_000, 20):
        connection.unread -= 1
        patience.look([connection], now)
    assert connection.open


def test_with_each_request_patience_begins_anew() -> None:
    patience, connection = Patience(30), Connection()
    for now, cycle in ((0, SENDING), (29, COMPUTING), (40, ANSWERED), (69, COMPUTING)):
        connection.cycle = cycle
        patience.look([connection], now)
    assert connection.open
