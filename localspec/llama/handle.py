"""What llama.cpp gives, freed when the last call that was given it has returned.

A model may be closed on one thread while another one tokenizes with it. Python counts who holds a
handle, and a call holds what it is given, so there is nothing to lock.
"""

import ctypes
import weakref
from collections.abc import Callable
from typing import Any, Self

__all__ = ["Handle"]


class Handle(ctypes.c_void_p):
    """A pointer that functions of llama.cpp take. It stays for as long as a `with` block, too."""

    _whole: "Handle | None" = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def freed_by(self, free: Callable[[Any], None]) -> Self:
        """Have `free` called once nobody holds it; not at exit, when a GPU may be gone already."""
        weakref.finalize(self, free, self.value).atexit = False
        return self

    def part(self, pointer: int) -> "Handle":
        """A pointer into it, which holds all of it."""
        part = Handle(pointer)
        part._whole = self
        return part
