"""Servers with OpenAI's interface: vLLM, llama-server, `localspec serve`, whatever speaks it.

A request that fails for a reason of its own is a failed line. One that a server could not take care
of goes to the next; a line that nobody can take care of fails after a few attempts. When no server
is well for long, the run ends and keeps what it has: nobody wants a night's lines to fail because a
server was switched off.
"""

import asyncio
import json
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from contextlib import AsyncExitStack
from typing import Any, NamedTuple

from localspec.batch.backends.base import OK, Effort, Reply
from localspec.batch.backends.fleet import Fleet, Server
from localspec.batch.backends.order import neighbours
from localspec.batch.request import CHAT, COMPLETIONS, Body, Task
from localspec.errors import LocalspecError
from localspec.remote import Remote, RemoteError, UnreachableError

__all__ = ["PARALLEL", "Endpoints", "Settings"]

PARALLEL = 16
"""Requests a server gets at once, where nobody says otherwise."""

_ROOT = "/v1/"
_PAUSES = (2.0, 8.0, 32.0)  # seconds between attempts: they outlast a server that is shutting down
_BUSY = frozenset({429, 503, 529})
_STRANGERS = frozenset({401, 403})
_BAD_GATEWAY = 502
_REPEATING = {"repeat_penalty", "repetition_penalty"}  # llama-server's name, and vLLM's
_CUT_OFF = "abort"  # how vLLM ends answers when it is paused, with status 200


class Settings(NamedTuple):
    """Addresses of servers, and how many requests each of them gets at once."""

    urls: Sequence[str]
    parallel: int = PARALLEL
    api_key: str | None = None
    seconds: float = 600.0
    """The longest silence to bear in a request."""
    patience: float = 600.0
    """The longest time to bear in which no server is well."""


class Endpoints:
    """Answers with servers."""

    def __init__(self, settings: Settings, told: Callable[[str], None] = lambda _: None) -> None:
        """`told` hears what a person should know. Raises UsageError where an address is none."""
        self.parallel = settings.parallel * len(settings.urls)
        self._settings = settings
        self._told, self._silence_told = told, False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None

    def alone(self, effort: Effort) -> None:
        """See `Backend`."""

    def answers(self, tasks: Iterator[Task]) -> Iterator[Reply]:
        """See `Backend`."""
        with asyncio.Runner() as runner:
            self._loop = runner.get_loop()
            self._stop = asyncio.Event()
            replies = self._answers(tasks, self._stop)
            try:
                while reply := runner.run(_first(replies)):
                    yield reply
            finally:
                runner.run(_close(replies))

    def stop(self) -> None:
        """See `Backend`: requests that are under way are given up."""
        if self._loop and self._stop:
            self._loop.call_soon_threadsafe(self._stop.set)

    async def _answers(
        self, tasks: Iterator[Task], stop: asyncio.Event
    ) -> AsyncGenerator[Reply, None]:
        async with AsyncExitStack() as resources:
            fleet = Fleet([await self._server(url, resources) for url in self._settings.urls])
            stopping = asyncio.create_task(stop.wait())
            resources.callback(stopping.cancel)
            asking, waiting = set[asyncio.Task[Reply]](), neighbours(tasks)
            try:
                while not stop.is_set():
                    while len(asking) < self.parallel and (task := next(waiting, None)):
                        asking.add(asyncio.create_task(self._answer(task, fleet)))
                    if not asking:
                        return
                    await asyncio.wait({*asking, stopping}, return_when=asyncio.FIRST_COMPLETED)
                    for ended in [one for one in asking if one.done()]:
                        asking.remove(ended)
                        yield ended.result()
            finally:
                for unfinished in asking:
                    unfinished.cancel()
                await asyncio.gather(*asking, return_exceptions=True)

    async def _server(self, url: str, resources: AsyncExitStack) -> Server:
        """A server, asked for its model. Raises RemoteError where it will never answer us."""
        settings = self._settings
        remote = Remote(url, api_key=settings.api_key, seconds=settings.seconds)
        server = Server(await resources.enter_async_context(remote), settings.parallel)
        try:
            await _model(server)
        except RemoteError as error:
            if error.status in _STRANGERS or (error.status is None and not error.temporary):
                raise
        return server

    async def _answer(self, task: Task, fleet: Fleet) -> Reply:
        """The reply to a task, from whichever server. Raises LocalspecError where none is left."""
        pauses = iter(_PAUSES)
        while True:
            server, pause = await fleet.take(), 0.0
            try:
                body = await _ask(server, task)
                fleet.good(server)
                return Reply(task, OK, body, _effort(body))
            except RemoteError as error:
                if error.status in _STRANGERS:
                    raise
                if error.status is not None and not error.temporary:
                    fleet.good(server)
                    return _failure(task, error)
                fleet.bad(server, busy=error.status in _BUSY, wish=error.retry_after)
                if _is_own_fault(error):
                    left = next(pauses, None)
                    if left is None:
                        return _failure(task, error)
                    pause = left if error.temporary else 0.0
                self._check_patience(fleet, error)
            finally:
                fleet.leave(server)
            await asyncio.sleep(pause)

    def _check_patience(self, fleet: Fleet, error: RemoteError) -> None:
        nobody = fleet.silence > 0 and isinstance(error, UnreachableError)
        if nobody and not self._silence_told:
            self._told(f"{error} It is asked again until it answers; Ctrl-C gives up.")
            self._silence_told = True
        if fleet.silence > self._settings.patience:
            raise LocalspecError(
                f"No server has answered for {fleet.silence:.0f} s ({str(error).rstrip('.')}); "
                "what was answered is kept, so run the same command again when one does."
            ) from error


