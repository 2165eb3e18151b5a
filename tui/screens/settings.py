"""Settings of sampling and guessing, one a line."""

from collections.abc import Iterator
from typing import Any, ClassVar

from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.widget import Widget
from textual.widgets import Input, Static

from localspec.errors import LocalspecError
from localspec.tui import knobs
from localspec.tui.screens.sheet import Sheet

__all__ = ["Settings"]

_TITLE = "Settings of the next answers"


class Settings(Sheet[None]):
    """Changes `choices` as values are typed; what makes no sense is told and not taken."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "app.focus_previous", "up", show=False),
        Binding("down,enter", "app.focus_next", "down", show=False),
    ]

    def __init__(self, choices: dict[str, Any]) -> None:
        super().__init__()
        self._choices = choices

    def content(self) -> Iterator[Widget]:
        """A line a setting."""
        defaults = knobs.defaults()
        yield Static(_TITLE, classes="name", markup=False)
        with Vertical(id="rows"):
            yield from (self._row(knob, defaults[knob.name]) for knob in knobs.KNOBS)
        yield Static(classes="hint", markup=False)

    def _row(self, knob: knobs.Knob, default: object) -> Widget:
        value = self._choices.get(knob.name)
        return Horizontal(
            Static(knob.name.replace("_", " "), classes="label", markup=False),
            Input(
                "" if value is None else _typed(value),
                placeholder=_default(knob.name, default),
                id=knob.name,
            ),
            Static(knob.meaning, classes="meaning", markup=False),
            classes="row",
        )

    def on_descendant_focus(self) -> None:
        """Say what the setting means, also where the screen is too narrow for all of them."""
        if isinstance(self.focused, Input):
            meaning = knobs.knob(str(self.focused.id)).meaning
            self.query_one(".hint", Static).update(meaning)

    def on_input_changed(self, event: Input.Changed) -> None:
        """Take a value, or say why not."""
        name = str(event.input.id)
        try:
            if event.value.strip():
                self._choices[name] = knobs.parse(name, event.value)
            else:
                self._choices.pop(name, None)
        except LocalspecError as error:
            self._refuse(str(error))
        else:
            self._refuse("")

    def _refuse(self, reason: str) -> None:
        """Say it in place of the title: the end of the sheet may lie below the screen's."""
        head = self.query_one(".name", Static)
        head.update(reason or _TITLE)
        head.set_class(bool(reason), "-refused")

    def on_input_submitted(self) -> None:
        """On to the next."""
        self.focus_next()


def _typed(value: object) -> str:
    return "off" if value == 0 and isinstance(value, int) else str(value)


def _default(name: str, value: object) -> str:
    unset = {"seed": "another each time", "max_tokens": "no limit"}
    return unset.get(name, str(value))
