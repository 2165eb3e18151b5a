"""A parser that says what is wrong in one sentence, and what was probably meant."""

import argparse
import sys
from typing import Any, NoReturn

from localspec.errors import UsageError, nearest

__all__ = ["Parser", "form"]

_PLAINER = {
    "expected one argument": "needs a value",
    "ignored explicit argument": "takes no value, and was given",
    "the following arguments are required": "missing",
}


class Parser(argparse.ArgumentParser):
    """Without anything to do it shows its help; mistakes are UsageErrors."""

    def __init__(self, **options: Any) -> None:
        super().__init__(exit_on_error=False, **options)

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """What is said, and nothing that is not known: a verb names its own flags best."""
        said = sys.argv[1:] if args is None else list(args)
        if self._subparsers and not said:
            self.print_help(sys.stderr)
            self.exit(2)
        try:
            options, unknown = super().parse_known_args(said, namespace)
        except argparse.ArgumentError as error:
            self.error(" ".join(filter(None, (error.argument_name, error.message))))
        if unknown:
            self.error(self._unknown(unknown))
        return options, unknown

    def error(self, message: str) -> NoReturn:
        """Raises UsageError."""
        for terse, plain in _PLAINER.items():
            message = message.replace(terse, plain)
        sentence = message[0].upper() + message[1:]
        if not sentence.endswith("?"):
            sentence += f"; {self.prog} --help shows how."
        raise UsageError(sentence)

    def _unknown(self, said: list[str]) -> str:
        flag = next((text.partition("=")[0] for text in said if text.startswith("-")), None)
        if flag is None:
            return f"there is no place for {said[0]!r}; a text of several words needs quotes"
        if self._subparsers:
            return f"{flag} is no flag here; those of a command stand after it"
        return f"there is no flag {flag}{nearest(flag, self._option_string_actions)}"

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        if action.choices is None or value in action.choices:
            return
        if isinstance(action, argparse._SubParsersAction):
            near = nearest(value, action.choices, f"; there are {', '.join(action.choices)}")
            self.error(f"there is no {str(action.metavar).lower()} {value!r}{near}")
        raise argparse.ArgumentError(action, f"cannot be {value!r}; it must be {form(action)}")

    def _get_value(self, action: argparse.Action, text: str) -> Any:
        if action.type not in (int, float):  # all others say what they want
            return super()._get_value(action, text)
        try:
            return action.type(text)
        except (ValueError, OverflowError):
            wrong = f"cannot be {text!r}; it must be {form(action)}"
            raise argparse.ArgumentError(action, wrong) from None


def form(action: argparse.Action) -> str:
    """What a flag's value must be, in words."""
    if action.choices is not None:
        return " or ".join(map(str, action.choices))
    if action.type in (int, float):
        return "a whole number" if action.type is int else "a number"
    return "text" if action.type is None else str(action.metavar)
