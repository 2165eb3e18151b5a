"""The methods of values that templates may call: Python's own where they cannot make much out of
little, ours where those could.
"""

from typing import Any

from jinja2.exceptions import SecurityError

from localspec.conversation.sandbox.meter import NODE, SEARCH, Function, fits

__all__ = ["CHANGING", "METHODS", "replaced", "searching"]

CHANGING = {"append", "pop"}
"""Methods that change their list."""


def replaced(text: str, old: str, new: str, count: int = -1) -> str:
    """`str.replace`, which knows its length beforehand."""
    found = text.count(old)
    fits(len(text) + (found if count < 0 else min(found, count)) * len(new))
    return text.replace(old, new, count)


def _separating(text: str, values: Any) -> str:
    fits(len(values) * (NODE + len(text)) + sum(map(len, values)))
    return text.join(values)


def _formatted(text: str, *values: str | int) -> str:
    """`str.format` with `{}` for texts and numbers; other fields reach into what they show."""
    parts = text.split("{}")
    plain = all(isinstance(value, (str, int)) for value in values)
    if not plain or len(parts) > len(values) + 1 or any(c in part for part in parts for c in "{}"):
        raise SecurityError("formatting text with more than {} for text is not allowed")
    shown = [str(value) for value in values]
    fits(len(text) + sum(map(len, shown)))
    return "".join(f"{part}{value}" for part, value in zip(parts, [*shown, ""], strict=False))


def searching(method: Function) -> Function:
    """For methods that may compare every character with every one of their argument."""

    def run(text: str, *args: Any, **kwargs: Any) -> Any:
        given = (*args, *kwargs.values())
        longest = max((len(arg) for arg in given if isinstance(arg, str)), default=0)
        fits(len(text) * longest, SEARCH)
        return method(text, *args, **kwargs)

    return run


def _listing(method: Function) -> Function:
    """For views of a dict, which would not weigh what they show."""
    return lambda owner: list(method(owner))


_PLAIN = (
    *("capitalize", "count", "endswith", "find", "index", "isalnum", "isalpha", "isdigit"),
    *("islower", "isspace", "isupper", "lower", "removeprefix", "removesuffix", "split"),
    *("startswith", "title", "upper"),
)
METHODS: dict[type, dict[str, Function]] = {
    str: {
        **{name: getattr(str, name) for name in _PLAIN},
        "format": _formatted,
        "join": _separating,
        "lstrip": searching(str.lstrip),
        "replace": replaced,
        "rfind": searching(str.rfind),
        "rindex": searching(str.rindex),
        "rsplit": searching(str.rsplit),
        "rstrip": searching(str.rstrip),
        "strip": searching(str.strip),
    },
    dict: {
        "get": dict.get,
        "items": _listing(dict.items),
        "keys": _listing(dict.keys),
        "values": _listing(dict.values),
    },
    list: {name: getattr(list, name) for name in ("append", "count", "index", "pop")},
    tuple: {"count": tuple.count, "index": tuple.index},
}
