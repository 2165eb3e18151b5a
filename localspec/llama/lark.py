"""Grammars in Lark's notation, which llguidance reads."""

import json
import re
from collections.abc import Iterable, Mapping
from itertools import count
from typing import Any

__all__ = ["Lark", "json_rule"]

_ANY = r"/(.|\n)*/"


class Lark:
    """A grammar, rule by rule. `special` are tokens that are no text to llguidance."""

    def __init__(self, special: Mapping[str, int]) -> None:
        self.special = special
        self._lines, self._names = ["%llguidance {}"], (f"part_{i}" for i in count())
        self._known = dict[tuple[str, bool], str]()

    def __str__(self) -> str:
        return "\n".join(self._lines)

    def rule(self, body: str, name: str = "", *, lazy: bool = False) -> str:
        """A rule, by default with a name of its own; a `lazy` one ends as soon as it can."""
        known = self._known.get((body, lazy))
        if known and name in ("", known):
            return known
        name = name or next(self._names)
        self._known[body, lazy] = name
        self._lines.append(f"{name}{'[lazy]' if lazy else ''}: {body}")
        return name

    def terminal(self, pattern: str) -> str:
        """Text, as a regular expression has it, or several with `&` and `~`."""
        known = self._known.get((pattern, False))
        return known or self.rule(pattern, next(self._names).upper())

    def parts(self, text: str) -> list[str]:
        """`text` cut where special tokens begin and end."""
        inside = (s for s in self.special if s in text)
        pattern = "|".join(map(re.escape, sorted(inside, key=len, reverse=True))) or "(?!)"
        return [part for part in re.split(f"({pattern})", text) if part] or [""]

    def literal(self, text: str) -> str:
        """`text` as a row of texts and special tokens."""
        return " ".join(map(self._one, self.parts(text))) if text else ""

    def _one(self, part: str) -> str:
        return f"<[{self.special[part]}]>" if part in self.special else json.dumps(part)

    def up_to(self, end: str) -> str:
        """Any text until `end` has been written."""
        first, *rest = self.parts(end)
        if first.isspace() and rest:  # no one could tell it from the text's own
            first, *rest = rest
        if first in self.special:
            return self.rule(f"{_ANY} {self.literal(first + ''.join(rest))}")
        until = self.rule(f"{_ANY} {json.dumps(first)}", lazy=True)
        return f"{until} {self.literal(''.join(rest))}" if rest else until

    def any_special(self, but: Iterable[str] = ()) -> str:
        """Any special token except some; "" where there is none."""
        tokens = sorted(token for text, token in self.special.items() if text not in {*but})
        return f"<[{','.join(_ranges(tokens))}]>" if tokens else ""


def _ranges(numbers: Iterable[int]) -> Iterable[str]:
    ranges = list[list[int]]()
    for number in numbers:
        if ranges and number == ranges[-1][1] + 1:
            ranges[-1][1] = number
        else:
            ranges.append([number, number])
    return [f"{first}-{last}" if first < last else f"{first}" for first, last in ranges]


def json_rule(schema: Mapping[str, Any], *, lenient: bool = False) -> str:
    """All JSON that matches a schema, as Lark takes it. A `lenient` rule passes over what no
    grammar can say (that items are unique, what names properties may have).

    Between tokens a space or a line with its indentation may stand: a small model that may write
    any amount of white space sometimes writes nothing else.
    """
    manners = {
        "whitespace_pattern": r"( |\n[ \t]{0,16})?",
        "coerce_one_of": True,  # alternatives that exclude each other, as those of unions do
        "lenient": lenient,
    }
    return f"%json {json.dumps({**schema, 'x-guidance': manners})}"
