"""Commands and keys, made of the tables that define them."""

import textwrap
from collections.abc import Mapping, Sequence
from typing import ClassVar

from localspec.tui.commands import COMMANDS
from localspec.tui.screens.sheet import room
from localspec.tui.widgets.message import Answer, MessageView, Question
from localspec.tui.widgets.prompt import Typing
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

__all__ = ["Help"]

_NAME_WIDTH, _MEANING_WIDTH, _NARROW = 26, 42, 18
_SCROLLBAR = 3  # cells, with some air
Row = tuple[str, str, str]
_CHANGING = """Keys can be changed in config.toml, by the names on the right:

[keys]
chats = "f2\""""


class Help(ModalScreen[None]):
    """What can be done, and how. `keys` are those that were changed, by name."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,f1,q", "dismiss(None)", "back")]

    def __init__(self, keys: Mapping[str, str]) -> None:
        super().__init__()
        self._changed = keys

    def compose(self) -> ComposeResult:
        """Tables."""
        commands = [(f"/{c.name} {c.argument}".strip(), c.meaning, "") for c in COMMANDS]
        width = room(self.app) - _SCROLLBAR
        with Vertical(classes="sheet"), VerticalScroll():
            yield Static(_table("Commands", commands, width))
            yield Static(_table("Keys", [*self._keys(type(self.app)), *_FIXED], width))
            yield Static(_table("While typing", [*_TYPING, *self._keys(Typing)], width))
            chosen = self._keys(MessageView, Question, Answer)
            yield Static(_table("On a message (shift+tab goes there)", chosen, width))
            yield Static(_CHANGING, classes="hint", markup=False)

    def on_mount(self) -> None:
        """The tables scroll with the arrow keys."""
        self.query_one(VerticalScroll).focus()

    def _keys(self, *owners: type) -> list[Row]:
        """Keys as they are now, what they do, and their names."""
        return [
            (self._changed.get(b.id, b.key).replace(",", ", "), b.tooltip, b.id)
            for owner in owners
            for b in owner.__dict__["BINDINGS"]
            if b.tooltip and b.id
        ]


_FIXED = [("ctrl+p", "find a command", ""), ("ctrl+q", "leave; everything is kept", "")]
_TYPING = [
    ("enter", "send", ""),
    ("up, down", "what was asked before", ""),
]


def _table(title: str, rows: Sequence[Row], width: int) -> Content:
    """Rows of key, meaning and, where there is room, name; meanings wrap in their column."""
    wide = width >= _NAME_WIDTH + _MEANING_WIDTH + 16
    first = _NAME_WIDTH if wide else _NARROW
    second = _MEANING_WIDTH if wide else max(16, width - first)
    lines = [Content.styled(title, "bold")]
    for key, meaning, name in rows:
        head, *more = textwrap.wrap(meaning, second)
        if len(key) >= first:
            lines.append(Content(key))
            key = ""
        end = f"{head:<{second}}{name}" if wide else head
        lines.append(Content.assemble(f"{key:<{first}}", (end, "$foreground-muted")))
        lines += [Content.styled(" " * first + line, "$foreground-muted") for line in more]
    return Content("\n").join([*lines, Content("")])
