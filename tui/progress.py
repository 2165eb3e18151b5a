"""What moves on the screen while something is under way: an answer, a model being loaded.

One timer drives it, and rests when there is nothing to show.
"""

from typing import TYPE_CHECKING

from localspec.errors import LocalspecError
from localspec.tui.figures import Figures, Meter
from localspec.tui.loader import Loader
from localspec.tui.pace import Pace
from localspec.tui.session import Session
from localspec.tui.telling import Part, idle, quiet
from localspec.tui.widgets.message import Answer

if TYPE_CHECKING:
    from localspec.tui.app import Chat

__all__ = ["Progress"]


class Progress:
    """Draws what the session's answer has come to, and how fast."""

    def __init__(self, chat: "Chat", session: Session, loader: Loader) -> None:
        self._chat, self._session, self._loader = chat, session, loader
        self._pace = Pace()
        self._view: Answer | None = None
        self._ticking = False

    async def follow(self) -> None:
        """Draw the answer that has begun, and what comes of it."""
        running = self._session.running
        if running and self._view is None:
            conversation = self._chat.conversation
            conversation.running = running.message.id
            if running.message.id not in {view.message.id for view in conversation.views}:
                await conversation.add(running.message)
            self._view = conversation.query_one(f"#message-{running.message.id}", Answer)
            self._chat.refresh_bindings()
        self.wake()

    def lose(self) -> None:
        """The views are drawn anew."""
        self._view = None

    def wake(self) -> None:
        """Tick for as long as something is under way."""
        if not self._ticking:
            self._ticking = True
            self._chat.set_timer(self._pace.interval(), self._tick)

    async def _tick(self) -> None:
        self._ticking = False
        if self._loader.loading:
            what = self._loader.model or "a model"
            self._chat.window.strip.wait(f"loading {what}, {self._loader.seconds:.0f} s")
        if self._session.running:
            await self._advance()
        if self._loader.loading or self._session.running:
            self.wake()

    async def _advance(self) -> None:
        running = self._session.running
        assert running
        try:
            self._session.advance()
        except LocalspecError as error:
            self._chat.keeping.notice(str(error))
        if self._view and self._session.running:
            message = self._session.tree.messages[running.message.id]
            if message.content != self._view.message.content:
                await self._view.grow(message)
        await self.settle()
        self._show(running.meter)

    async def settle(self) -> None:
        """Where the answer has ended, show it as one that has."""
        view = self._view
        if view and not self._session.running:
            self._view = self._chat.conversation.running = None
            await view.finish(self._session.tree.messages[view.message.id])
            self._chat.refresh_bindings()

    def _show(self, meter: Meter) -> None:
        strip = self._chat.window.strip
        if not self._session.running:
            self.rest()
        elif not meter.figures.statistics.completion_tokens:
            strip.wait("reading the prompt")
        else:
            strip.show(meter, self._quiet(meter))
        self._chat.show_figures()

    def _quiet(self, meter: Meter) -> list[Part]:
        running = self._session.running
        forbidden = self._session.choices.get("speculation", "auto") == 0
        return quiet(meter, running.reply.doubt if running else None, forbidden=forbidden)

    def rest(self) -> None:
        """Nothing comes: the strip says what will answer, and how."""
        if not self._loader.loading:
            backend = self._session.backend
            detail = backend.detail if backend else "no model"
            self._chat.window.strip.rest(idle(self.figures(), detail, self._session.choices))

    def figures(self) -> Figures | None:
        """Those of the answer on its way, or of the last one."""
        if self._session.running:
            return self._session.running.meter.figures
        path = self._session.tree.path()
        return next((m.figures for m in reversed(path) if m.figures), None)
