"""The conversation: its latest messages, the end in view for as long as the reader is there."""

from collections.abc import Sequence
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.widget import Widget
from textual.widgets import Static

from localspec.tui.store import Message, Tree
from localspec.tui.widgets.message import Answer, MessageView, Question

__all__ = ["Conversation"]

_PAGE = 30  # messages drawn at once


class Earlier(Static, can_focus=True):
    """A line that stands for messages further up."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter", "earlier", "show earlier messages")]

    def action_earlier(self) -> None:
        """Draw them."""
        conversation = self.parent
        if isinstance(conversation, Conversation):
            conversation.run_worker(conversation.show_earlier())

    def on_click(self) -> None:
        """As with enter."""
        self.action_earlier()


class Conversation(VerticalScroll, can_focus=False):
    """Views of the messages of one branch."""

    tinted = False
    running: int | None = None
    """The message that is an answer on its way."""

    def __init__(self) -> None:
        super().__init__()
        self._tree = Tree()
        self._hidden: list[Message] = []

    async def show(self, tree: Tree, before: Sequence[Widget] = ()) -> None:
        """Show the branch to the tree's head, with `before` where it is empty."""
        self._tree = tree
        path = tree.path()
        self._hidden, shown = path[:-_PAGE], path[-_PAGE:]
        with self.app.batch_update():
            await self.remove_children()
            await self.mount_all([*self._earlier(), *map(self._view, shown)] or before)
        self.anchor()

    async def add(self, message: Message) -> MessageView:
        """Put a message at the end, and go there."""
        view = self._view(message)
        await self.mount(view)
        self.anchor()
        return view

    async def show_earlier(self) -> None:
        """Draw one page more."""
        for earlier in self.query(Earlier):
            await earlier.remove()
        page, self._hidden = self._hidden[-_PAGE:], self._hidden[:-_PAGE]
        await self.mount_all([*self._earlier(), *map(self._view, page)], before=0)
        self.views[len(page)].focus()

    async def set_tinted(self, tinted: bool) -> None:
        """Show guesses in colour, or not."""
        self.tinted = tinted
        with self.app.batch_update():
            for answer in self.query(Answer):
                await answer.set_tinted(tinted)

    @property
    def views(self) -> list[MessageView]:
        """In the order of the conversation."""
        return [view for view in self.children if isinstance(view, MessageView)]

    def neighbour(self, view: MessageView, step: int) -> MessageView | None:
        """The message before or after one; None past the ends."""
        views = self.views
        at = views.index(view) + step
        return views[at] if 0 <= at < len(views) else None

    def _earlier(self) -> list[Widget]:
        if not self._hidden:
            return []
        return [Earlier(f"↑ {len(self._hidden):,} earlier messages")]

    def _view(self, message: Message) -> MessageView:
        siblings = [sibling.id for sibling in self._tree.siblings(message.id)]
        place = (siblings.index(message.id) + 1, len(siblings))
        if message.role == "user":
            return Question(message, place)
        running = message.id == self.running
        return Answer(message, place, tinted=self.tinted, running=running)
