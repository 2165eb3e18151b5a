"""The application: every endpoint, and the way of a request through the rooms."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from typing import Any, TypeAlias

import msgspec
import numpy as np
import numpy.typing as npt
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from localspec.conversation.prompts import Prompt
from localspec.errors import BusyError, LocalspecError
from localspec.runtime import LLM
from localspec.serve import messages
from localspec.serve.answering import Answering, Bell
from localspec.serve.events import EventStream, Gone, unless_gone
from localspec.serve.guard import Guard, refused
from localspec.serve.metrics import Metrics
from localspec.serve.openapi import description
from localspec.serve.props import props
from localspec.serve.resident import Resident
from localspec.serve.settings import Settings
from localspec.serve.shapes import SHAPES, Shape
from localspec.wire import embedding
from localspec.wire.errors import Refusal, refusal

__all__ = ["application"]

log = logging.getLogger(__name__)

_BASE = (
    "The base URL of programs made for OpenAI ends in /v1, that of programs made for Anthropic "
    "does not; Ollama's interface is not spoken here."
)

Vector: TypeAlias = npt.NDArray[np.float32]
Endpoint: TypeAlias = Callable[[Request], Awaitable[Response]]


def application(settings: Settings, resident: Resident) -> Starlette:
    """The server as an ASGI application around a model."""
    server = _Server(settings, resident)
    middleware = [Middleware(Guard, settings=settings)]
    if settings.origins:
        middleware.append(
            Middleware(
                CORSMiddleware,
                allow_origins=list(settings.origins),
                allow_methods=["GET", "POST"],
                allow_headers=["*"],
            )
        )
    return Starlette(
        routes=server.routes(),
        middleware=middleware,
        exception_handlers={
            Exception: _failed,
            LocalspecError: _failed,
            HTTPException: _no_such_place,
            Gone: _gone,
            ClientDisconnect: _gone,
        },
        lifespan=server.lifespan,
    )


class _Server:
    """Endpoints around one resident model."""

    def __init__(self, settings: Settings, resident: Resident) -> None:
        self._settings, self._resident = settings, resident
        self._name = settings.model_name
        self._started = int(time.time())
        self._bell = Bell()
        self._most = settings.loading.most
        self._inside = 0
        self._metrics = Metrics(self._name, lambda: resident.llm)

    def routes(self) -> list[Route]:
        gets: dict[str, Endpoint] = {
            "/health": self._health,
            "/metrics": self._show_metrics,
            "/props": self._props,
            "/openapi.json": self._description,
            "/v1/models": self._models,
            "/v1/models/{name:path}": self._model,
        }
        posts: dict[str, Endpoint] = {
            path: self._answering(shape) for path, shape in SHAPES.items()
        }
        posts["/v1/messages/count_tokens"] = self._count
        posts["/v1/embeddings"] = self._embed
        return [
            Route(path, endpoint, methods=[method])
            for method, endpoints in (("GET", gets), ("POST", posts))
            for path, endpoint in endpoints.items()
        ]

    @asynccontextmanager
    async def lifespan(self, app: Starlette) -> AsyncIterator[None]:
        yield
        await self._resident.close()

    def _answering(self, shape: Shape) -> Endpoint:
        async def endpoint(request: Request) -> Response:
            asked = shape.read(await request.body())
            async with AsyncExitStack() as stack:
                llm = await stack.enter_async_context(self._resident.use())
                with self._door():
                    begun = await Answering.begin(
                        llm, asked, _client(request), self._bell, self._metrics.count
                    )
                answering = stack.enter_context(begun)
                if asked.stream:
                    events = _told(shape, shape.events(answering, asked, self._name))
                    return EventStream(events, stack.pop_all(), comment=shape.comment)
                given = await unless_gone(request, answering.answers())
            return _json(shape.whole(asked, self._name, given))

        return endpoint

    @contextmanager
    def _door(self) -> Iterator[None]:
        """For work on other threads: no more of it may wait than answers may. Raises BusyError."""
        if self._most is not None and self._inside >= self._most:
            raise BusyError(f"No more than {self._most} requests can be read; ask again later.")
        self._inside += 1
        try:
            yield
        finally:
            self._inside -= 1

    async def _count(self, request: Request) -> Response:
        asked = messages.read_count(await request.body())
        async with self._resident.use() as llm:
            with self._door():
                tokens = await asyncio.to_thread(llm.count, asked.prompts[0], **asked.options)
        return _json({"input_tokens": tokens})

    async def _embed(self, request: Request) -> Response:
        body, texts = embedding.read(await request.body())
        async with self._resident.use() as llm:
            with self._door():
                vectors, tokens = await unless_gone(request, _embedded(llm, texts))
        return _json(embedding.embeddings(body, self._name, vectors, tokens))

    async def _health(self, request: Request) -> Response:
        return _json({"status": "ok"})

    async def _show_metrics(self, request: Request) -> Response:
        return Response(self._metrics.text(), media_type="text/plain; version=0.0.4")

    async def _props(self, request: Request) -> Response:
        return _json(props(self._settings, self._resident.llm))

    async def _description(self, request: Request) -> Response:
        return _json(description())

    async def _models(self, request: Request) -> Response:
        return _json({"object": "list", "data": [self._card()]})

    async def _model(self, request: Request) -> Response:
        if request.path_params["name"] != self._name:
            raise Refusal("There is no such model here.", status=404, code="model_not_found")
        return _json(self._card())

    def _card(self) -> dict[str, object]:
        """What OpenAI's and Anthropic's interfaces tell of a model, and its context in the words
        of vLLM and of Anthropic.
        """
        card: dict[str, object] = {
            "id": self._name,
            "object": "model",
            "created": self._started,
            "owned_by": "localspec",
            "type": "model",
            "display_name": self._name,
            "created_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(self._started)),
        }
        if llm := self._resident.llm:
            card |= {"max_model_len": llm.context_length, "max_input_tokens": llm.context_length}
        return card


async def _embedded(llm: LLM, texts: list[Prompt]) -> tuple[list[Vector], int]:
    """What `embed` makes of texts, one at a time: none more for a client that has hung up."""
    found = [await asyncio.to_thread(llm.embed, [text]) for text in texts]
    return [vector for [vector], _ in found], sum(tokens for _, tokens in found)


def _client(request: Request) -> str:
    return request.client.host if request.client else ""


def _json(value: Any) -> Response:
    return Response(msgspec.json.encode(value), media_type="application/json")


async def _told(shape: Shape, events: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """What goes wrong in the middle of a stream comes as its last event."""
    try:
        async for data in events:
            yield data
    except Exception as error:
        log.error("An answer broke off.", exc_info=error)
        yield shape.told(error)


async def _failed(request: Request, error: Exception) -> Response:
    told = refusal(error)
    if told.status == 500:
        log.error("%s %s failed.", request.method, request.url.path, exc_info=error)
    return refused(told, request.url.path)


async def _no_such_place(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    path = request.url.path
    text = f"{error.detail}: {request.method} {path[:200]}"
    code = "not_found" if error.status_code == 404 else "method_not_allowed"
    if code == "not_found" and (not path.startswith("/v1/") or path.startswith("/v1/v1/")):
        text += f". {_BASE}"
    told = Refusal(text, status=error.status_code, code=code)
    response = refused(told, request.url.path)
    response.headers.update(error.headers or {})
    return response


async def _gone(request: Request, error: Exception) -> Response:
    return Response(status_code=499)  # nobody reads it
