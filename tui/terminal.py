"""Whether the terminal is dark or light: it is asked, and nobody waits long for an answer.

The question goes out before the chat is imported and the answer is read afterwards, so that it
costs no time. Behind it goes another one that every terminal answers (for its kind), so that one
that does not know its background is not waited for. Both pass through ssh and tmux.
"""

import contextlib
import os
import re
import select
import sys
import time
from types import TracebackType
from typing import Self

__all__ = ["Terminal", "is_dark"]

_QUESTION = b"\x1b]11;?\x1b\\\x1b[c"  # OSC 11: the background; DA1: what kind of terminal
_COLOUR = re.compile(rb"\x1b\]11;rgba?:([0-9a-fA-F/]+)(?:\x07|\x1b\\)")
_KIND = re.compile(rb"\x1b\[\?[\d;]*c")
_SECONDS = 0.5  # after the question


class Terminal:
    """Asks on entry, and reads on exit; then `dark` is True, False, or None where it is not known.

    `typed` is what a person typed in the meantime.
    """

    def __init__(self) -> None:
        self.dark: bool | None = _by_environment(os.environ.get("COLORFGBG", ""))
        self.typed = ""
        self._came = b""
        self._asked = 0.0
        self._after = contextlib.ExitStack()

    def __enter__(self) -> Self:
        if sys.platform != "win32":  # there a terminal is no file
            import termios
            import tty

            with contextlib.suppress(OSError, termios.error):
                if os.environ.get("TERM", "dumb") != "dumb":
                    before = termios.tcgetattr(sys.stdin)
                    self._after.callback(termios.tcsetattr, sys.stdin, termios.TCSANOW, before)
                    tty.setcbreak(sys.stdin, termios.TCSANOW)  # else the answer is shown
                    os.write(sys.stdout.fileno(), _QUESTION)
                    self._asked = time.monotonic()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with self._after:  # leaves the terminal as it was
            if self._asked:
                self._read()

    def _read(self) -> None:
        """Read the answer, if one comes in time."""
        while not _KIND.search(self._came) and self._more():
            pass
        colour = _COLOUR.search(self._came)
        if colour:
            self.dark = is_dark(colour[1].decode())
        rest = _KIND.sub(b"", _COLOUR.sub(b"", self._came))
        self.typed = rest.decode("utf-8", "replace").replace("\r", "\n")

    def _more(self) -> bool:
        left = self._asked + _SECONDS - time.monotonic()
        if not select.select([sys.stdin], [], [], max(0.0, left))[0]:
            return False
        came = os.read(sys.stdin.fileno(), 4096)
        self._came += came
        return bool(came)


def is_dark(colour: str) -> bool | None:
    """Of a colour as terminals say it (`ffff/ffff/dddd`); None where it is none."""
    try:
        red, green, blue = (int(part, 16) / (16 ** len(part) - 1) for part in colour.split("/")[:3])
    except (ValueError, ZeroDivisionError):
        return None
    return bool(0.299 * red + 0.587 * green + 0.114 * blue < 0.5)


def _by_environment(colours: str) -> bool | None:
    """What some terminals say in COLORFGBG, as numbers of colours: `15;0`, `0;default;15`."""
    background = colours.rpartition(";")[2]
    return int(background) not in (7, *range(9, 16)) if background.isdigit() else None
