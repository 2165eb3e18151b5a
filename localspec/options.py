"""Whether options are any, and of the kind they should be: a mistake concerns whoever makes it.

On the engine's thread a text where a number should be would end everybody's answers. Whether
values are in range is checked where they are used.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from numbers import Integral, Real
from typing import Any

from localspec.errors import UsageError, nearest

__all__ = ["check"]


def check(options: Mapping[str, Any], known: Collection[str]) -> None:
    """Raises UsageError, where a name is none with the one that was probably meant."""
    for name, value in options.items():
        if name not in known:
            raise UsageError(f"There is no option {name!r}{nearest(name, known, '.')}")
        is_one, form = _FORMS.get(name, (_anything, ""))
        if not is_one(value):
            raise UsageError(f"{name} is {value!r}; it must be {form}.")


def _anything(_: object) -> bool:
    return True


def _number(value: object) -> bool:
    return isinstance(value, Real)


def _whole(value: object) -> bool:
    return isinstance(value, Integral) and not isinstance(value, bool)


def _whole_or_none(value: object) -> bool:
    return value is None or _whole(value)


def _mapping(value: object) -> bool:
    return isinstance(value, Mapping)


def _biases(value: object) -> bool:
    return isinstance(value, Mapping) and all(
        isinstance(token, Integral) and isinstance(bias, Real) for token, bias in value.items()
    )


def _texts(value: object) -> bool:
    return isinstance(value, Sequence) and all(isinstance(text, str) for text in value)


def _functions(value: Any) -> bool:
    listed = isinstance(value, Sequence) and all(isinstance(tool, Mapping) for tool in value)
    return listed and all(
        isinstance(function := tool.get("function"), Mapping)
        and isinstance(function.get("name"), str)
        for tool in value
    )


_PENALTIES = ("repeat_penalty", "frequency_penalty", "presence_penalty")
_FORMS: Mapping[str, tuple[Callable[[object], bool], str]] = {
    **dict.fromkeys(("temperature", "top_p", "min_p", *_PENALTIES), (_number, "a number")),
    **dict.fromkeys(("max_tokens", "seed", "logprobs"), (_whole_or_none, "a whole number or None")),
    **dict.fromkeys(("json_schema", "template"), (_mapping, "a mapping")),
    "top_k": (_whole, "a whole number"),
    "logit_bias": (_biases, "a mapping of tokens to numbers"),
    "stop": (_texts, "a text, or several"),
    "tools": (_functions, 'a list of {"type": "function", "function": {"name": …}}'),
}
