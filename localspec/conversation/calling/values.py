"""How models write the arguments of a call. Here: as JSON.

Each way writes them, says what a grammar takes, and reads them while they are being written. What
was read becomes JSON.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol, TypeAlias

from localspec.conversation.calling.wording import MORE, past
from localspec.llama.lark import Lark, json_rule

__all__ = [
    "Json",
    "Read",
    "Reading",
    "Schema",
    "Values",
    "closed",
    "one_by_one",
    "properties",
    "required",
]

Schema: TypeAlias = Mapping[str, Any]
_OPENING = frozenset({"$ref", "allOf", "anyOf", "if", "oneOf", "patternProperties"})
"""Words of a schema by which more properties than those under "properties" may be meant."""


class Read(NamedTuple):
    """JSON that was read, the text after it, and whether that was all."""

    json: str
    rest: str
    done: bool


class Reading(Protocol):
    """Arguments of one call, read as they come."""

    def feed(self, text: str) -> Read:
        """What is read in `text`: what was left the last time, and what has come since."""


class Values(Protocol):
    """A way to write arguments."""

    def written(self, arguments: str) -> str:
        """Arguments, given as JSON."""

    def begin(self, text: str, at: int) -> int | None:
        """Where in `text` they begin, `MORE` or None, as `past` has it."""

    def reading(self, schema: Schema) -> Reading:
        """Read some that match a schema."""

    def rule(self, lark: Lark, schema: Schema) -> str:
        """What a grammar takes, keeping to a schema as far as it can be said."""


def closed(schema: Schema) -> Schema:
    """A function takes the arguments it names, unless its schema says more than that."""
    if "properties" in schema and not schema.keys() & _OPENING:
        return {"type": "object", "additionalProperties": False, **schema}
    return {"type": "object", **schema}


def properties(schema: Schema) -> Mapping[str, Schema]:
    """Schemas of the arguments that a schema names; strangers' schemas may hold anything."""
    named = schema.get("properties")
    if not isinstance(named, Mapping):
        return {}
    return {key: value if isinstance(value, Mapping) else {} for key, value in named.items()}


def required(schema: Schema) -> Sequence[str]:
    """Names of those that must be there."""
    named = schema.get("required")
    return named if isinstance(named, list) else ()


def one_by_one(arguments: str, one: Callable[[str, object], str], between: str = "") -> str:
    """Arguments, given as JSON, each as `one` writes it; as they are, where that cannot be."""
    try:
        given = dict(json.loads(arguments or "{}"))
        return between.join(one(key, value) for key, value in given.items())
    except (ValueError, TypeError, RecursionError):
        return arguments


@dataclass(frozen=True)
class Json:
    """`{"city": "Bern", "days": 3}`"""

    def written(self, arguments: str) -> str:
        """As they are."""
        return arguments

    def begin(self, text: str, at: int) -> int | None:
        """With a bracket."""
        end = past(text, "{", at)
        return end if end in (None, MORE) else end - 1

    def reading(self, schema: Schema) -> Reading:
        """Up to the bracket that closes them."""
        return _JsonReading()

    def rule(self, lark: Lark, schema: Schema) -> str:
        """What JSON schema says."""
        return json_rule(closed(schema), lenient=True)


class _JsonReading:
    def __init__(self) -> None:
        self._depth = 0
        self._in_string = self._escaped = False

    def feed(self, text: str) -> Read:
        for i, character in enumerate(text):
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
                    return Read(text[: i + 1], text[i + 1 :], True)
        return Read(text, "", False)
