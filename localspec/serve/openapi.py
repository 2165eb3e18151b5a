"""The OpenAPI description of the server, made from the types that read the bodies."""

import functools
from typing import Any

import msgspec

from localspec import __version__
from localspec.serve.messages import CountBody
from localspec.serve.shapes import SHAPES
from localspec.wire.answers import ChatCompletion, Completion
from localspec.wire.embedding import EmbeddingBody

__all__ = ["description"]

_ANSWERS: dict[str, type[msgspec.Struct]] = {
    "/v1/chat/completions": ChatCompletion,
    "/v1/completions": Completion,
}
_GETS = {
    "/health": "Whether the server is up; needs no key",
    "/metrics": "Figures for Prometheus",
    "/props": "The model, its draft, and what the governor makes of them now",
    "/openapi.json": "This description",
    "/v1/models": "The model that is served",
}
_REFUSALS = {
    "400": "The request makes no sense, or does not fit the context",
    "401": "The API key is missing or wrong",
    "403": "The Host or the Origin is not allowed",
    "413": "The body is too large",
    "503": "Too many requests wait; Retry-After says when to ask again",
}


@functools.cache
def description() -> dict[str, Any]:
    """An OpenAPI 3.1 document."""
    bodies: dict[str, type[msgspec.Struct]] = {path: shape.body for path, shape in SHAPES.items()}
    bodies |= {"/v1/messages/count_tokens": CountBody, "/v1/embeddings": EmbeddingBody}
    summaries = {path: shape.summary for path, shape in SHAPES.items()}
    summaries |= {
        "/v1/messages/count_tokens": "How many tokens a conversation has (Anthropic's interface)",
        "/v1/embeddings": "Texts as vectors, where the model was made for that",
    }
    template = "#/components/schemas/{name}"
    types = [*bodies.values(), *_ANSWERS.values()]
    schemas, components = msgspec.json.schema_components(types, ref_template=template)
    schema_of = dict(zip(types, schemas, strict=True))
    for body in bodies.values():
        components[body.__name__]["additionalProperties"] = False
    paths: dict[str, Any] = {path: {"get": _get(text)} for path, text in _GETS.items()}
    paths["/v1/models/{name}"] = {"get": _get("One model", name=True)}
    for path, body in bodies.items():
        answer = _ANSWERS.get(path)
        paths[path] = {
            "post": {
                "summary": summaries[path],
                "requestBody": {"required": True, "content": _json(schema_of[body])},
                "responses": _responses(schema_of[answer] if answer else {"type": "object"}),
            }
        }
    return {
        "openapi": "3.1.0",
        "info": {"title": "localspec", "version": __version__},
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}},
        },
        "security": [{}, {"key": []}],
    }


def _get(summary: str, *, name: bool = False) -> dict[str, Any]:
    operation: dict[str, Any] = {"summary": summary, "responses": _responses(None)}
    if name:
        schema = {"type": "string", "minLength": 1}
        operation["parameters"] = [
            {"name": "name", "in": "path", "required": True, "schema": schema}
        ]
        operation["responses"]["404"] = {"description": "There is no such model"}
    return operation


def _responses(schema: dict[str, Any] | None) -> dict[str, Any]:
    answered: dict[str, Any] = {"description": "The answer"}
    if schema is not None:
        answered["content"] = _json(schema) | {"text/event-stream": {}}
    return {"200": answered} | {code: {"description": text} for code, text in _REFUSALS.items()}


def _json(schema: dict[str, Any]) -> dict[str, Any]:
    return {"application/json": {"schema": schema}}
