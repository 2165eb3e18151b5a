"""Commands and keys, made of the tables that define them."""

from collections.abc import Sequence
from typing import ClassVar

from localspec.tui.commands import COMMANDS
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

__all__ = ["Help"]

_WIDTH = 22


class Help(ModalScreen[None]):
    """What can be done, and how."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,f1,q", "dismiss(None)", "back")]

    def __init__(self, keys: Sequence[tuple[str, str]]) -> None:
        super().__init__()
        self._keys = keys

    def compose(self) -> ComposeResult:
        """Two tables."""
        commands = [(f"/{c.name} {c.argument}".strip(), c.meaning) for c in COMMANDS]
        with Vertical(classes="sheet"), VerticalScroll():
            yield Static(_table("Commands", commands))
            yield Static(_table("\nKeys", self._keys))
            yield Static(
                'Keys can be changed in config.toml: [keys], then e.g. chats = "f2".',
                classes="hint",
                markup=False,
            )

    def on_mount(self) -> None:
        """The table scrolls with the arrow keys."""
        self.query_one(VerticalScroll).focus()


def _table(title: str, rows: Sequence[tuple[str, str]]) -> Content:
    lines = [Content.styled(title, "bold")]
    lines += [
        Content.assemble(f"{name:<{_WIDTH}}", (text, "$foreground-muted")) for name, text in rows
    ]
    return Content("\n").join(lines)
