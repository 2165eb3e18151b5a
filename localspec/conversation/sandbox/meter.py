"""What templates may spend: bytes, time, and the size of one value."""

from collections.abc import Callable, Mapping
from time import monotonic, thread_time
from typing import Any

from jinja2.exceptions import SecurityError

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

    def __init__(self, seconds: float, given: Mapping[str, object] | None = None) -> None:
        self._bytes = _TOTAL
        self._until = thread_time() + seconds
        self._deadline = monotonic() + seconds
        self._weighed: dict[int, tuple[tuple[int, int], object]] = {}
        self._held: set[int] = set()
        self._given = dict(given or {})

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

        What others hold never changes, so each list or dict is looked into once, and paid for. It
        is kept, or another could come by its id.
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
                self._held |= {id(item)} if isinstance(item, list) else set()
            fits(depth, _DEEPEST)
            self.spend(value.__sizeof__() + 4 * NODE)
            self._weighed[id(value)] = (size, depth), value
        return self._weighed[id(value)][0]

    def change(self, values: list[object], *new: object) -> None:
        """Pay for what a list is about to get.

        Only a list that the template has made and put into nothing else may change: the others'
        weights are known, with which they hide in one another.
        """
        self.weigh(self._given)
        size, depth = self.weigh(values)
        for item in new:
            inner, below = self.weigh(item)
            size, depth = size + NODE + inner, max(depth, below + 1)
            self._held |= {id(item)} if isinstance(item, list) else set()
        if id(values) in self._held:
            raise SecurityError("a list that is part of something else cannot change")
        fits(size)
        fits(depth, _DEEPEST)
        self.spend(NODE)
        self._weighed[id(values)] = (size, depth), values
