"""The standard streams as a shell may leave them: closed, full, or for a terminal of few signs."""

import errno
import io
import os
import sys
from contextlib import suppress
from typing import TextIO

__all__ = ["drop", "has_no_reader", "is_lost", "prepare"]

_CLOSED = {"stdin": ("r", os.O_WRONLY), "stdout": ("w", os.O_RDONLY), "stderr": ("w", os.O_WRONLY)}
"""What takes the place of a stream that was closed, and its number, which no other file must get:
nothing, opened the wrong way round, so that use is an error. Complaints are just not heard.
"""
_LOST = frozenset({errno.EBADF, errno.EFBIG, errno.EIO, errno.ENOSPC})
_UNREAD = {errno.EPIPE, errno.EINVAL} if os.name == "nt" else {errno.EPIPE}
"""How writing into a pipe fails where nobody reads any more."""


def prepare() -> None:
    """Have all three; what a terminal has no sign for becomes a question mark, not an error."""
    for name, (mode, flags) in _CLOSED.items():
        if getattr(sys, name) is None:
            setattr(sys, name, os.fdopen(os.open(os.devnull, flags), mode, encoding="utf-8"))
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
            if stream.isatty():
                _heed_escapes(stream)


if sys.platform == "win32":
    import ctypes
    import msvcrt

    _ESCAPES = 0x0004  # ENABLE_VIRTUAL_TERMINAL_PROCESSING

    def _heed_escapes(terminal: TextIO) -> None:
        """Have colours and cleared lines; a console shows escape sequences unless it is told."""
        console = ctypes.c_void_p(msvcrt.get_osfhandle(terminal.fileno()))
        mode = ctypes.c_ulong()
        if ctypes.windll.kernel32.GetConsoleMode(console, ctypes.byref(mode)):
            ctypes.windll.kernel32.SetConsoleMode(console, mode.value | _ESCAPES)

else:

    def _heed_escapes(terminal: TextIO) -> None:
        """Terminals do so by themselves."""


def has_no_reader(error: OSError) -> bool:
    """Whether that is how writing fails once whoever was reading has seen enough."""
    return error.filename is None and error.errno in _UNREAD


def is_lost(error: OSError) -> bool:
    """Whether that is how writing to a closed or full stream fails; of files it tells the name."""
    return error.filename is None and error.errno in _LOST


def drop(stream: TextIO) -> None:
    """Let go what is printed from now on, and what a stream that is closed or full did not take."""
    with suppress(OSError):  # where it is no file at all
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
