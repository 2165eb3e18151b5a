"""What is said: asked, asked again, asked otherwise; from the prompt to the screen."""

import contextlib
from collections.abc import Awaitable
from typing import TYPE_CHECKING

from localspec.errors import LocalspecError, UsageError
from localspec.tui import commands
from localspec.tui.store import Message
from localspec.tui.telling import Part

if TYPE_CHECKING:
    from localspec.tui.app import Chat

__all__ = ["Turns"]

_COMING = "The answer is still coming; esc stops it."


class Turns:
    """Takes what stands in the prompt to the session, and shows what comes of it."""

    def __init__(self, chat: "Chat") -> None:
        self._chat, self._session, self._keeping = chat, chat.session, chat.keeping
        self._editing: int | None = None

    @property
    def editing(self) -> bool:
        """Whether an earlier question stands in the prompt."""
        return self._editing is not None

    async def sent(self, text: str) -> None:
        """A command, a question, or an edited question."""
        if not await self._chat.attempt(lambda: self._take(text)):
            self._chat.prompt.give_back(text)

    def _take(self, text: str) -> Awaitable[None] | None:
        self.typed(self._chat.prompt.text)  # what was sent is typed no more, wherever it leads
        if commands.is_command(text):
            return commands.run(self._chat, text)
        if self._session.running:
            raise UsageError(_COMING)
        return self._send(commands.question(text))

    async def _send(self, text: str) -> None:
        chat, editing, before = self._chat, self._editing, self._session.conversation
        if editing is not None:
            message = self._session.edit(editing, text)
            self.end_editing()
        else:
            message = self._session.send(text)
            self._keeping.sent(before)
            self.typed(chat.prompt.text)
        chat.prompt.past.append(commands.typed(text))
        if self._session.backend or chat.loader.loading:  # else it says why there is no model
            self._keeping.notice()
        with chat.batch_update():  # a question and its answer are laid out and drawn once
            if before is None or editing is not None:
                await chat.show_conversation()
            else:
                await chat.conversation.add(message)
            await chat.progress.follow()

    def typed(self, text: str) -> None:
        """What is typed is kept within a second."""
        if not self.editing:
            self._keeping.typed(text)

    async def retry(self) -> None:
        """Keep, and have answered, what could not be before."""
        self._keeping.catch_up()
        if self._session.awaiting is not None and self._session.backend:
            with contextlib.suppress(LocalspecError):
                self._session.answer(self._session.awaiting)
                await self._chat.progress.follow()

    async def again(self, at: int | None = None) -> None:
        """Answer the last question once more, or that of the answer `at`, on another branch."""
        if self._session.running:
            raise UsageError(_COMING)
        if not self._session.again(at):
            raise UsageError("There is nothing to answer again yet.")
        await self._chat.show_conversation()
        await self._chat.progress.follow()

    async def switch(self, message: Message, step: int) -> None:
        """Show the branch beside a message's, with the place in focus where they part."""
        if self._session.switch(message.id, step):
            await self._chat.show_conversation()
            for view in self._chat.conversation.views:
                if view.message.parent == message.parent:
                    view.focus()

    def edit(self, message: Message) -> None:
        """Have a question stand in the prompt, to be asked otherwise."""
        if self._session.running:
            raise UsageError(_COMING)
        chat = self._chat
        self._keeping.catch_up()
        self._editing = message.id
        chat.prompt.add_class("-editing")
        chat.refresh_bindings()
        chat.prompt.put(commands.typed(message.content))
        chat.prompt.typing.focus()
        chat.window.strip.rest([Part("editing: enter asks anew, on a branch of its own", 0)])

    def end_editing(self) -> None:
        """What was typed before comes back."""
        self._editing = None
        self._chat.prompt.remove_class("-editing")
        self._chat.prompt.put(self._keeping.draft())
        self._chat.refresh_bindings()
