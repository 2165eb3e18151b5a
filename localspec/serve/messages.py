"""Anthropic's `/v1/messages`: bodies, answers, events and errors in its shape."""

from collections.abc import AsyncIterator
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from localspec.conversation.calling.reader import Arguments, Begun
from localspec.conversation.thinking import Thought
from localspec.engine.worker import Answer
from localspec.runtime import Message
from localspec.serve.answering import Answering
from localspec.serve.events import event
from localspec.serve.parts import arguments, parts
from localspec.wire.answers import new_id
from localspec.wire.asked import Asked, ModelName, SampledBody
from localspec.wire.chat import Function, FunctionName, Tool, check_size, offer
from localspec.wire.errors import Refusal, refusal
from localspec.wire.reading import read as read_body
from localspec.wire.said import Part, said

__all__ = [
    "PING",
    "CountBody",
    "MessagesBody",
    "document",
    "events",
    "read",
    "read_count",
    "told",
    "whole",
]

_IGNORED = frozenset(
    {"betas", "billing_policy", "cache_control", "container", "context_management", "diagnostics"}
    | {"inference_geo", "mcp_servers", "metadata", "service_tier", "speed", "user_profile_id"}
    | {"workspace_id"}
)
_EMPTY = {
    "text": {"type": "text", "text": ""},
    "thinking": {"type": "thinking", "thinking": "", "signature": ""},
}
_KINDS = {401: "authentication_error", 403: "permission_error", 404: "not_found_error"}
_KINDS |= {413: "request_too_large", 503: "overloaded_error", 500: "api_error"}


class Block(Struct, kw_only=True):
    """A part of a message: text, a call, or what a call came to."""

    type: Annotated[str, Meta(max_length=64)]
    text: str | None = None
    id: str = ""
    name: str = ""
    input: dict[str, Any] | None = None
    tool_use_id: str = ""
    content: str | list["Block"] | None = None
    thinking: str = ""
    is_error: bool | None = None


class TheirMessage(Struct):
    """A message of the conversation."""

    role: Literal["user", "assistant", "system"]
    content: str | list[Block]


class TheirTool(Struct):
    """A function the model may call. Tools of other kinds than "custom" have no schema."""

    name: FunctionName
    input_schema: dict[str, Any] | None = None
    description: str | None = None
    type: Annotated[str, Meta(max_length=64)] | None = None


class TheirChoice(Struct):
    """Whether and what to call."""

    type: Literal["auto", "any", "tool", "none"]
    name: str | None = None
    disable_parallel_tool_use: bool | None = None


class Thoughts(Struct):
    """Whether to think before answering."""

    type: Literal["enabled", "disabled", "adaptive"]


class Format(Struct):
    """What the text must be."""

    type: Literal["json_schema"]
    schema: dict[str, Any]


class OutputConfig(Struct):
    """What is said of the text. `effort` is for models that have it."""

    format: Format | None = None


class CountBody(Struct, kw_only=True):
    """The body of `/v1/messages/count_tokens`."""

    messages: Annotated[list[TheirMessage], Meta(min_length=1, max_length=4096)]
    model: ModelName = ""
    system: str | list[Block] | None = None
    tools: Annotated[list[TheirTool], Meta(max_length=128)] | None = None
    tool_choice: TheirChoice | None = None
    thinking: Thoughts | None = None
    output_config: OutputConfig | None = None
    thread: dict[str, Any] | None = None


class MessagesBody(CountBody, kw_only=True):
    """The body of `/v1/messages`."""

    max_tokens: Annotated[int, Meta(ge=1)]
    temperature: Annotated[float, Meta(ge=0, le=1)] | None = None
    top_p: Annotated[float, Meta(ge=0, le=1)] | None = None
    top_k: Annotated[int, Meta(ge=0, le=2**31 - 1)] | None = None
    stop_sequences: (
        Annotated[
            list[Annotated[str, Meta(min_length=1, max_length=256)]],
            Meta(max_length=16),
        ]
        | None
    ) = None
    stream: bool | None = None