async def _first(replies: AsyncGenerator[Reply, None]) -> Reply | None:
    return await anext(replies, None)


async def _close(replies: AsyncGenerator[Reply, None]) -> None:
    await replies.aclose()


def _is_own_fault(error: RemoteError) -> bool:
    """Whether it may be the request that a server cannot cope with, not the server itself."""
    return error.status not in _BUSY and not isinstance(error, UnreachableError)


async def _ask(server: Server, task: Task) -> Body:
    body: Body = json.loads(task.body)
    if "model" not in body:
        body["model"] = await _model(server)
    for name in _REPEATING & body.keys():
        body |= dict.fromkeys(_REPEATING - body.keys(), body[name])
    answer = await server.remote.complete(body, task.url.removeprefix(_ROOT))
    if task.url in (CHAT, COMPLETIONS):
        _check(answer, server.remote.url)
    return answer


def _check(answer: Body, url: str) -> None:
    """Raises RemoteError where a server says it has answered and has not."""
    choices = answer.get("choices")
    if not isinstance(choices, list):
        raise RemoteError(f"{url} gave an answer without choices.")
    if any(isinstance(one, dict) and one.get("finish_reason") == _CUT_OFF for one in choices):
        raise RemoteError(f"{url} broke off in mid-answer.", temporary=True)


async def _model(server: Server) -> str:
    """The name of a server's first model, for lines that name none."""
    if server.model is None:
        names = await server.remote.models()
        server.model = names[0] if names else ""
    return server.model


def _effort(body: Body) -> Effort:
    usage, timings = body.get("usage"), body.get("timings")
    return Effort(
        _count(usage, "prompt_tokens"),
        _count(usage, "completion_tokens"),
        _count(timings, "draft_n"),
        _count(timings, "draft_n_accepted"),
    )


def _count(counts: Any, name: str) -> int:
    value = counts.get(name) if isinstance(counts, dict) else None
    return value if isinstance(value, int) else 0


def _failure(task: Task, error: RemoteError) -> Reply:
    """For people a sentence that names the server; for programs, what the server says itself."""
    about: Body = {"type": "server_error", "param": None, "code": None}
    about |= {name: error.about[name] for name in about if name in error.about}
    return Reply(task, error.status or _BAD_GATEWAY, {"error": {"message": str(error), **about}})
