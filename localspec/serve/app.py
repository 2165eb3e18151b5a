"""The application: every endpoint, and the way of a request through the rooms."""

import logging
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any

import msgspec
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from localspec.errors import LocalspecError
from localspec.serve import chat, completions
from localspec.serve.answering import Answering
from localspec.serve.events import EventStream, Gone, event, unless_gone
from localspec.serve.guard import Guard, refused
from localspec.serve.resident import Resident
from localspec.serve.settings import Settings
from localspec.wire import answers
from localspec.wire import chat as chat_body
from localspec.wire import completion as completion_body
from localspec.wire.asked import Asked
from localspec.wire.errors import Refusal, document, refusal
from localspec.worker import Answer

__all__ = ["application"]

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Shape:
    """How requests of a kind are read, and their answers written, whole or as events."""

    read: Callable[[bytes], Asked]
    whole: Callable[[Asked, str, list[Answer]], Any]
    events: Callable[[Answering, Asked, str], AsyncIterator[bytes]]


CHAT = Shape(
    chat_body.read,
    lambda asked, model, given: answers.chat_completion(
        model, given, tools="tools" in asked.options
    ),
    chat.events,
)
COMPLETION = Shape(
    completion_body.read,
    lambda asked, model, given: answers.completion(model, given, n=asked.n),
    completions.events,
)


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
            Exception: _refused,
            LocalspecError: _refused,
            HTTPException: _not_found,
            Gone: _gone,
        },
        lifespan=server.lifespan,
    )


class _Server:
    """Endpoints around one resident model."""

    def __init__(self, settings: Settings, resident: Resident) -> None:
        self._settings, self._resident = settings, resident
        self._name = settings.model_name
        self._started = int(time.time())

    def routes(self) -> list[Route]:
        return [
            Route("/health", self._health, methods=["GET"]),
            Route("/v1/models", self._models, methods=["GET"]),
            Route("/v1/models/{name:path}", self._model, methods=["GET"]),
            Route("/v1/chat/completions", self._answering(CHAT), methods=["POST"]),
            Route("/v1/completions", self._answering(COMPLETION), methods=["POST"]),
        ]

    @asynccontextmanager
    async def lifespan(self, app: Starlette) -> AsyncIterator[None]:
        yield
        await self._resident.close()

    async def _health(self, request: Request) -> Response:
        return _json({"status": "ok"})

    async def _models(self, request: Request) -> Response:
        return _json({"object": "list", "data": [self._card()]})

    async def _model(self, request: Request) -> Response:
        if request.path_params["name"] != self._name:
            raise Refusal("There is no such model here.", status=404, code="model_not_found")
        return _json(self._card())

    def _card(self) -> dict[str, object]:
        return {
            "id": self._name,
            "object": "model",
            "created": self._started,
            "owned_by": "localspec",
        }

    def _answering(self, shape: Shape) -> Callable[[Request], Any]:
        async def endpoint(request: Request) -> Response:
            asked = shape.read(await request.body())
            async with AsyncExitStack() as stack:
                llm = await stack.enter_async_context(self._resident.use())
                answering = stack.enter_context(
                    await unless_gone(request, Answering.begin(llm, asked, _client(request)))
                )
                if asked.stream:
                    events = _told_of_errors(shape.events(answering, asked, self._name))
                    return EventStream(events, stack.pop_all())
                given = await unless_gone(request, answering.answers())
            return _json(shape.whole(asked, self._name, given))

        return endpoint


def _client(request: Request) -> str:
    return request.client.host if request.client else ""


def _json(value: Any) -> Response:
    return Response(msgspec.json.encode(value), media_type="application/json")


async def _told_of_errors(events: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """What goes wrong in the middle of a stream comes as its last event."""
    try:
        async for data in events:
            yield data
    except Exception as error:
        log.exception("An answer broke off.")
        yield event(document(refusal(error)))


async def _refused(request: Request, error: Exception) -> Response:
    if refusal(error).status == 500:
        log.error("%s %s failed.", request.method, request.url.path, exc_info=error)
    return refused(refusal(error))


async def _not_found(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    text = f"{error.detail}: {request.method} {request.url.path[:200]}"
    return refused(Refusal(text, status=error.status_code, code="not_found"))


async def _gone(request: Request, error: Exception) -> Response:
    return Response(status_code=499)
