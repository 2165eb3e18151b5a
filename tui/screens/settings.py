"""Settings of sampling and guessing, one a line."""

from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from localspec.errors import LocalspecError
from localspec.tui import knobs

__all__ = ["Settings"]

_TITLE = "Settings of the next answers"


class Settings(ModalScreen[None]):
    """Changes `choices` as values are typed; what makes no sense is told and not taken."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss(None)", "back"),
        Binding("up", "app.focus_previous", "up", show=False),
        Binding("down,enter", "app.focus_next", "down", show=False),
    ]

    def __init__(self, choices: dict[str, Any]) -> None:
        super().__init__()
        self._choices = choices

    def compose(self) -> ComposeResult:
        """A line a setting."""
        defaults = knobs.defaults()
        with Vertical(classes="sheet"):
            yield Static(_TITLE, classes="name", markup=False)
            for knob in knobs.KNOBS:
                value = self._choices.get(knob.name)
                with Horizontal(classes="row"):
                    yield Static(knob.name.replace("_", " "), classes="label", markup=False)
                    yield Input(
                        "" if value is None else _typed(value),
                        placeholder=_default(knob.name, defaults[knob.name]),
                        id=knob.name,
                    )
                    yield Static(knob.meaning, classes="meaning", markup=False)
            yield Static(classes="hint", markup=False)

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
