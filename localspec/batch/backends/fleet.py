"""Servers that share work: which of them to ask next, and which to leave alone for a while.

The least loaded comes first. One that fails rests, longer each time, and is then tried with a
single request; one that says it has too much to do gets half as much, and a little more with every
answer. No network in here, only bookkeeping.
"""

import asyncio
import random
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from localspec.remote import Remote

__all__ = ["Fleet", "Server"]

_FIRST_REST, _LONGEST_REST, _LONGEST_WISH = 0.5, 30.0, 300.0  # seconds


@dataclass(eq=False)
class Server:
    """One server: what it is doing, what it can do, and how it has been lately."""

    remote: Remote
    most: int
    model: str | None = None
    """The name of its model, once it was asked for it."""
    limit: float = 0.0
    in_flight: int = 0
    failures: int = 0
    rests_until: float = 0.0

    def __post_init__(self) -> None:
        self.limit = float(self.most)

    @property
    def room(self) -> int:
        """Requests it can take now."""
        return (1 if self.failures else int(self.limit)) - self.in_flight

    @property
    def load(self) -> float:
        """How busy it is: 1 is as busy as it should be."""
        return self.in_flight / self.limit


class Fleet:
    """All servers. For one event loop; `clock` gives seconds."""

    def __init__(self, servers: list[Server], clock: Callable[[], float] = time.monotonic) -> None:
        self.servers = servers
        self._clock = clock
        self._changed = asyncio.Event()
        self._last_good = clock()

    @property
    def silence(self) -> float:
        """Seconds for which nothing good came from any server; 0 while one of them is well."""
        if all(server.failures for server in self.servers):
            return self._clock() - self._last_good
        return 0.0

    async def take(self) -> Server:
        """The server to ask, which is busier by one from now on; waits until there is one."""
        while True:
            now = self._clock()
            able = [s for s in self.servers if s.rests_until <= now and s.room > 0]
            if able:
                server = min(able, key=lambda s: s.load)
                server.in_flight += 1
                return server
            rests = [s.rests_until - now for s in self.servers if s.rests_until > now]
            self._changed.clear()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._changed.wait(), min(rests, default=None))

    def leave(self, server: Server) -> None:
        """A request to `server` is over, in whatever way."""
        server.in_flight -= 1
        self._changed.set()

    def good(self, server: Server) -> None:
        """It answered."""
        server.failures = 0
        server.limit = min(server.most, server.limit + 1 / server.limit)
        self._last_good = self._clock()

    def bad(self, server: Server, *, busy: bool, wish: float | None) -> None:
        """It failed, or is too `busy`; it may `wish` to be left alone for so many seconds."""
        now, rest = self._clock(), 0.0
        if server.rests_until <= now:  # else it was under way when others failed, and is no news
            if busy:
                server.limit = max(1.0, server.limit / 2)
            rest = min(_LONGEST_REST, _FIRST_REST * 2**server.failures) * random.uniform(0.5, 1)
            server.failures += 1
        rest = max(rest, min(wish or 0.0, _LONGEST_WISH))
        server.rests_until = max(server.rests_until, now + rest)
