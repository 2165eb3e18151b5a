"""What sheets have in common: a frame over the chat with the keys that hold there, lists in it."""

from collections.abc import Iterator
from typing import ClassVar, TypeVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widget import Widget
from textual.widgets import Input, OptionList

from localspec.tui.widgets.hints import Hints

__all__ = ["Listed", "Sheet"]

_WIDTH, _PADDING = 84, 2  # cells, as chat.tcss says
T = TypeVar("T")


class Sheet(ModalScreen[T]):
    """Lies over the chat until escape."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "back", "back")]

    def compose(self) -> ComposeResult:
        """What is in it, in its frame."""
        with Vertical(classes="sheet"):
            yield from self.content()
        yield Hints()

    def content(self) -> Iterator[Widget]:
        """What is in it."""
        raise NotImplementedError

    @property
    def room(self) -> int:
        """Cells for text in a line."""
        return min(_WIDTH, self.app.size.width) - 2 * _PADDING

    def action_back(self) -> None:
        """Leave."""
        self.dismiss(None)


class Listed(Sheet[T]):
    """With a list below a field; one goes up and down in it while one types."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "move(-1)", show=False),
        Binding("down", "move(1)", show=False),
        Binding("pageup", "page('up')", show=False),
        Binding("pagedown", "page('down')", show=False),
    ]

    @property
    def field(self) -> Input:
        """Where one types."""
        return self.query_one(Input)

    @property
    def options(self) -> OptionList:
        """What can be chosen."""
        return self.query_one(OptionList)

    def on_mount(self) -> None:
        """The keys stay with the field."""
        self.options.can_focus = False

    def action_move(self, step: int) -> None:
        """Up or down, and from an end to the other."""
        if self.options.option_count:
            to = (self.options.highlighted or 0) + step
            self.options.highlighted = to % self.options.option_count

    async def action_page(self, way: str) -> None:
        """As much as can be seen, up or down."""
        await self.app.run_action(f"page_{way}", self.options)
