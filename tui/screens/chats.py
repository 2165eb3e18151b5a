"""All conversations: to search, to open, to rename, to delete, and to bring back."""

import datetime
from collections.abc import Callable, Iterator
from typing import ClassVar

from rich.cells import set_cell_size
from textual.binding import BindingType
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from localspec.errors import LocalspecError
from localspec.tui.keys import CHATS_KEYS
from localspec.tui.screens.sheet import Listed
from localspec.tui.store import Store, Summary
from localspec.tui.text import shorten

__all__ = ["Chats", "when"]

_NONE = "There are no conversations yet."
_NOTHING = "Nothing is called so, and nobody said so."
_MOST = 500  # in the list
_MORE = f"These are the latest {_MOST}; what one types finds others."


class Chats(Listed[int | None]):
    """Dismissed with the conversation to open."""

    BINDINGS: ClassVar[list[BindingType]] = [*CHATS_KEYS]

    def __init__(self, store: Store) -> None:
        super().__init__()
        self._store = store
        self._shown: list[Summary] = []
        self._renaming: int | None = None

    def content(self) -> Iterator[Widget]:
        """What is searched for, and the list."""
        yield Static("Chats", classes="name")
        yield Input(placeholder="search titles and texts")
        yield OptionList()
        yield Static(classes="hint", markup=False)

    def on_mount(self) -> None:
        """Show all."""
        self._fill()

    def _fill(self, at: int = 0) -> None:
        options, searched = self.options, self.field.value
        try:
            self._shown = self._store.summaries(searched, _MOST)
            more = _MORE if len(self._shown) == _MOST else ""
            self._hint(more if self._shown else _NOTHING if searched.strip() else _NONE)
        except LocalspecError as error:
            self._hint(str(error))
        width = max(20, self.room - 14)
        options.clear_options()
        options.add_options(
            Option(
                Content.assemble(
                    f"{set_cell_size(shorten(s.title, width), width)} ",
                    (f"{when(s.updated):>12}", "$foreground-muted"),
                )
            )
            for s in self._shown
        )
        options.highlighted = min(at, len(self._shown) - 1) if self._shown else None

    def _hint(self, text: str) -> None:
        self.query_one(".hint", Static).update(text)

    @property
    def _at(self) -> int | None:
        return self.options.highlighted

    @property
    def _deleted(self) -> int | None:
        """The one that can be brought back."""
        try:
            return self._store.last_deleted()
        except LocalspecError:
            return None

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """While a name is typed, only that."""
        if self._renaming is not None:
            return action == "back"
        return self._deleted is not None if action == "undo" else True

    def on_input_changed(self) -> None:
        """Search."""
        if self._renaming is None:
            self._fill()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Open, or take the new name."""
        if self._renaming is not None:
            if event.value.strip():
                self._attempt(lambda: self._store.rename(self._renaming or 0, event.value.strip()))
            self._end_renaming()
        elif self._at is not None:
            self.dismiss(self._shown[self._at].id)

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Open by a click."""
        self.dismiss(self._shown[event.option_index].id)

    def action_back(self) -> None:
        """Give up renaming, or leave."""
        if self._renaming is None:
            self.dismiss(None)
        else:
            self._end_renaming()

    def action_rename(self) -> None:
        """Type another name where one searches."""
        if self._at is None:
            return
        chosen = self._shown[self._at]
        self._renaming = chosen.id
        field = self.field
        with field.prevent(Input.Changed):
            field.value = chosen.title
        field.cursor_position = len(chosen.title)
        self._hint("Type another name; enter takes it, esc leaves it.")
        self.refresh_bindings()

    def _end_renaming(self) -> None:
        renamed, self._renaming = self._renaming, None
        field = self.field
        with field.prevent(Input.Changed):
            field.value = ""
        self._fill()
        self._highlight(renamed)
        self.refresh_bindings()

    def _highlight(self, conversation: int | None) -> None:
        ids = [summary.id for summary in self._shown]
        if conversation in ids:
            self.options.highlighted = ids.index(conversation)

    def action_delete(self) -> None:
        """Delete; it can be undone."""
        at = self._at
        if at is None:
            return
        chosen = self._shown[at]
        if self._attempt(lambda: self._store.delete(chosen.id)):
            self._fill(at)
            self._hint(f"Deleted “{shorten(chosen.title, 40)}”; ctrl+z brings it back.")
            self.refresh_bindings()

    def action_undo(self) -> None:
        """Bring the last one back."""
        back = self._deleted
        if back is not None and self._attempt(lambda: self._store.restore(back)):
            self._fill()
            self._highlight(back)
            self.refresh_bindings()

    def _attempt(self, deed: Callable[[], None]) -> bool:
        try:
            deed()
        except LocalspecError as error:
            self._hint(str(error))
            return False
        return True


def when(moment: float, now: datetime.datetime | None = None) -> str:
    """A moment as people speak of it."""
    then = datetime.datetime.fromtimestamp(moment)
    today = (now or datetime.datetime.now()).date()
    days = (today - then.date()).days
    if days <= 0:
        return f"{then:%H:%M}"
    if days == 1:
        return "yesterday"
    return f"{then:%a}" if days < 7 else f"{then:%d %b %Y}".lstrip("0")
