"""What comes from outside to a chat: signals to end, bytes that are no text, a closed terminal."""

import asyncio
import contextlib
import signal
import sys
from codecs import getincrementaldecoder
from collections.abc import Callable
from functools import partial

__all__ = ["heed_signals", "outlive_terminal", "take_all_bytes"]


def heed_signals(leave: Callable[[int], None]) -> None:
    """Leave with an exit code, and in order, where the terminal is closed or the chat is killed.

    By itself Python dies of both: what came last is not kept, and the terminal stays as it was.
    """
    loop = asyncio.get_running_loop()
    for name in ("SIGHUP", "SIGTERM"):
        with contextlib.suppress(AttributeError, NotImplementedError, ValueError):  # on Windows
            number = getattr(signal, name)
            loop.add_signal_handler(number, leave, 128 + number)


def take_all_bytes() -> None:
    """Have bytes that are not UTF-8 read as a replacement character.

    A paste from a file in Latin-1 is enough to have some; Textual ends the app at the first.
    """
    if sys.platform != "win32":
        from textual.drivers import linux_driver

        decoder = partial(getincrementaldecoder("utf-8"), errors="replace")
        linux_driver.getincrementaldecoder = lambda encoding: decoder  # type: ignore[attr-defined]


def outlive_terminal() -> None:
    """Have what is written after the terminal was closed get lost.

    Textual's writer dies of it. Nobody makes room in its queue any more, and the chat waits for
    that forever, with its model.
    """
    from textual.drivers._writer_thread import WriterThread

    def run(self: WriterThread) -> None:
        text: str | None = ""
        while text is not None:  # which says that nothing follows
            text = self._queue.get()
            with contextlib.suppress(OSError):
                self._file.write(text or "")
                if self._queue.empty():
                    self._file.flush()

    WriterThread.run = run  # type: ignore[method-assign]
