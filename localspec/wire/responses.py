"""`/v1/responses`: its body, whose items become a conversation.

Nothing is kept between requests, so `previous_response_id` is refused and `store` ignored.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from localspec.runtime import Message
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
from localspec.wire.errors import Refusal
from localspec.wire.reading import read as read_body

__all__ = ["ResponsesBody", "read"]

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
        if message is None:
            continue
        if messages and message["role"] == messages[-1]["role"] == "assistant":
            _go_on(messages[-1], message)
        else:
            messages.append(message)
    return list[Message](messages)


def _go_on(turn: dict[str, Any], message: Mapping[str, Any]) -> None:
    """The thoughts, the words and the calls of one turn come as items, and are one message."""
    turn["content"] = "\n\n".join(filter(None, (turn["content"], message["content"])))
    for name, empty in (("reasoning_content", ""), ("tool_calls", [])):
        if more := message.get(name):
            turn[name] = turn.get(name, empty) + more


def _message(item: Item, where: str) -> dict[str, Any] | None:
    """What an item says; None where it is nothing to a model, as thoughts that were not told."""
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
        told = {"role": "assistant", "content": "", "reasoning_content": thoughts}
        return told if thoughts else None
    raise Refusal(f"{where} is of type {item.type[:40]!r}, which is not known here.", param=where)
