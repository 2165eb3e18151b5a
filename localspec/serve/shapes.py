"""The four protocols by which answers can be asked for, as data."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any

import msgspec

from localspec.engine.worker import Answer
from localspec.serve import chat, completions, messages, responses
from localspec.serve.answering import Answering
from localspec.serve.events import COMMENT, event
from localspec.wire import answers
from localspec.wire import chat as chat_body
from localspec.wire import completion as completion_body
from localspec.wire import responses as responses_body
from localspec.wire.asked import Asked
from localspec.wire.errors import document, refusal

__all__ = ["SHAPES", "Shape"]


def _told(error: Exception) -> bytes:
    return event(document(refusal(error)))


@dataclass(frozen=True)
class Shape:
    """How requests of a kind are read, and their answers written, whole or as events."""

    summary: str
    body: type[msgspec.Struct]
    read: Callable[[bytes], Asked]
    whole: Callable[[Asked, str, list[Answer]], Any]
    events: Callable[[Answering, Asked, str], AsyncIterator[bytes]]
    told: Callable[[Exception], bytes] = _told
    """An error in the middle of a stream, as its last event."""
    comment: bytes = COMMENT
    """What is sent while there is nothing to say."""


def _chat(asked: Asked, model: str, given: list[Answer]) -> answers.ChatCompletion:
    return answers.chat_completion(model, given)


def _completion(asked: Asked, model: str, given: list[Answer]) -> answers.Completion:
    return answers.completion(model, given, n=asked.n)


SHAPES = {
    "/v1/chat/completions": Shape(
        "Continue a conversation", chat_body.ChatBody, chat_body.read, _chat, chat.events
    ),
    "/v1/completions": Shape(
        "Continue a text",
        completion_body.CompletionBody,
        completion_body.read,
        _completion,
        completions.events,
    ),
    "/v1/responses": Shape(
        "Continue a conversation (OpenAI's newer interface, without memory)",
        responses_body.ResponsesBody,
        responses_body.read,
        responses.whole,
        responses.events,
        responses.told,
    ),
    "/v1/messages": Shape(
        "Continue a conversation (Anthropic's interface)",
        messages.MessagesBody,
        messages.read,
        messages.whole,
        messages.events,
        messages.told,
        messages.PING,
    ),
}
"""By the path at which they are spoken."""
