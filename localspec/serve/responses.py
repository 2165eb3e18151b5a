"""OpenAI's `/v1/responses`, without memory: bodies, answers and events in its shape.

Nothing is kept between requests, so `previous_response_id` is refused and `store` ignored.
"""

import time
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Annotated, Any, Literal, NamedTuple

from msgspec import Meta, Struct

from localspec.conversation.calling.reader import Arguments, Begun, Call
from localspec.conversation.thinking import Thought
from localspec.engine.worker import Answer
from localspec.runtime import Message
from localspec.serve.answering import Answering
from localspec.serve.events import event
from localspec.serve.parts import parts
from localspec.wire.answers import new_id
from localspec.wire.asked import IGNORED, Asked, ModelName, SampledBody, SpeculationMode
from localspec.wire.chat import (
    Effort,
    Function,
    FunctionName,
    TextPart,
    Tool,
    as_role,
    as_text,
    check_size,
    offer,
    thinking,
)
from localspec.wire.errors import Refusal, document, refusal
from localspec.wire.reading import read as read_body
from localspec.wire.said import said

__all__ = ["ResponsesBody", "events", "read", "told", "whole"]

_IGNORED = (
    IGNORED
    | {"background", "client_metadata", "context_management", "include", "max_tool_calls"}
    | {"stream_options", "top_logprobs", "truncation"}
)


class Item(Struct, kw_only=True):
    """A part of the conversation: a message, a call, or what a call came to."""

    type: Annotated[str, Meta(max_length=64)] = "message"
    role: Literal["system", "developer", "user", "assistant"] = "user"
    content: str | list[TextPart] | None = None
    call_id: str = ""
    name: str = ""
    arguments: str = ""
    output: str | list[TextPart] | None = None


class TheirTool(Struct):
    """A function the model may call, or a tool of another kind, which is left out."""

    type: Annotated[str, Meta(max_length=64)] = "function"
    name: FunctionName | None = None
    description: str | None = None
    parameters: dict[str, Any] | None = None
    strict: bool | None = None


class Chosen(Struct):
    """The one function that must be called."""

    name: str
    type: Literal["function"] = "function"


class Format(Struct):
    """What the text must be; `schema` where `type` is json_schema."""

    type: Literal["text", "json_object", "json_schema"] = "text"
    name: str = ""
    schema: dict[str, Any] | None = None
    description: str | None = None
    strict: bool | None = None


class Text(Struct):
    """What is said of the text."""

    format: Format | None = None
    verbosity: str | None = None


class Reasoning(Struct):
    """How much to think."""

    effort: Effort | None = None


class ResponsesBody(Struct, kw_only=True):
    """The body of `/v1/responses`."""

    input: str | Annotated[list[Item], Meta(min_length=1, max_length=4096)]
    model: ModelName = ""
    instructions: str | None = None
    max_output_tokens: Annotated[int, Meta(ge=1)] | None = None
    temperature: Annotated[float, Meta(ge=0, le=2)] | None = None
    top_p: Annotated[float, Meta(ge=0, le=1)] | None = None
    tools: Annotated[list[TheirTool], Meta(max_length=128)] | None = None
    tool_choice: Literal["auto", "none", "required"] | Chosen | None = None
    parallel_tool_calls: bool | None = None
    text: Text | None = None
    reasoning: Reasoning | None = None
    stream: bool | None = None
    previous_response_id: str | None = None
    speculation: SpeculationMode | None = None


def read(data: bytes | Mapping[str, object]) -> Asked:
    """What the body asks for. Raises Refusal."""
    body = read_body(data, ResponsesBody, _IGNORED)
    if body.previous_response_id is not None:
        raise Refusal(
            "previous_response_id names an answer, and none is kept here; send the whole "
            "conversation as input.",
            param="previous_response_id",
            code="previous_response_not_found",
        )
    sampled = SampledBody(
        temperature=body.temperature, top_p=body.top_p, speculation=body.speculation
    )
    options = sampled.sampling_options()
    options["max_tokens"] = body.max_output_tokens
    if body.reasoning:
        options["template"] = thinking(body.reasoning.effort)
    form = body.text.format if body.text else None
    if form and form.type == "json_object":
        options["json_schema"] = {"type": "object"}
    elif form and form.type == "json_schema":
        if form.schema is None:
            raise Refusal("text.format needs schema.", param="text.format.schema")
        check_size(form.schema, "text.format.schema")
        options["json_schema"] = form.schema
    choice = body.tool_choice.name if isinstance(body.tool_choice, Chosen) else body.tool_choice
    offer(options, _functions(body.tools or []), choice, one_call=body.parallel_tool_calls is False)
    return Asked(
        model=body.model,
        prompts=[_conversation(body)],
        options=options,
        stream=bool(body.stream),
    )


def _functions(tools: list[TheirTool]) -> list[Tool]:
    """Those that are functions. The others only OpenAI has: agents offer them wherever they are."""
    functions = list[Tool]()
    for i, tool in enumerate(tools):
        if tool.type == "function":
            if tool.name is None:
                raise Refusal(f"tools[{i}] needs a name.", param=f"tools[{i}].name")
            functions.append(Tool(Function(tool.name, tool.description, tool.parameters)))
    return functions


def _conversation(body: ResponsesBody) -> list[Message]:
    messages: list[dict[str, Any]] = []
    if body.instructions:
        messages.append({"role": "system", "content": body.instructions})
    if isinstance(body.input, str):
        messages.append({"role": "user", "content": body.input})
        return list[Message](messages)
    for i, item in enumerate(body.input):
        message = _message(item, f"input[{i}]")
        if messages and message["role"] == messages[-1]["role"] == "assistant":
            _go_on(messages[-1], message)
        else:
            messages.append(message)
    return list[Message](messages)


def _go_on(turn: dict[str, Any], message: Mapping[str, Any]) -> None:
    """The thoughts, the words and the calls of one turn come as items, and are one message."""
    turn["content"] = "\n\n".join(filter(None, (turn["content"], message["content"])))
    if thoughts := message.get("reasoning_content"):
        turn["reasoning_content"] = turn.get("reasoning_content", "") + thoughts
    if calls := message.get("tool_calls"):
        turn["tool_calls"] = [*turn.get("tool_calls", []), *calls]


def _message(item: Item, where: str) -> dict[str, Any]:
    if item.type == "message":
        return {"role": as_role(item.role), "content": as_text(item.content, where)}
    if item.type == "function_call":
        function = {"name": item.name, "arguments": item.arguments}
        call = {"id": item.call_id, "type": "function", "function": function}
        return {"role": "assistant", "content": "", "tool_calls": [call]}
    if item.type == "function_call_output":
        text = as_text(item.output, where)
        return {"role": "tool", "tool_call_id": item.call_id, "content": text}
    if item.type == "reasoning":
        parts = item.content if isinstance(item.content, list) else []
        thoughts = "".join(part.text or "" for part in parts)
        return {"role": "assistant", "content": "", "reasoning_content": thoughts}
    raise Refusal(f"{where} is of type {item.type[:40]!r}, which is not known here.", param=where)


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
