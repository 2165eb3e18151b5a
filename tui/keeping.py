"""Nothing typed or said is lost: what could not be kept is kept later, and told until it is."""

import contextlib
from collections.abc import Callable
from typing import TypeVar

from localspec.tui.session import Session

from localspec.errors import LocalspecError

__all__ = ["Keeping"]

T = TypeVar("T")


class Keeping:
    """Keeps for a session, and has `notice` say what goes wrong.

    `trouble` is what is wrong all the time, as a sentence; else it is empty.
    """

    def __init__(self, session: Session, notice: Callable[[str], None], trouble: str) -> None:
        self._session, self._notice = session, notice
        self.trouble = trouble
        self._draft: str | None = None
        self.lost: LocalspecError | None = None
        """Why something could not be kept when the chat was left."""

    def typed(self, text: str | None) -> None:
        """What stands in the prompt; None: what is kept stands there already."""
        self._draft = text

    def sent(self, conversation: int | None) -> None:
        """What was typed in a conversation has become a message."""
        with contextlib.suppress(LocalspecError):
            self._session.store.keep_draft(conversation, "")

    def catch_up(self) -> None:
        """Keep what is typed, and what could not be kept before."""
        behind = self._session.has_unkept
        try:
            self._keep()
        except LocalspecError as error:
            self._notice(str(error))
        else:
            if behind:
                self._notice(self.trouble)

    def _keep(self) -> None:
        if self._draft is not None:
            self._session.store.keep_draft(self._session.conversation, self._draft)
            self._draft = None
        self._session.keep()

    def prefer(self, **choices: object) -> None:
        """Remember something for the next time, if that can be."""
        with contextlib.suppress(LocalspecError):
            self._session.store.prefer(choices)

    def known(self, read: Callable[[], T], otherwise: T) -> T:
        """What can be read of the store; where it is damaged, the chat goes on and says so."""
        try:
            return read()
        except LocalspecError as error:
            self._notice(str(error))
            return otherwise

    def leave(self) -> None:
        """Keep everything; the last chance."""
        try:
            self._session.leave()
            self._keep()
        except LocalspecError as error:
            self.lost = error