def read(data: bytes) -> Asked:
    """What the body asks for. Raises Refusal."""
    body = read_body(data, MessagesBody, _IGNORED)
    sampled = SampledBody(
        temperature=body.temperature,
        top_p=body.top_p,
        top_k=body.top_k,
        stop=body.stop_sequences or None,
    )
    asked = _asked(body, sampled, stream=bool(body.stream))
    asked.options["max_tokens"] = body.max_tokens
    return asked


def read_count(data: bytes) -> Asked:
    """The same, where only the prompt matters. Raises Refusal."""
    return _asked(read_body(data, CountBody, _IGNORED), SampledBody(), stream=False)


def _asked(body: CountBody, sampled: SampledBody, *, stream: bool) -> Asked:
    options = sampled.sampling_options()
    if body.thinking:
        options["template"] = {"enable_thinking": body.thinking.type != "disabled"}
    if body.thread is not None:
        raise Refusal(
            "There are no threads here; send the whole conversation.",
            param="thread",
            code="thread_unsupported_request",
        )
    if body.output_config and body.output_config.format:
        schema = body.output_config.format.schema
        check_size(schema, "output_config.format.schema")
        options["json_schema"] = schema
    tools = [_tool(tool, f"tools[{i}]") for i, tool in enumerate(body.tools or ())]
    choice = body.tool_choice or TheirChoice("auto")
    wanted = {"any": "required", "tool": choice.name}.get(choice.type, choice.type)
    offer(options, tools, wanted, one_call=bool(choice.disable_parallel_tool_use))
    messages = [message for given in body.messages for message in _conversation(given)]
    if body.system:
        messages.insert(0, {"role": "system", "content": _text(body.system, "system")})
    return Asked(model=body.model, prompts=[messages], options=options, stream=stream)


def _tool(tool: TheirTool, where: str) -> Tool:
    if tool.input_schema is None:
        kind = tool.type or "custom"
        raise Refusal(
            f"{where} is of type {kind[:40]!r} and has no input_schema; only functions that "
            "describe themselves can be called here.",
            param=where,
        )
    return Tool(Function(tool.name, tool.description, tool.input_schema))


def _conversation(given: TheirMessage) -> list[Message]:
    """One of their messages can be several of ours: results of calls have a role of their own."""
    if isinstance(given.content, str):
        return [{"role": given.role, "content": given.content}]
    results: list[Message] = [
        {
            "role": "tool",
            "tool_call_id": block.tool_use_id,
            "content": _text(block.content or "", "tool_result"),
        }
        for block in given.content
        if block.type == "tool_result"
    ]
    calls = [
        {
            "id": block.id,
            "type": "function",
            "function": {"name": block.name, "arguments": block.input or {}},
        }
        for block in given.content
        if block.type == "tool_use"
    ]
    told = {"tool_result", "tool_use", "thinking", "redacted_thinking"}
    text = _text([block for block in given.content if block.type not in told], "messages")
    message: dict[str, object] = {"role": given.role, "content": text}
    if calls:
        message["tool_calls"] = calls
    thoughts = "".join(block.thinking for block in given.content)
    if thoughts:
        message["reasoning_content"] = thoughts
    return [*results, message] if text or calls or not results else results


def _text(content: str | list[Block], param: str) -> str:
    if isinstance(content, str):
        return content
    for block in content:
        if block.type != "text" or block.text is None:
            raise Refusal(
                f"{param} holds a block of type {block.type[:40]!r}; this model reads text only.",
                param=param,
            )
    return "".join(block.text or "" for block in content)


