"""Arguments of a call as a programming language has them: `city='Bern', days=3`."""

import ast
import functools
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from localspec.conversation.calling.values import (
    Read,
    Reading,
    Schema,
    closed,
    one_by_one,
    properties,
    required,
)
from localspec.llama.lark import Lark

__all__ = ["Literals"]

_STRING = r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*\""""
_NAMES = {"True": "true", "False": "false", "None": "null", "(": "[", ")": "]"}
_NAME = re.compile(r"\b(?:True|False|None)\b|[()]")
_NUMBER = r"/-?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?/"


@dataclass(frozen=True)
class Literals:
    """Texts stand between `quote`s; where that is Python's, so is the rest."""

    assign: str
    between: str
    quote: str

    @property
    def is_python(self) -> bool:
        """Whether texts have escapes, and keys of dicts are texts."""
        return self.quote in ("'", '"')

    @functools.cached_property
    def _string(self) -> str:
        quote = re.escape(self.quote)
        return _STRING if self.is_python else f"{quote}.*?{quote}"

    def written(self, arguments: str) -> str:
        """As the language has them."""
        return one_by_one(
            arguments, lambda key, value: f"{key}{self.assign}{self._one(value)}", self.between
        )

    def _one(self, value: object) -> str:
        if self.is_python:
            return repr(value)
        if isinstance(value, str):
            return f"{self.quote}{value}{self.quote}"
        if isinstance(value, Mapping):
            return f"{{{self.between.join(f'{k}:{self._one(v)}' for k, v in value.items())}}}"
        if isinstance(value, list):
            return f"[{self.between.join(map(self._one, value))}]"
        return json.dumps(value)

    def begin(self, text: str, at: int) -> int | None:
        """At once."""
        return at

    def reading(self, schema: Schema) -> Reading:
        """Up to the bracket that closes what was opened before them."""
        quotes = ("'", '"') if self.is_python else (self.quote,)
        return _LiteralReading(quotes, re.compile(f"{self._string}|.", re.DOTALL), self._json)

    def _json(self, text: str) -> str:
        """JSON of arguments; the text where they are none."""
        key = re.compile(rf"([\w.$-]+)\s*{re.escape(self.assign)}")
        parts = re.split(f"({self._string})", text, flags=re.DOTALL)
        for i, part in enumerate(parts):
            if i % 2:
                parts[i] = json.dumps(self._unquoted(part), ensure_ascii=False)
            else:
                named = key.sub(lambda found: f"{json.dumps(found[1])}:", part)
                parts[i] = _NAME.sub(lambda found: _NAMES[found[0]], named)
        try:
            whole = json.loads("{" + "".join(parts).strip().rstrip(",") + "}")
        except (ValueError, RecursionError):
            return text
        return json.dumps(whole, ensure_ascii=False)

    def _unquoted(self, text: str) -> str:
        if self.is_python:
            try:
                return str(ast.literal_eval(text))
            except (ValueError, SyntaxError):  # a line may not end in Python's texts
                return text[1:-1]
        return text[len(self.quote) : -len(self.quote)]

    def rule(self, lark: Lark, schema: Schema) -> str:
        """In the order of the schema, and those that must be there first."""
        schema = closed(schema)
        needed = required(schema)
        known = {
            key: lark.rule(f"{lark.literal(key + self.assign)} {self._rule(lark, value)}")
            for key, value in properties(schema).items()
        }
        must = [rule for key, rule in known.items() if key in needed]
        may = [rule for key, rule in known.items() if key not in needed]
        if schema.get("additionalProperties", True) is not False:
            assign = lark.literal(self.assign)
            may.append(lark.rule(f"/[a-zA-Z_][a-zA-Z0-9_]{{0,63}}/ {assign} {self._any(lark)}"))
        between = lark.literal(self.between)
        row = f" {between} ".join(must)
        if not may:
            return row or '""'
        one = lark.rule(" | ".join(may))
        return f"{row} ({between} {one})*" if row else f"({one} ({between} {one})*)?"

    def _rule(self, lark: Lark, schema: Schema) -> str:
        kind = schema.get("type")
        rules = {
            "string": self._text,
            "integer": _integer,
            "number": _number,
            "boolean": self._truth,
        }
        return rules.get(kind, self._any)(lark) if isinstance(kind, str) else self._any(lark)

    def _text(self, lark: Lark) -> str:
        if self.is_python:
            return lark.terminal(r"""/'([^'\\\n]|\\.)*'|"([^"\\\n]|\\.)*"/""")
        return lark.rule(f"{lark.literal(self.quote)} {lark.up_to(self.quote)}")

    def _truth(self, lark: Lark) -> str:
        return lark.rule('"True" | "False"' if self.is_python else '"true" | "false"')

    def _any(self, lark: Lark) -> str:
        text, key = self._text(lark), r"/[a-zA-Z_][a-zA-Z0-9_]{0,63}:/"
        nothing = '"None"' if self.is_python else '"null"'
        pair = f'({text} ":" | {key}) / ?/ value' if not self.is_python else f"{text} /: ?/ value"
        row = "({0} (/, ?/ {0})*)?"
        listed, mapped = row.format("value"), row.format(f"({pair})")
        body = (
            f"{text} | {_number(lark)} | {self._truth(lark)} | {nothing} "
            f'| "[" {listed} "]" | "{{" {mapped} "}}"'
        )
        return lark.rule(body, "value")


def _integer(lark: Lark) -> str:
    return lark.terminal("/-?[0-9]+/")


def _number(lark: Lark) -> str:
    return lark.terminal(_NUMBER)


class _LiteralReading:
    """All at once, when they have ended."""

    def __init__(
        self, quotes: Sequence[str], part: re.Pattern[str], as_json: Callable[[str], str]
    ) -> None:
        self._quotes, self._part, self._json = quotes, part, as_json
        self._at, self._depth = 0, 1

    def feed(self, text: str) -> Read:
        while found := self._part.match(text, self._at):
            part = found[0]
            if len(part) == 1 and self._is_open(text, self._at):
                break
            self._depth += (part in ("(", "[", "{")) - (part in (")", "]", "}"))
            if not self._depth:
                return Read(self._json(text[: self._at]), text[self._at :], True)
            self._at = found.end()
        return Read("", text, False)

    def _is_open(self, text: str, at: int) -> bool:
        """Whether a quote begins there, or may."""
        return any(quote.startswith(text[at : at + len(quote)]) for quote in self._quotes)
