"""Prompts made of fields: 'Summarise: {text}' over the columns of a table or the keys of a line."""

import json
from collections.abc import Mapping
from string import Formatter

from localspec.errors import UsageError

__all__ = ["Template"]


class Template:
    """Text with fields in braces; `{{` and `}}` are braces themselves."""

    def __init__(self, text: str) -> None:
        """Raises UsageError where `text` is no template, or one without fields."""
        try:
            parts = list(Formatter().parse(text))
        except ValueError as error:
            raise UsageError(f"The template {text!r} is not one: {error}.") from None
        for _, name, form, conversion in parts:
            if name is not None and (not name or form or conversion):
                raise UsageError(
                    f"The template {text!r} may hold field names alone in its braces, as {{text}}."
                )
        self._parts = [(literal, name) for literal, name, _, _ in parts]
        if not any(name for _, name in self._parts):
            raise UsageError(f"The template {text!r} has no field, as {{text}}, to put in.")

    def fill(self, fields: Mapping[str, object]) -> str:
        """The prompt for one record. Raises KeyError with the name of a field it lacks."""
        return "".join(
            literal + ("" if name is None else _spoken(fields[name]))
            for literal, name in self._parts
        )


def _spoken(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