def whole(asked: Asked, model: str, answers: list[Answer]) -> dict[str, Any]:
    """The answer of `/v1/messages`."""
    answer = answers[0]
    whole = said(answer)
    content: list[dict[str, Any]] = []
    if whole.thoughts:
        content.append(_EMPTY["thinking"] | {"thinking": whole.thoughts})
    if whole.text or not (whole.calls or whole.thoughts):
        content.append(_EMPTY["text"] | {"text": whole.text})
    content += [_tool_use(call.name) | {"input": arguments(call.arguments)} for call in whole.calls]
    ending = _ending(answer, called=bool(whole.calls))
    return _message(model, content) | ending | {"usage": _usage(answer)}


def _message(model: str, content: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "id": new_id("msg_"),
        "type": "message",
        "role": "assistant",
        "model": model,
        "content": content,
        "stop_reason": None,
        "stop_sequence": None,
    }


def _tool_use(name: str) -> dict[str, Any]:
    return {"type": "tool_use", "id": new_id("toolu_"), "name": name, "input": {}}


def _ending(answer: Answer, *, called: bool) -> dict[str, Any]:
    reason = "max_tokens"
    if answer.finish_reason == "stop":
        reason = "stop_sequence" if answer.stop else "tool_use" if called else "end_turn"
    return {"stop_reason": reason, "stop_sequence": answer.stop}


def _usage(answer: Answer) -> dict[str, int]:
    """Theirs does not count as input what came from a cache."""
    s = answer.statistics
    return {
        "input_tokens": s.prompt_tokens - s.cached_tokens,
        "cache_read_input_tokens": s.cached_tokens,
        "cache_creation_input_tokens": 0,
        "output_tokens": s.completion_tokens,
    }


async def events(answering: Answering, asked: Asked, model: str) -> AsyncIterator[bytes]:
    """The events of a streamed message."""
    usage = {"input_tokens": answering.prompt_tokens, "output_tokens": 0}
    yield _event("message_start", message=_message(model, []) | {"usage": usage})
    index, kind, called = -1, "", False
    async for part in parts(answering):
        wanted = _kind(part)
        ends = isinstance(part, Answer)
        called = called or isinstance(part, Begun)
        if isinstance(part, Begun) or (not ends and wanted != kind) or (ends and index < 0):
            if index >= 0:
                yield _event("content_block_stop", index=index)
            index, kind = index + 1, wanted
            begun = _tool_use(part.name) if isinstance(part, Begun) else _EMPTY[kind]
            yield _event("content_block_start", index=index, content_block=begun)
        if isinstance(part, Answer):
            yield _event("content_block_stop", index=index)
            ending = _ending(part, called=called)
            yield _event("message_delta", delta=ending, usage=_usage(part))
        elif isinstance(part, str):
            delta = {"type": "text_delta", "text": part}
            yield _event("content_block_delta", index=index, delta=delta)
        elif isinstance(part, Thought):
            delta = {"type": "thinking_delta", "thinking": part.text}
            yield _event("content_block_delta", index=index, delta=delta)
        elif isinstance(part, Arguments):
            delta = {"type": "input_json_delta", "partial_json": part.text}
            yield _event("content_block_delta", index=index, delta=delta)
    yield _event("message_stop")


def _kind(part: Part | Answer) -> str:
    """The kind of block that a part belongs to."""
    if isinstance(part, Begun | Arguments):
        return "call"
    return "thinking" if isinstance(part, Thought) else "text"


def _event(kind: str, **fields: Any) -> bytes:
    return event({"type": kind, **fields}, kind)


def document(error: Refusal) -> dict[str, Any]:
    """Anthropic's error object."""
    kind = _KINDS.get(error.status, "invalid_request_error")
    told: dict[str, Any] = {"type": kind, "message": str(error)}
    if error.code:
        told["details"] = {"error_code": error.code}
    return {"type": "error", "error": told}


def told(error: Exception) -> bytes:
    """An error in the middle of a stream."""
    return event(document(refusal(error)), "error")


PING = _event("ping")
"""What is sent while there is nothing to say."""
