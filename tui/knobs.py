"""What a person can set about answers: names, how values are typed, what they mean."""

from collections.abc import Callable, Mapping
from dataclasses import fields
from typing import Any, NamedTuple

from localspec.arguments.common import speculation
from localspec.errors import UsageError

__all__ = ["KNOBS", "Knob", "check", "defaults", "knob", "parse"]


class Knob(NamedTuple):
    """A setting. `read` makes a value of what was typed and raises ValueError."""

    name: str
    read: Callable[[str], Any]
    form: str
    meaning: str


def _speculation(text: str) -> str | int:
    try:
        return speculation(text)
    except Exception as error:
        raise ValueError(str(error)) from None


KNOBS = (
    Knob("temperature", float, "a number", "0: always the likeliest token; 1: as trained"),
    Knob("top_p", float, "0 to 1", "choose among the likeliest tokens that hold this share"),
    Knob("top_k", int, "a whole number", "choose among this many tokens; 0: all"),
    Knob("min_p", float, "0 to 1", "leave out tokens less likely than this share of the best"),
    Knob("repeat_penalty", float, "a number", "above 1, tokens seen before become less likely"),
    Knob("max_tokens", int, "a whole number", "end an answer after this many tokens"),
    Knob("seed", int, "a whole number", "repeat answers exactly; unset: another one each time"),
    Knob("speculation", _speculation, "auto, off or a number", "how many tokens to guess a step"),
)


def knob(name: str) -> Knob:
    """The setting called `name`, with - or _. Raises UsageError where there is none."""
    wanted = name.strip().lower().replace("-", "_")
    for known in KNOBS:
        if known.name == wanted:
            return known
    names = ", ".join(known.name for known in KNOBS)
    raise UsageError(f"There is no setting {name!r}; there are {names}.")


def parse(name: str, text: str) -> Any:
    """The value somebody typed for a setting. Raises UsageError."""
    found = knob(name)
    try:
        value = found.read(text.strip())
    except ValueError:
        raise UsageError(f"{text!r} is no {found.name}; it must be {found.form}.") from None
    check({found.name: value})
    return value


def check(choices: Mapping[str, Any]) -> None:
    """Raises UsageError where values make no sense."""
    from localspec import Sampling  # brings llama.cpp along, which the chat starts without

    names = {field.name for field in fields(Sampling)}
    Sampling(**{name: value for name, value in choices.items() if name in names})
    if choices.get("max_tokens", 1) < 1:
        raise UsageError(f"max_tokens is {choices['max_tokens']}; it must be at least 1.")


def defaults() -> dict[str, Any]:
    """What holds where nothing is chosen; None: no limit, or another one each time."""
    from localspec import Sampling

    values = {field.name: field.default for field in fields(Sampling)}
    unset = {"seed": None, "max_tokens": None, "speculation": "auto"}
    return {known.name: unset.get(known.name, values.get(known.name)) for known in KNOBS}
