"""Nothing typed or said is lost: what could not be kept is kept later, and told until it is."""

import contextlib
from collections.abc import Callable
from typing import TypeVar

from localspec.errors import LocalspecError
from localspec.tui.session import Session

__all__ = ["Keeping"]

T = TypeVar("T")


class Keeping:
    """Keeps for a session, and has `notice` say what goes wrong.

    `trouble` is what is wrong all the time, as a sentence; else it is empty.
    """

    def __init__(self, session: Session, notice: Callable[[str], None], trouble: str) -> None:
        self._session, self._show, self._trouble = session, notice, trouble
        self._drafts: dict[int | None, str] = {}  # by conversation, as long as they are not kept
        self.lost: LocalspecError | None = None
        """Why something could not be kept when the chat was left."""

    def notice(self, sentence: str = "") -> None:
        """Say something until there is something else to say, or nothing; the trouble stays."""
        self._show(" ".join(filter(None, (sentence, self._trouble))))

    def typed(self, text: str) -> None:
        """What stands in the prompt."""
        self._drafts[self._session.conversation] = text

    def draft(self) -> str:
        """What was typed in the conversation that is open."""
        conversation = self._session.conversation
        if conversation in self._drafts:
            return self._drafts[conversation]
        return self.known(lambda: self._session.store.draft(conversation), "")

    def sent(self, conversation: int | None) -> None:
        """What was typed in a conversation has become a message."""
        self._drafts[conversation] = ""
        with contextlib.suppress(LocalspecError):
            self._keep_drafts()

    def catch_up(self) -> None:
        """Keep what is typed, and what could not be kept before."""
        behind = self._session.has_unkept
        try:
            self._keep()
        except LocalspecError as error:
            self.notice(str(error))
        else:
            if behind:
                self.notice()

    def _keep(self) -> None:
        self._keep_drafts()
        self._session.keep()

    def _keep_drafts(self) -> None:
        for conversation, text in list(self._drafts.items()):
            self._session.store.keep_draft(conversation, text)
            del self._drafts[conversation]

    def prefer(self, **choices: object) -> None:
        """Remember something for the next time, if that can be."""
        with contextlib.suppress(LocalspecError):
            self._session.store.prefer(choices)

    def known(self, read: Callable[[], T], otherwise: T) -> T:
        """What can be read of the store; where it is damaged, the chat goes on and says so."""
        try:
            return read()
        except LocalspecError as error:
            self.notice(str(error))
            return otherwise

    def leave(self) -> None:
        """Keep everything; the last chance."""
        try:
            self._session.leave()
            self._keep()
        except LocalspecError as error:
            self.lost = error
