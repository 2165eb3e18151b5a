"""Servers in a thread, around models that do as they are told, and what is asked of them."""

import asyncio
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any, cast

import httpx2
from fakes import ENDLESS, FakeModel, engine

from localspec import LLM
from localspec.conversation.thinking import Thinking
from localspec.decoding.sequence import Request
from localspec.engine.worker import Stream, Worker
from localspec.governor.costs import Costs
from localspec.governor.governor import Governor
from localspec.loading import Loading
from localspec.serve.app import application
from localspec.serve.patience import PATIENCE_SECONDS
from localspec.serve.resident import Resident
from localspec.serve.run import bound
from localspec.serve.server import Server
from localspec.serve.settings import Settings

PATIENCE = 60
"""Seconds after which something is taken to hang."""
_LOCAL: Any = {"timeout": PATIENCE, "verify": False, "trust_env": False}
get, post, request = (partial(call, **_LOCAL) for call in (httpx2.get, httpx2.post, httpx2.request))
stream = partial(httpx2.stream, **_LOCAL)
MESSAGES = [{"role": "user", "content": "Hello"}]
ASK = {"messages": MESSAGES, "max_tokens": 5}


def ask(url: str, body: dict[str, Any], path: str = "/v1/chat/completions") -> httpx2.Response:
    return post(url + path, json=body)


def client(url: str) -> socket.socket:
    """A connection for clients that do as they please."""
    host, port = url.removeprefix("http://").split(":")
    return socket.create_connection((host, int(port)), PATIENCE)


def until(true: Callable[[], object]) -> None:
    end = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < end, "it never comes"
        time.sleep(0.002)


class FakeLLM:
    """Answers any prompt with as many letters as are asked for, at the pace of `gate`."""

    notes = ()

    def __init__(self, parallel: int = 2, waiting: int | None = None) -> None:
        self.context_length = 100_000
        self.target = FakeModel(length=self.context_length, sequences=parallel)
        self.governor = Governor(Costs(8))
        self.thinking: Thinking | None = None
        self.gate: Callable[[], object] = lambda: None
        decode = self.target.decode

        def slowed(*given: Any) -> Any:
            self.gate()
            return decode(*given)

        self.target.decode = slowed  # type: ignore[method-assign]
        made = engine(self.target)
        most = None if waiting is None else parallel + waiting
        self.worker = Worker(lambda resources: made, most)

    def streams(
        self, prompts: list[object], n: int, told: Callable[[bool], None], **options: Any
    ) -> list[Stream]:
        thinking = None if options.get("raw") else self.thinking
        request = Request(
            [3, 1, 4], ENDLESS, options.get("max_tokens"), client=options["client"],
            logprobs=options.get("logprobs"), thinking=thinking,
        )  # fmt: skip
        return self.worker.streams([request] * (len(prompts) * n), told)

    @property
    def running(self) -> int:
        return self.worker.running

    @property
    def unfinished(self) -> int:
        return self.worker.unfinished

    def close(self) -> None:
        self.worker.close()


@contextmanager
def serving(
    load: Callable[[], Any],
    patience: float = PATIENCE_SECONDS,
    loading: Loading = Loading(),
    **settings: Any,
) -> Iterator[str]:
    """A server on a port of its own, as long as the block lasts; its address."""
    chosen = Settings(loading, port=0, **settings)
    resident = Resident(cast("Callable[[], LLM]", load), chosen.keep_alive)
    server = Server(application(chosen, resident), patience=patience)
    sock, started = bound(chosen), threading.Event()

    async def run() -> None:
        task = asyncio.ensure_future(server.serve(sockets=[sock]))
        while not server.started and not task.done():
            await asyncio.sleep(0.005)
        started.set()
        await task

    thread = threading.Thread(target=lambda: asyncio.run(run()), daemon=True)
    thread.start()
    assert started.wait(PATIENCE)
    port = sock.getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join(PATIENCE)
        assert not thread.is_alive()


class Kept:
    """A model that outlives the servers that lend it."""

    def __init__(self, llm: LLM) -> None:
        self._llm = llm

    def __getattr__(self, name: str) -> Any:
        return getattr(self._llm, name)

    def close(self) -> None:
        pass
