"""Hanging up on clients that keep the server waiting, so that nobody holds what others need.

A client has to send its request, and to read its answer. While it is the server's turn to compute,
nobody is in a hurry. Once a client has hung up, or was hung up on, its answer ends within a step.
"""

from collections.abc import Hashable, Iterable
from typing import Any

__all__ = ["PATIENCE_SECONDS", "Patience"]

PATIENCE_SECONDS = 30.0
"""For the head of a request, for its body, and between any two portions of an answer."""


class Patience:
    """Remembers since when each connection is waited for."""

    def __init__(self, seconds: float = PATIENCE_SECONDS) -> None:
        self._seconds = seconds
        self._waiting: dict[Any, tuple[Hashable, float]] = {}

    def look(self, connections: Iterable[Any], now: float) -> None:
        """Hang up on those of uvicorn's connections for which it took too long, at time `now`."""
        before, self._waiting = self._waiting, {}
        for connection in list(connections):
            awaited = _awaited(connection)
            if awaited is None:
                continue
            known, since = before.get(connection, (None, now))
            if known != awaited:
                since = now
            if now - since < self._seconds:
                self._waiting[connection] = awaited, since
            else:
                connection.transport.abort()


def _awaited(connection: Any) -> Hashable:
    """What the client has yet to do, something else with every step of it; None for nothing."""
    cycle, unread = connection.cycle, connection.transport.get_write_buffer_size()
    if connection.flow.write_paused or (unread and cycle and cycle.response_complete):
        return "read", unread
    if cycle is None or cycle.response_complete:
        return "ask", cycle
    return ("send the body of", cycle) if cycle.more_body else None
