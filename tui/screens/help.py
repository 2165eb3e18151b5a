"""Commands and keys, made of the tables that define them."""

import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static

from localspec import folders
from localspec.tui.keys import (
    ANSWER_KEYS,
    COMMAND_KEYS,
    KEYS,
    MESSAGE_KEYS,
    NAMED_KEYS,
    PROMPT_KEYS,
    QUESTION_KEYS,
)
from localspec.tui.screens.sheet import Sheet

if TYPE_CHECKING:
    from localspec.tui.commands import Command

__all__ = ["Help"]

_KEY_WIDTHS = (18, 26)  # cells, on narrow and on wide screens
_NAME_WIDTH = max(map(len, NAMED_KEYS)) + len('""')
_SCROLLBAR = 3  # cells, with some air
Row = tuple[str, str]


class Help(Sheet[None]):
    """What can be done, and how. `changed` are keys that are not as they were made, by name."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("f1,q", "back", show=False)]

    def __init__(self, commands: Sequence["Command"], changed: Mapping[str, str]) -> None:
        super().__init__()
        self._commands, self._changed = commands, changed

    def content(self) -> Iterator[Widget]:
        """Tables."""
        commands = [
            (f"/{c.name} {c.argument}".strip(), self._with_key(c.name, c.meaning))
            for c in self._commands
        ]
        width = self.room - _SCROLLBAR
        with VerticalScroll():
            yield Static(_table("Commands", commands, width))
            yield Static(_table("Keys", [*self._rows(KEYS), *_FIXED], width))
            yield Static(_table("While typing", [*_TYPING, *self._rows(PROMPT_KEYS)], width))
            chosen = self._rows([*MESSAGE_KEYS, *QUESTION_KEYS, *ANSWER_KEYS])
            yield Static(_table("On a message (shift+tab goes there)", chosen, width))
            yield Static(_changing(self._changed), classes="hint", markup=False)

    def on_mount(self) -> None:
        """The tables scroll with the arrow keys."""
        self.query_one(VerticalScroll).focus()

    def _rows(self, keys: Iterable[Binding]) -> list[Row]:
        """Keys as they are now, and what they do."""
        return [
            (self._changed.get(key.id, key.key).replace(",", ", "), key.tooltip)
            for key in keys
            if key.tooltip and key.id
        ]

    def _with_key(self, command: str, meaning: str) -> str:
        """What a command does, and the key that does it too."""
        key = COMMAND_KEYS.get(command)
        return f"{meaning} · {self._changed.get(key.id or '', key.key)}" if key else meaning


_FIXED = [("ctrl+p", "find a command"), ("ctrl+q", "leave; everything is kept")]
_TYPING = [("enter", "send"), ("up, down", "what was asked before")]


def _table(title: str, rows: Sequence[Row], width: int) -> Content:
    """Rows of key and meaning; meanings wrap in their column."""
    lines = [Content.styled(title, "bold")]
    left = _KEY_WIDTHS[width > 2 * max(_KEY_WIDTHS)]
    for key, meaning in rows:
        head, *more = textwrap.wrap(meaning, max(16, width - left))
        if len(key) >= left:
            lines.append(Content(key))
            key = ""
        lines.append(Content.assemble(f"{key:<{left}}", (head, "$foreground-muted")))
        lines += [Content.styled(" " * left + line, "$foreground-muted") for line in more]
    return Content("\n").join([*lines, Content("")])


def _changing(changed: Mapping[str, str]) -> str:
    """How keys are changed: what would stand in the settings to have them as they are."""
    path = folders.config() / "config.toml"
    lines = [f"Keys can be changed in {path}. As they are now:", "", "[keys]"]
    for name, key in {**NAMED_KEYS, **changed}.items():
        bare = f'"{name}"' if "." in name else name
        lines.append(f'{bare:<{_NAME_WIDTH}} = "{key}"')
    return "\n".join(lines)
