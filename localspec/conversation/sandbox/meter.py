"""What templates may spend: bytes, time, and the size of one value."""

from collections.abc import Callable
from time import monotonic, thread_time
from typing import Any

from localspec.errors import ModelError

__all__ = ["BITS", "LARGEST", "LONGEST", "NODE", "SEARCH", "Function", "Meter", "fits"]

LARGEST = 1 << 22
"""Bytes that one value may take, the rendered text included."""

_TOTAL = 16 * LARGEST  # bytes that all values of one rendering may take
NODE = 64  # bytes, about what an element of a list takes
_DEEPEST = 64  # lists within lists
BITS = 4096  # of an integer
SEARCH = 1 << 29  # characters compared by methods that take their time over it
LONGEST = 1 << 16  # characters of a template; the longest known has 40,000

Function = Callable[..., Any]


def _endless() -> ModelError:
    return ModelError(
        "The model's chat template runs or writes without end; use --raw to write the prompt "
        "yourself, or get another file of the model."
    )


def fits(size: int, most: int = LARGEST) -> None:
    """Ask before making something; the sizes that matter are often known before."""
    if size > most:
        raise _endless()


class Meter:
    """What is left to one rendering."""

    def __init__(self, seconds: float) -> None:
        self._bytes = _TOTAL
        self._until = thread_time() + seconds
        self._deadline = monotonic() + seconds
        self._weighed: dict[int, tuple[tuple[int, int], object]] = {}

    def spend(self, size: int) -> None:
        """Pay for a step that made `size` bytes."""
        self._bytes -= size
        if self._bytes < 0:
            raise _endless()
        if monotonic() > self._deadline:
            # Only time spent on this counts: a busy or sleeping machine is not its fault.
            left = self._until - thread_time()
            if left <= 0:
                raise _endless()
            self._deadline = monotonic() + left

    def weigh(self, value: object) -> tuple[int, int]:
        """Bytes of `value` if everything in it were written out, and how deep it goes.

        Nothing changes a list or dict, so each is looked into once, and paid for. It is kept, or
        another could come by its id.
        """
        if isinstance(value, str):
            return value.__sizeof__(), 0
        if not isinstance(value, (list, tuple, dict)):
            return NODE, 0
        if id(value) not in self._weighed:
            size, depth = NODE, 0
            for item in value if not isinstance(value, dict) else (*value, *value.values()):
                known = self._weighed.get(id(item))
                inner, below = known[0] if known else self.weigh(item)
                size, depth = size + NODE + inner, max(depth, below + 1)
            fits(depth, _DEEPEST)
            self.spend(value.__sizeof__() + 4 * NODE)
            self._weighed[id(value)] = (size, depth), value
        return self._weighed[id(value)][0]
