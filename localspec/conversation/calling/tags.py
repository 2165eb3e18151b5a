"""Arguments of a call between tags: `<parameter=city>Bern</parameter>`."""

import functools
import json
import re
from collections.abc import Mapping
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
from localspec.conversation.calling.wording import MORE, SLOT, past
from localspec.decoding.text import overlap
from localspec.llama.lark import Lark, json_rule

__all__ = ["Tags"]

_PYTHON = {"True": True, "False": False, "None": None}
_KEY = r"/[^\s<>\[\]{}\"'=|:]{1,64}/"


@dataclass(frozen=True)
class Tags:
    """Texts stand as they are, other values as JSON. A `SLOT` is the key once more."""

    before: str
    middle: str
    after: str
    other: str
    """What stands in the place of `middle` before what is no text."""

    def written(self, arguments: str) -> str:
        """One after another."""
        return one_by_one(arguments, self._one)

    def _one(self, key: str, value: object) -> str:
        middle = self.middle if isinstance(value, str) else self.other
        text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        return f"{self.before}{key}{middle}{text}{self.closing(key)}"

    def closing(self, key: str) -> str:
        """What stands after the value called `key`."""
        return self.after.replace(SLOT, key)

    def begin(self, text: str, at: int) -> int | None:
        """With a tag, or what stands after all of them."""
        if at == len(text):
            return MORE
        return None if text[at].isalnum() or text[at] in "_-" else at

    def reading(self, schema: Schema) -> Reading:
        """As long as there are tags."""
        return _TagReading(self, properties(schema))

    def rule(self, lark: Lark, schema: Schema) -> str:
        """In the order of the schema."""
        schema = closed(schema)
        defined = {key: schema[key] for key in ("$defs", "definitions") if key in schema}
        parts = list[str]()
        for key, value in properties(schema).items():
            part = lark.rule(self._rule(lark, key, value, defined))
            parts.append(part if key in required(schema) else f"{part}?")
        if schema.get("additionalProperties", True) is not False and SLOT not in self.after:
            before, middle = lark.literal(self.before), lark.literal(self.middle)
            parts.append(f"({before} {_KEY} {middle} {lark.up_to(self.after)})*")
        return " ".join(parts) or '""'

    def _rule(self, lark: Lark, key: str, schema: Schema, defined: Schema) -> str:
        named, after = self.before + key, self.closing(key)
        if not _is_text(schema):
            value = json_rule({**defined, **schema}, lenient=True)
            return f"{lark.literal(named + self.other)} {value} {lark.literal(after)}"
        named = lark.literal(named + self.middle)
        if isinstance(schema.get("enum"), list):
            one = " | ".join(lark.literal(str(value)) for value in schema["enum"])
            return f"{named} ({one}) {lark.literal(after)}"
        return f"{named} {lark.up_to(after)}"


class _TagReading:
    """Texts are read while they are being written, other values when they have ended."""

    def __init__(self, tags: Tags, properties: Mapping[str, Schema]) -> None:
        self._tags, self._properties = tags, properties
        self._key: str | None = None
        self._any = self._is_text = self._begun = False

    def feed(self, text: str) -> Read:
        news, before = "", None
        while text != before:
            before = text
            if self._key is not None:
                said, text = self._value(text, self._key)
            elif self._is_over(text):
                return Read(news + ("}" if self._any else "{}"), text, True)
            else:
                said, text = self._named(text)
            news += said
        return Read(news, text, False)

    def _is_over(self, text: str) -> bool:
        """Whether no key follows; a closing tag may begin like one."""
        start = past(text, self._tags.before)
        return start is None or (start != MORE and text[start : start + 1] == "/")

    def _named(self, text: str) -> tuple[str, str]:
        """JSON of a key, and the text after it and the white space that belongs to it."""
        tags, start = self._tags, past(text, self._tags.before)
        if start is None or start == MORE:
            return "", text
        found = [
            (match.start(), match.end(), middle)
            for middle in {tags.middle, tags.other}
            if (match := _loosely(middle.rstrip()).search(text, start))
        ]
        if not found:
            return "", text
        at, end, middle = min(found)
        rest, blank = text[end:], middle[len(middle.rstrip()) :]
        if blank.startswith(rest) and rest != blank:
            return "", text
        key = text[start:at].strip()
        if tags.middle == tags.other:
            self._is_text = _is_text(self._properties.get(key, {}))
        else:
            self._is_text = middle == tags.middle
        news = f"{', ' if self._any else '{'}{json.dumps(key, ensure_ascii=False)}: "
        self._key, self._any = key, True
        return news, rest.removeprefix(blank)

    def _value(self, text: str, key: str) -> tuple[str, str]:
        """JSON of what was said of a value, and the text after it."""
        closing = self._tags.closing(key)
        mark = closing.strip()
        said, found, rest = text.partition(mark)
        if found:
            said = said.removesuffix(closing[: closing.index(mark)])
            self._key = None
        elif self._is_text:
            said = text[: len(text) - overlap(text, mark)].rstrip()
            rest = text[len(said) :]
        else:
            return "", text
        if not self._is_text:
            return json.dumps(_value(said, self._properties.get(key, {})), ensure_ascii=False), rest
        if not said and not found:
            return "", text
        news = json.dumps(said, ensure_ascii=False)[1:-1]
        news = ("" if self._begun else '"') + news + ('"' if found else "")
        self._begun = not found
        return news, rest


@functools.cache
def _loosely(mark: str) -> re.Pattern[str]:
    """A mark with any white space in it, and between its tags."""
    return re.compile(r"\s*".join(map(re.escape, re.split(r"\s+|(?<=>)(?=<)", mark))))


def _kinds(schema: Schema) -> set[str]:
    """What JSON schema calls types; none where it does not say."""
    given, values = schema.get("type"), schema.get("enum")
    if given is None and isinstance(values, list):
        return {"string"} if values and all(isinstance(value, str) for value in values) else set()
    kinds = given if isinstance(given, list) else [given]
    return {kind for kind in kinds if isinstance(kind, str)}


def _is_text(schema: Schema) -> bool:
    return _kinds(schema) == {"string"}


def _value(said: str, schema: Schema) -> object:
    """What was said of something that may be no text."""
    try:
        value = json.loads(said)
    except (ValueError, RecursionError):
        value = _PYTHON.get(said.strip(), said)
    kinds = _kinds(schema)
    is_other = not isinstance(value, str) and (not kinds & {"string"} or kinds & _kinds_of(value))
    return value if is_other else said


def _kinds_of(value: object) -> set[str]:
    """What JSON schema calls a value that is no text."""
    if isinstance(value, dict | list):
        return {"object" if isinstance(value, dict) else "array"}
    if value is None or isinstance(value, bool):
        return {"null" if value is None else "boolean"}
    return {"number", *(["integer"] if isinstance(value, int) else [])}
