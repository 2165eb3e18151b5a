"""The filters that templates may use: Jinja's own where they cannot make much out of little, ours
where those could.
"""

import json
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from jinja2 import pass_environment
from jinja2.filters import FILTERS, do_indent, do_round, make_attrgetter

from localspec.conversation.sandbox.meter import NODE, Function, fits
from localspec.conversation.sandbox.methods import replaced, searching

if TYPE_CHECKING:
    from localspec.conversation.sandbox.environment import Sandbox

__all__ = ["BOUNDED", "ITERATING", "PLAIN"]

ITERATING = {
    *("list", "map", "max", "min", "reject", "rejectattr", "select", "selectattr", "sort"),
    "unique",
}
PLAIN = ITERATING | {
    *("abs", "capitalize", "count", "d", "default", "dictsort", "first", "float", "int"),
    *("items", "last", "length", "lower", "reverse", "upper"),
}


@pass_environment
def _join(
    env: "Sandbox", values: Iterable[Any], d: str = "", attribute: str | int | None = None
) -> str:
    if attribute is not None:
        values = map(make_attrgetter(env, attribute), values)
    return env.joined(values, env.text(d))


@pass_environment
def _replace(env: "Sandbox", text: Any, old: Any, new: Any, count: int | None = None) -> str:
    return replaced(env.text(text), env.text(old), env.text(new), -1 if count is None else count)


@pass_environment
def _trim(env: "Sandbox", text: Any, chars: str | None = None) -> str:
    return str(searching(str.strip)(env.text(text), chars))


@pass_environment
def _indent(
    env: "Sandbox", s: Any, width: int | str = 4, first: bool = False, blank: bool = False
) -> str:
    text = env.text(s)
    lines = 2 + sum(map(text.count, "\n\r\v\f\x1c\x1d\x1e\x85\u2028\u2029"))
    fits(len(text) + lines * (NODE + (len(width) if isinstance(width, str) else width)))
    return do_indent(text, width, first, blank)


@pass_environment
def _title(env: "Sandbox", text: Any) -> str:
    text = env.text(text)
    fits(len(text) * NODE)
    return str(FILTERS["title"](text))


def _round(value: Any, precision: int = 0, method: Any = "common") -> Any:
    fits(abs(precision), NODE)
    return do_round(value, precision, method)


def _tojson(
    value: Any,
    ensure_ascii: bool = False,
    indent: int | None = None,
    separators: tuple[str, str] | None = None,
    sort_keys: bool = False,
) -> str:
    """As Transformers has it: to be read, not for HTML."""
    fits((indent or 0) + len("".join(separators or ())), 16)
    return json.dumps(
        value,
        ensure_ascii=ensure_ascii,
        indent=indent,
        separators=separators,
        sort_keys=sort_keys,
    )


@pass_environment
def _string(env: "Sandbox", value: Any) -> str:
    return env.text(value)


BOUNDED: dict[str, Function] = {
    "indent": _indent,
    "join": _join,
    "replace": _replace,
    "round": _round,
    "safe": _string,
    "string": _string,
    "title": _title,
    "tojson": _tojson,
    "trim": _trim,
}
