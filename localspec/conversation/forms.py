"""Forms of a conversation, for chat templates that refuse others or pass over what is in them.

Each function takes messages and returns messages that say the same.
"""

import hashlib
import json
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from itertools import takewhile
from typing import Any

from localspec.conversation.calling.notation import Notation

__all__ = [
    "Form",
    "Messages",
    "one_call_each",
    "spelled_out",
    "with_instructions_moved",
    "with_objects",
    "with_short_ids",
    "with_texts",
    "with_thoughts_as",
    "with_tools_inside",
    "with_tools_told",
    "with_words_apart",
    "with_written_calls",
]

Messages = Sequence[Mapping[str, Any]]
Form = Callable[[Messages], Messages]

_RESULT = "<tool_response>\n{}\n</tool_response>"


def spelled_out(messages: Messages, notation: Notation) -> Messages:
    """Calls are text of the answers, and their results are said by the user.

    Templates that know nothing of them pass over other roles or refuse them, and want users and
    answers to take turns.
    """
    told, answering = list[Mapping[str, Any]](), False
    for message in with_written_calls(messages, notation):
        role, content = message.get("role"), message.get("content") or ""
        if role == "tool":
            content = _RESULT.format(content)
        if answering and role in ("tool", "user"):
            told[-1] = {**told[-1], "content": f"{told[-1]['content']}\n{content}"}
        else:
            told.append({**message, "role": "user" if role == "tool" else role, "content": content})
        answering = role == "tool"
    return told


def with_tools_told(messages: Messages, tools: Messages, notation: Notation) -> Messages:
    """Tools are told of in the first instructions: many templates have room for one message."""
    listed = "\n".join(json.dumps(tool, ensure_ascii=False) for tool in tools)
    instructions = (
        "You may call functions to help with the user's request. They are:\n"
        f"<tools>\n{listed}\n</tools>\n"
        "To call one, write its name and arguments like this:\n"
        + notation.written(("NAME", '{"KEY": "VALUE"}'))
    )
    given = list(takewhile(lambda message: message.get("role") == "system", messages))
    texts = [str(message.get("content") or "") for message in given]
    told = {**(given or [{"role": "system"}])[0], "content": "\n\n".join([*texts, instructions])}
    return [told, *messages[len(given) :]]


def with_tools_inside(messages: Messages, tools: Messages) -> Messages:
    """Tools are in the first message, instructions, as JSON."""
    first = messages[0] if messages and messages[0].get("role") == "system" else None
    listed = json.dumps([tool.get("function", tool) for tool in tools], ensure_ascii=False)
    told = {**(first or {"role": "system", "content": ""}), "tools": listed}
    return [told, *messages[1 if first else 0 :]]


def with_instructions_moved(messages: Messages, *, but_first: bool) -> Messages:
    """Instructions are words of users, where they were given, so that what was read stays the
    beginning of what is asked next. Those at the beginning become one message, and stay with
    `but_first`. Neighbouring words of users become one message too: many templates that want this
    want users and answers to take turns.
    """
    told = list[Mapping[str, Any]]()
    for message in messages:
        first = all(other.get("role") == "system" for other in told)
        if message.get("role") == "system" and not (but_first and first):
            message = {**message, "role": "user"}
        role = message.get("role")
        if told and role in ("system", "user") and told[-1].get("role") == role:
            before, after = (one.get("content") or "" for one in (told[-1], message))
            told[-1] = {**told[-1], "content": f"{before}\n\n{after}"}
        else:
            told.append(message)
    return told


def with_written_calls(messages: Messages, notation: Notation) -> Messages:
    """Calls are text of the answers: as the model wrote them."""
    told = list[Mapping[str, Any]]()
    for message in messages:
        if calls := _calls(message):
            functions = (call.get("function", call) for call in calls)
            named = ((str(f.get("name")), _text(f.get("arguments"))) for f in functions)
            said = (str(message.get("content") or ""), notation.written(*named))
            rest = {k: v for k, v in message.items() if k != "tool_calls"}
            message = {**rest, "content": "\n".join(filter(None, said))}
        told.append(message)
    return told


def one_call_each(messages: Messages) -> Messages:
    """Of several calls in an answer each has an answer of its own, with its result after it."""
    told, rest = list[Mapping[str, Any]](), deque(messages)
    while rest:
        message = rest.popleft()
        calls = _calls(message)
        if len(calls) < 2:
            told.append(message)
            continue
        results = list[Mapping[str, Any]]()
        while rest and rest[0].get("role") == "tool":
            results.append(rest.popleft())
        for call in calls:
            told.append({**message, "tool_calls": [call]})
            told += [r for r in results if r.get("tool_call_id") == call.get("id")]
            results = [r for r in results if r.get("tool_call_id") != call.get("id")]
            message = {"role": message.get("role"), "content": ""}
        told += results
    return told


def with_words_apart(messages: Messages) -> Messages:
    """What is said beside calls is an answer of its own, and that of the calls has no content."""
    told = list[Mapping[str, Any]]()
    for message in messages:
        if _calls(message):
            if message.get("content"):
                told.append({k: v for k, v in message.items() if k != "tool_calls"})
            message = {**message, "content": None}
        told.append(message)
    return told


def with_short_ids(messages: Messages) -> Messages:
    """The names of calls and of their results have nine letters."""
    named = list[Mapping[str, Any]]()
    for message in messages:
        changed = dict(message)
        if calls := _calls(message):
            changed["tool_calls"] = [{**call, "id": _nine(call.get("id"))} for call in calls]
        if "tool_call_id" in message:
            changed["tool_call_id"] = _nine(message["tool_call_id"])
        named.append(changed)
    return named


def _nine(name: object) -> str:
    text = str(name)
    if len(text) == 9:
        return text
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:9]


def with_objects(messages: Messages) -> Messages:
    """Arguments of calls are objects, where they are JSON."""
    return _with_arguments(messages, _object)


def with_texts(messages: Messages) -> Messages:
    """Arguments of calls are JSON."""
    return _with_arguments(messages, _text)


def with_thoughts_as(name: str, *, alone: bool = False) -> Form:
    """Thoughts of answers are called `name`; `alone`, what is said beside calls is one too."""

    def form(messages: Messages) -> Messages:
        return [
            _renamed(message, name, alone=alone) if message.get("reasoning_content") else message
            for message in messages
        ]

    return form


def _renamed(message: Mapping[str, Any], name: str, *, alone: bool) -> Mapping[str, Any]:
    told = {**message, name: message["reasoning_content"]}
    if alone and _calls(message) and message.get("content"):
        told |= {name: f"{told[name]}\n\n{message['content']}", "content": ""}
    return told


def _with_arguments(messages: Messages, form: Callable[[object], object]) -> Messages:
    def changed(call: Mapping[str, Any]) -> Mapping[str, Any]:
        function = call.get("function", call)
        function = {**function, "arguments": form(function.get("arguments"))}
        return {**call, "function": function} if "function" in call else function

    return [
        {**message, "tool_calls": [changed(call) for call in calls]}
        if (calls := _calls(message))
        else message
        for message in messages
    ]


def _text(arguments: object) -> str:
    given = arguments or {}
    return given if isinstance(given, str) else json.dumps(given, ensure_ascii=False)


def _object(arguments: object) -> object:
    if not isinstance(arguments, str):
        return arguments or {}
    try:
        return json.loads(arguments or "{}")
    except (ValueError, RecursionError):
        return arguments


def _calls(message: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    calls = message.get("tool_calls")
    return calls if isinstance(calls, list) else []
