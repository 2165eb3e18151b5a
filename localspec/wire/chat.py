"""`/v1/chat/completions`: its body, and the conversation and options it stands for."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, TypeAlias

import msgspec
from msgspec import Meta

from localspec.runtime import Message, Options
from localspec.wire.asked import IGNORED, Asked, SampledBody
from localspec.wire.errors import Refusal
from localspec.wire.reading import read as read_body

__all__ = [
    "ChatBody",
    "Effort",
    "Function",
    "FunctionName",
    "TextPart",
    "Tool",
    "as_role",
    "as_text",
    "check_size",
    "conversation",
    "offer",
    "read",
    "thinking",
]

_IGNORED = IGNORED | {
    "modalities",
    "prediction",
    "verbosity",
}
Effort: TypeAlias = Annotated[str, Meta(max_length=16)]
FunctionName: TypeAlias = Annotated[str, Meta(pattern=r"^[a-zA-Z0-9_.-]{1,64}$")]
_LARGEST_SCHEMA = 65_536  # characters of JSON
_NOT_KWARGS = ("messages", "tools")  # a template gets them from fields of their own


class TextPart(msgspec.Struct):
    """A part of a message. Only text can be read here."""

    type: Annotated[str, Meta(max_length=64)]
    text: str | None = None


class FunctionCall(msgspec.Struct):
    """What an earlier answer called; `arguments` is JSON in a string."""

    name: str
    arguments: str = ""


class ToolCall(msgspec.Struct):
    """A call in an earlier answer."""

    function: FunctionCall
    id: str = ""
    type: Literal["function"] = "function"


class ChatMessage(msgspec.Struct):
    """A message of the conversation."""

    role: Literal["system", "developer", "user", "assistant", "tool"]
    content: str | list[TextPart] | None = None
    name: str | None = None
    tool_calls: Annotated[list[ToolCall], Meta(max_length=128)] | None = None
    tool_call_id: str | None = None
    reasoning_content: str | None = None


class Function(msgspec.Struct):
    """A function the model may call; `parameters` is the JSON schema of its arguments."""

    name: FunctionName
    description: str | None = None
    parameters: dict[str, Any] | None = None
    strict: bool | None = None


class Tool(msgspec.Struct):
    """Something the model may use."""

    function: Function
    type: Literal["function"] = "function"


class ChosenName(msgspec.Struct):
    """The name of a function."""

    name: str


class ChosenTool(msgspec.Struct):
    """The one function that must be called."""

    function: ChosenName
    type: Literal["function"] = "function"


ToolChoice: TypeAlias = Literal["auto", "none", "required"] | ChosenTool


class Schema(msgspec.Struct):
    """A JSON schema that the answer must match."""

    schema: dict[str, Any]
    name: str = ""
    description: str | None = None
    strict: bool | None = None


class ResponseFormat(msgspec.Struct):
    """`json_schema` is there if, and only if, `type` says so."""

    type: Literal["text", "json_object", "json_schema"] = "text"
    json_schema: Schema | None = None


class ChatBody(SampledBody, kw_only=True):
    """The body of `/v1/chat/completions`."""

    messages: Annotated[list[ChatMessage], Meta(min_length=1, max_length=4096)]
    max_tokens: Annotated[int, Meta(ge=1)] | None = None
    max_completion_tokens: Annotated[int, Meta(ge=1)] | None = None
    logprobs: bool | None = None
    top_logprobs: Annotated[int, Meta(ge=0, le=20)] | None = None
    response_format: ResponseFormat | None = None
    tools: Annotated[list[Tool], Meta(max_length=128)] | None = None
    tool_choice: ToolChoice | None = None
    parallel_tool_calls: bool | None = None
    chat_template_kwargs: dict[str, str | int | float | bool | None] | None = None
    reasoning_effort: Effort | None = None


def read(data: bytes | Mapping[str, object]) -> Asked:
    """What the body asks for. Raises Refusal."""
    body = read_body(data, ChatBody, _IGNORED)
    options = body.sampling_options()
    options["max_tokens"] = _first(body.max_completion_tokens, body.max_tokens)
    if body.logprobs:
        options["logprobs"] = body.top_logprobs or 0
    elif body.top_logprobs:
        raise Refusal("top_logprobs needs logprobs to be true.", param="top_logprobs")
    template = thinking(body.reasoning_effort) | _for_template(body.chat_template_kwargs or {})
    if template:
        options["template"] = template
    _constrain(options, body.response_format)
    choice = body.tool_choice
    name = choice.function.name if isinstance(choice, ChosenTool) else choice
    offer(options, body.tools or [], name, one_call=body.parallel_tool_calls is False)
    return Asked(
        model=body.model,
        prompts=[conversation(body.messages)],
        options=options,
        n=body.n or 1,
        stream=bool(body.stream),
        usage=body.wants_usage,
    )


def thinking(effort: str | None) -> dict[str, object]:
    """How much to think, in the words of those chat templates that can be told."""
    if effort is None:
        return {}
    return {"reasoning_effort": effort, "enable_thinking": effort != "none"}


def _for_template(given: dict[str, Any]) -> dict[str, Any]:
    for name in _NOT_KWARGS:
        if name in given:
            where = f"chat_template_kwargs.{name}"
            raise Refusal(f"{where} is the body's own field {name}; say it there.", param=where)
    return given


def _first(*values: int | None) -> int | None:
    return next((value for value in values if value is not None), None)


def conversation(messages: list[ChatMessage]) -> list[Message]:
    """Messages as `LLM.stream` takes them, all of text."""
    return [_message(message, f"messages[{i}]") for i, message in enumerate(messages)]


def _message(message: ChatMessage, where: str) -> Message:
    plain: dict[str, object] = {
        "role": as_role(message.role),
        "content": as_text(message.content, where),
    }
    if message.name is not None:
        plain["name"] = message.name
    if message.tool_call_id is not None:
        plain["tool_call_id"] = message.tool_call_id
    if message.reasoning_content is not None:
        plain["reasoning_content"] = message.reasoning_content
    if message.tool_calls:
        plain["tool_calls"] = [
            {
                "id": call.id,
                "type": "function",
                "function": {
                    "name": call.function.name,
                    "arguments": call.function.arguments,
                },
            }
            for call in message.tool_calls
        ]
    return plain


def as_role(role: str) -> str:
    """A role as chat templates know it, many of them by the older of two names only."""
    return "system" if role == "developer" else role


def as_text(content: str | list[TextPart] | None, where: str) -> str:
    """Content as one text; parts of other kinds are refused, and `where` they stand."""
    if content is None or isinstance(content, str):
        return content or ""
    for part in content:
        if part.text is None or part.type not in ("text", "input_text", "output_text", "refusal"):
            raise Refusal(
                f"{where} holds a part of type {part.type[:40]!r}; this model reads text only.",
                param=where,
            )
    return "".join(part.text or "" for part in content)


def _constrain(options: Options, wanted: ResponseFormat | None) -> None:
    if wanted is None or wanted.type == "text":
        return
    if wanted.type == "json_object":
        options["json_schema"] = {"type": "object"}
    elif wanted.json_schema is None:
        raise Refusal("response_format needs json_schema.", param="response_format.json_schema")
    else:
        check_size(wanted.json_schema.schema, "response_format.json_schema.schema")
        options["json_schema"] = wanted.json_schema.schema


def offer(
    options: Options, tools: list[Tool], choice: str | None, *, one_call: bool = False
) -> None:
    """Add tools to options, and the choice among them: "auto", "none", "required" or a name.

    With `one_call` no answer calls more than one.
    """
    param = "tool_choice"
    if not tools:
        if choice not in (None, "none", "auto"):
            raise Refusal(f"{param} needs tools.", param=param)
        return
    names = {tool.function.name for tool in tools}
    if choice not in (None, "none", "auto", "required") and choice not in names:
        raise Refusal(f"{param} names a function that is not in tools.", param=param)
    if choice == "none":
        return
    if choice not in (None, "auto"):
        options.pop("json_schema", None)  # it is for answers in words, and there will be none
    for i, tool in enumerate(tools):
        check_size(tool.function.parameters, f"tools[{i}]")
    options["tools"] = [
        {
            "type": "function",
            "function": {
                "name": tool.function.name,
                "description": tool.function.description or "",
                "parameters": tool.function.parameters or {"type": "object", "properties": {}},
            },
        }
        for tool in tools
    ]
    options["tool_choice"] = choice
    if one_call:
        options["one_call"] = True


def check_size(schema: Mapping[str, Any] | None, where: str) -> None:
    """Refuse a schema that is too long."""
    if schema and len(msgspec.json.encode(schema)) > _LARGEST_SCHEMA:
        raise Refusal(f"{where} is longer than {_LARGEST_SCHEMA} characters.", param=where)
