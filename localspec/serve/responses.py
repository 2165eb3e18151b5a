"""Answers of OpenAI's `/v1/responses`, whole and as events."""

import time
from collections.abc import AsyncIterator, Callable
from typing import Any, NamedTuple

from localspec.conversation.calling.reader import Arguments, Begun, Call
from localspec.conversation.thinking import Thought
from localspec.engine.worker import Answer
from localspec.serve.answering import Answering
from localspec.serve.events import event
from localspec.serve.parts import parts
from localspec.wire.answers import new_id
from localspec.wire.asked import Asked
from localspec.wire.errors import document, refusal
from localspec.wire.said import said

__all__ = ["events", "told", "whole"]


def whole(asked: Asked, model: str, answers: list[Answer]) -> dict[str, Any]:
    """The answer of `/v1/responses`."""
    answer = answers[0]
    whole = said(answer)
    output = [_thoughts_item(whole.thoughts)] if whole.thoughts else []
    if whole.text or not (whole.calls or whole.thoughts):
        output.append(_text_item(whole.text))
    output += [_call_item(call) for call in whole.calls]
    return _response(asked, model) | _ending(answer, output)


def _response(asked: Asked, model: str) -> dict[str, Any]:
    return {
        "id": new_id("resp_"),
        "object": "response",
        "created_at": int(time.time()),
        "status": "in_progress",
        "error": None,
        "incomplete_details": None,
        "instructions": None,
        "max_output_tokens": asked.options.get("max_tokens"),
        "model": model,
        "output": [],
        "parallel_tool_calls": not asked.options.get("one_call", False),
        "previous_response_id": None,
        "store": False,
        "temperature": asked.options.get("temperature"),
        "text": {"format": {"type": "text"}},
        "tool_choice": "auto",
        "tools": [],
        "top_p": asked.options.get("top_p"),
        "truncation": "disabled",
        "usage": None,
        "metadata": {},
    }


def _ending(answer: Answer, output: list[dict[str, Any]]) -> dict[str, Any]:
    """What only the end of an answer tells."""
    s, complete = answer.statistics, answer.finish_reason == "stop"
    return {
        "status": "completed" if complete else "incomplete",
        "incomplete_details": None if complete else {"reason": "max_output_tokens"},
        "output": output,
        "usage": {
            "input_tokens": s.prompt_tokens,
            "input_tokens_details": {"cached_tokens": s.cached_tokens},
            "output_tokens": s.completion_tokens,
            "output_tokens_details": {"reasoning_tokens": 0},
            "total_tokens": s.prompt_tokens + s.completion_tokens,
        },
    }


def _text_item(text: str, status: str = "completed") -> dict[str, Any]:
    content = [_text_part(text)] if status == "completed" else []
    return {
        "id": new_id("msg_"),
        "type": "message",
        "status": status,
        "role": "assistant",
        "content": content,
    }


def _thoughts_item(text: str, status: str = "completed") -> dict[str, Any]:
    content = [_thoughts_part(text)] if status == "completed" else []
    return {
        "id": new_id("rs_"),
        "type": "reasoning",
        "status": status,
        "summary": [],
        "content": content,
    }


def _thoughts_part(text: str) -> dict[str, Any]:
    return {"type": "reasoning_text", "text": text}


def _text_part(text: str) -> dict[str, Any]:
    return {"type": "output_text", "text": text, "annotations": [], "logprobs": []}


def _call_item(call: Call, status: str = "completed") -> dict[str, Any]:
    return {
        "id": new_id("fc_"),
        "type": "function_call",
        "status": status,
        "call_id": new_id("call_"),
        "name": call.name,
        "arguments": call.arguments,
    }


class _Writer(NamedTuple):
    """How the text of an item is written: its part, and its events with what `more` they hold."""

    part: Callable[[str], dict[str, Any]]
    name: str
    more: dict[str, Any]


_WRITERS = {
    "message": _Writer(_text_part, "output_text", {"logprobs": []}),
    "reasoning": _Writer(_thoughts_part, "reasoning_text", {}),
}


class _Events:
    """Writes numbered events, and keeps the items that they tell of."""

    def __init__(self) -> None:
        self.output: list[dict[str, Any]] = []
        self._number = -1
        self._text = ""

    def write(self, kind: str, **fields: Any) -> bytes:
        self._number += 1
        return event({"type": kind, "sequence_number": self._number, **fields}, kind)

    @property
    def open(self) -> dict[str, Any] | None:
        """The item that is being written."""
        last = self.output[-1] if self.output else None
        return last if last and last["status"] == "in_progress" else None

    def begin(self, item: dict[str, Any]) -> list[bytes]:
        """A new item, after the one before."""
        ended = self.end()
        self.output.append(item)
        at, self._text = self._at(), ""
        news = [
            self.write("response.output_item.added", output_index=at["output_index"], item=item)
        ]
        if item["type"] in _WRITERS:
            part = _WRITERS[item["type"]].part("")
            news.append(self.write("response.content_part.added", **at, content_index=0, part=part))
        return ended + news

    def text(self, text: str) -> bytes:
        self._text += text
        writer = _WRITERS[self.output[-1]["type"]]
        place = {**self._at(), "content_index": 0}
        return self.write(f"response.{writer.name}.delta", **place, delta=text, **writer.more)

    def arguments(self, text: str) -> bytes:
        self.output[-1]["arguments"] += text
        return self.write("response.function_call_arguments.delta", **self._at(), delta=text)

    def end(self) -> list[bytes]:
        """The end of the item that is being written, if one is."""
        item = self.open
        if not item:
            return []
        item["status"] = "completed"
        at = self._at()
        if item["type"] in _WRITERS:
            writer = _WRITERS[item["type"]]
            part = writer.part(self._text)
            item["content"] = [part]
            place = {**at, "content_index": 0}
            done = {"text": self._text, **writer.more}
            news = [
                self.write(f"response.{writer.name}.done", **place, **done),
                self.write("response.content_part.done", **place, part=part),
            ]
        else:
            call = {"arguments": item["arguments"], "name": item["name"]}
            news = [self.write("response.function_call_arguments.done", **at, **call)]
        index = at["output_index"]
        return [*news, self.write("response.output_item.done", output_index=index, item=item)]

    def _at(self) -> dict[str, Any]:
        return {"item_id": self.output[-1]["id"], "output_index": len(self.output) - 1}


async def events(answering: Answering, asked: Asked, model: str) -> AsyncIterator[bytes]:
    """The events of a streamed response."""
    told, response = _Events(), _response(asked, model)
    yield told.write("response.created", response=response)
    yield told.write("response.in_progress", response=response)
    async for part in parts(answering):
        if isinstance(part, Begun):
            for data in told.begin(_call_item(Call(part.name), "in_progress")):
                yield data
        elif isinstance(part, Arguments):
            yield told.arguments(part.text)
        elif not isinstance(part, Answer) or not told.output:
            thought = isinstance(part, Thought)
            item = _thoughts_item if thought else _text_item
            kind = "reasoning" if thought else "message"
            if not told.open or told.open["type"] != kind:
                for data in told.begin(item("", "in_progress")):
                    yield data
            if not isinstance(part, Answer):
                yield told.text(part.text if isinstance(part, Thought) else part)
        if isinstance(part, Answer):
            for data in told.end():
                yield data
            response |= _ending(part, told.output)
            yield told.write(f"response.{response['status']}", response=response)


def told(error: Exception) -> bytes:
    """An error in the middle of a stream."""
    about = document(refusal(error))["error"]
    fields = {name: about[name] for name in ("code", "message", "param")}
    return event({"type": "error", "sequence_number": 0, **fields}, "error")
