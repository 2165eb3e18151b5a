"""Functions a model may call: what it may write, and reading it back.

Calls are written the way most open models learned it (Hermes, Qwen):

    <tool_call>
    {"name": "weather", "arguments": {"city": "Bern"}}
    </tool_call>

A grammar sees to it that a call which is begun names one of the functions and keeps to the schema
of its arguments. So a call can be read from the text again, and while it is still being written.
"""

import json
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from localspec.decoding.text import overlap
from localspec.llama.lark import json_rule

__all__ = [
    "MARKS",
    "Arguments",
    "Begun",
    "Call",
    "CallReader",
    "grammar",
    "simplified",
    "written",
]

MARKS = _OPEN, _CLOSE = "<tool_call>", "</tool_call>"
_OPENING = frozenset({"$ref", "allOf", "anyOf", "if", "oneOf", "patternProperties"})
"""Words of a schema by which more properties than those under "properties" may be meant."""
_NAME, _ARGUMENTS = '\n{"name": ', ', "arguments": '


def written(name: str, arguments: str) -> str:
    """A call as a model writes it; `arguments` are JSON."""
    return f"{_OPEN}{_NAME}{json.dumps(name)}{_ARGUMENTS}{arguments}}}\n{_CLOSE}"


def grammar(
    tools: Sequence[Mapping[str, Any]],
    choice: str | None,
    marks: Collection[str] = (),
    schema: Mapping[str, Any] | None = None,
    *,
    one_call: bool = False,
) -> str:
    """A Lark grammar, in llguidance's dialect, of what may be answered.

    `choice` "auto" or None leaves it to the model whether it calls, "required" asks for a call,
    and a name for a call of that function. Those of `MARKS` that are tokens of their own in the
    model's vocabulary are in `marks`. An answer without a call must match `schema`. With `one_call`
    an answer that calls ends with its first call.
    """
    functions = [tool["function"] for tool in tools]
    if choice not in (None, "auto", "required"):
        functions = [function for function in functions if function["name"] == choice]
    begin, end = (mark if mark in marks else json.dumps(mark) for mark in MARKS)
    lines = ["%llguidance {}"]
    if choice not in (None, "auto"):
        more = "" if one_call or len(functions) == 1 else f' ("\\n" {begin} body)*'
        lines += [f"start: {begin} body{more}"]
    elif schema is not None:
        calls = f"{begin} body" if one_call else f"({begin} body)+"
        lines += [f"start: {calls} | answer", f"answer: {json_rule(schema)}"]
    else:
        lazy = "" if begin in marks else "[lazy]"
        lines += ["start: " + ("opened body | TEXT" if one_call else "(opened body)* TEXT")]
        lines += [f"opened{lazy}: TEXT {begin}", "TEXT: /(.|\\n)*/"]
    options = " | ".join(f"call_{i}" for i in range(len(functions)))
    lines += [f'body: {json.dumps(_NAME)} ({options}) "}}\\n" {end}']
    for i, function in enumerate(functions):
        head = json.dumps(function["name"]) + _ARGUMENTS
        lines += [f"call_{i}: {json.dumps(head)} {_arguments_rule(function)}"]
    return "\n".join(lines)


def simplified(
    tools: Sequence[Mapping[str, Any]], can_say: Callable[[str], bool]
) -> list[Mapping[str, Any]]:
    """The same tools for `grammar`; those whose schema no grammar can say take any JSON object."""
    return [
        tool
        if can_say(_arguments_rule(tool["function"]))
        else {"function": {"name": tool["function"]["name"]}}
        for tool in tools
    ]


def _arguments_rule(function: Mapping[str, Any]) -> str:
    return json_rule(_closed(function.get("parameters", {})), lenient=True)


def _closed(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """A function takes the arguments it names, unless its schema says more than that."""
    if "properties" in parameters and not parameters.keys() & _OPENING:
        return {"type": "object", "additionalProperties": False, **parameters}
    return {"type": "object", **parameters}


@dataclass
class Call:
    """A function's name and its arguments as JSON."""

    name: str
    arguments: str = ""


@dataclass(frozen=True)
class Begun:
    """The `index`-th call of an answer began."""

    index: int
    name: str


@dataclass(frozen=True)
class Arguments:
    """A part of the arguments of the `index`-th call."""

    index: int
    text: str


class CallReader:
    """Reads an answer as it comes: text, and the beginnings and arguments of calls.

    What could be the beginning of a call is held back until it is known.
    """

    def __init__(self) -> None:
        self._held = ""
        self._calls = -1
        self._after = False  # a call, with nothing said since
        self._read = self._content
        self._depth = 0
        self._in_string = self._escaped = False

    @property
    def called(self) -> bool:
        """Whether a call has begun."""
        return self._calls >= 0

    def feed(self, text: str) -> Iterable[str | Begun | Arguments]:
        """What `text` adds; a str is content."""
        self._held += text
        news = list[str | Begun | Arguments]()
        while self._read(news):
            pass
        return news

    def finish(self) -> str:
        """Content that was held back, when nothing more comes."""
        rest = self._held if self._read == self._content else ""
        self._held = ""
        if self._after:
            rest = rest.lstrip()
        return rest.rstrip() if self.called else rest

    def _content(self, news: list[str | Begun | Arguments]) -> bool:
        """Text up to a call. White space around calls belongs to them."""
        before, found, after = self._held.partition(_OPEN)
        if found:
            self._held, self._read = after, self._header
        else:
            keep = overlap(before, _OPEN)
            keep = len(before) - len(before[: len(before) - keep].rstrip())
            before, self._held = before[: len(before) - keep], before[len(before) - keep :]
        before = before.rstrip() if found else before
        if self._after:
            before = before.lstrip()
        if before:
            news.append(before)
            self._after = False
        return bool(found)

    def _header(self, news: list[str | Begun | Arguments]) -> bool:
        """The name, up to where the arguments begin."""
        name, found, rest = self._held.removeprefix(_NAME).partition(_ARGUMENTS)
        if not found:
            return False
        self._calls += 1
        news.append(Begun(self._calls, json.loads(name)))
        self._held, self._read = rest, self._arguments
        return True

    def _arguments(self, news: list[str | Begun | Arguments]) -> bool:
        """Arguments, up to the bracket that closes them."""
        end = self._end_of_object()
        part = self._held if end is None else self._held[:end]
        self._held = self._held[len(part) :]
        if part:
            news.append(Arguments(self._calls, part))
        if end is not None:
            self._read = self._tail
        return end is not None

    def _tail(self, news: list[str | Begun | Arguments]) -> bool:
        _, found, rest = self._held.partition(_CLOSE)
        if found:
            self._held, self._read, self._after = rest, self._content, True
        return bool(found)

    def _end_of_object(self) -> int | None:
        """Where the object ends whose text is being read, or None where it goes on."""
        for i, character in enumerate(self._held):
            if self._in_string:
                if self._escaped:
                    self._escaped = False
                elif character == "\\":
                    self._escaped = True
                elif character == '"':
                    self._in_string = False
            elif character == '"':
                self._in_string = True
            elif character in "{[":
                self._depth += 1
            elif character in "}]":
                self._depth -= 1
                if self._depth == 0:
                    return i + 1
        return None
