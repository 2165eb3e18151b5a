"""Responses that end when the client goes away: server-sent events, and JSON that takes its time.

Where nothing comes for some seconds an event stream sends a comment, so that proxies and
impatient clients do not give up during a long prefill.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable
from contextlib import AsyncExitStack
from typing import Any, TypeVar

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

__all__ = ["COMMENT", "EventStream", "Gone", "event", "unless_gone"]

T = TypeVar("T")

KEEP_ALIVE_SECONDS = 5.0
COMMENT = b": still here\n\n"


class Gone(Exception):
    """The client has hung up; nobody waits for a response."""


def event(data: Any, name: str | None = None) -> bytes:
    """A server-sent event with JSON."""
    head = b"" if name is None else b"event: " + name.encode() + b"\n"
    return head + b"data: " + msgspec.json.encode(data) + b"\n\n"


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def unless_gone(request: Request, work: Awaitable[T]) -> T:
    """What `work` comes to; it is cancelled and Gone is raised where the client hangs up."""
    task = asyncio.ensure_future(work)
    gone = asyncio.ensure_future(_disconnected(request.receive))
    try:
        await asyncio.wait({task, gone}, return_when=asyncio.FIRST_COMPLETED)
        if not task.done():
            raise Gone
        return task.result()
    finally:
        for job in (task, gone):
            job.cancel()
        await asyncio.gather(task, gone, return_exceptions=True)


class EventStream(Response):
    """Sends what `events` yields for as long as somebody listens; then `held` is let go."""

    media_type = "text/event-stream"

    def __init__(
        self,
        events: AsyncIterator[bytes],
        held: AsyncExitStack,
        *,
        comment: bytes = COMMENT,
    ) -> None:
        super().__init__(headers={"cache-control": "no-cache", "x-accel-buffering": "no"})
        del self.headers["content-length"]
        self._events, self._held = events, held
        self._comment = comment
        self._sent = 0  # events

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send events until they end or the client is gone."""
        sending = asyncio.ensure_future(self._send(send))
        gone = asyncio.ensure_future(_disconnected(receive))
        try:
            await asyncio.wait({sending, gone}, return_when=asyncio.FIRST_COMPLETED)
            if sending.done():
                sending.result()
        finally:
            for task in (sending, gone):
                task.cancel()
            await asyncio.gather(sending, gone, return_exceptions=True)
            await self._held.aclose()

    async def _send(self, send: Send) -> None:
        await send(
            {
                "type": "http.response.start",
                "status": self.status_code,
                "headers": self.raw_headers,
            }
        )
        alive = asyncio.ensure_future(self._stay_alive(send))
        try:
            async for data in self._events:
                self._sent += 1
                await send({"type": "http.response.body", "body": data, "more_body": True})
        finally:
            alive.cancel()
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _stay_alive(self, send: Send) -> None:
        """Say something wherever nothing was said for a while; events need no timers for it."""
        while True:
            before = self._sent
            await asyncio.sleep(KEEP_ALIVE_SECONDS)
            if self._sent == before:
                message = {"type": "http.response.body", "body": self._comment, "more_body": True}
                await send(message)
