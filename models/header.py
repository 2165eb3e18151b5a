"""What stands before the weights in a GGUF file: keys and values, and where tensors lie."""

import functools
import math
from collections.abc import Iterator, Mapping
from collections.abc import Sequence as Many
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple, overload

import numpy as np
import numpy.typing as npt

__all__ = ["Field", "Header", "Numbers", "Strings", "Tensor", "Value"]

Numbers = npt.NDArray[Any]


class Strings(Many[str]):
    """An array of texts as it stands in the file, each behind its length in 8 bytes."""

    def __init__(self, data: bytes, ends: "npt.NDArray[np.uint64]") -> None:
        self._data, self._ends = data, ends

    def raw(self, index: int) -> bytes:
        """The bytes of a text."""
        start = int(self._ends[index - 1]) if index else 0
        return self._data[start + 8 : int(self._ends[index])]

    @overload
    def __getitem__(self, index: int) -> str: ...
    @overload
    def __getitem__(self, index: slice) -> list[str]: ...
    def __getitem__(self, index: int | slice) -> str | list[str]:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        if index < 0:
            index += len(self)
        if not 0 <= index < len(self):
            raise IndexError(index)
        return self.raw(index).decode("utf-8", "replace")

    def __iter__(self) -> Iterator[str]:
        return (self[i] for i in range(len(self)))

    def __len__(self) -> int:
        return len(self._ends)

    def first_difference(self, other: "Strings") -> int | None:
        """The first index at which two arrays differ, as far as both go."""
        common = min(len(self), len(other))
        if not common:
            return None
        size = min(int(self._ends[common - 1]), int(other._ends[common - 1]))
        ours, theirs = (np.frombuffer(s._data, np.uint8, size) for s in (self, other))
        wrong = ours != theirs
        if wrong.any():  # a byte of a length or of a text
            return int(np.searchsorted(self._ends, wrong.argmax(), side="right"))
        return None  # all bytes are equal, lengths among them


Value = str | int | float | bool | Strings | Numbers


class Field(NamedTuple):
    """A value and its type's name in the format; of an array, its items'."""

    value: Value
    kind: str

    @property
    def is_array(self) -> bool:
        """Whether there are many values."""
        return isinstance(self.value, Strings | np.ndarray)


class Tensor(NamedTuple):
    """Weights: `shape` innermost first, `kind` by ggml's name, `size` bytes from `offset` on."""

    name: str
    shape: tuple[int, ...]
    kind: str
    offset: int
    size: int

    @property
    def elements(self) -> int:
        """Number of weights."""
        return math.prod(self.shape)


@dataclass(frozen=True)
class Header:
    """The keys and tensors of a file, in order. `size` is the file's, in bytes."""

    path: Path
    size: int
    version: int
    fields: Mapping[str, Field] = field(repr=False)
    tensors: Many[Tensor] = field(repr=False)

    @property
    def architecture(self) -> str:
        """The family of the model, the prefix of its own keys."""
        return self.text("general.architecture") or "unknown"

    def text(self, key: str) -> str | None:
        """A text, where the key holds one."""
        value = self._value(key)
        return value if isinstance(value, str) else None

    def integer(self, key: str) -> int | None:
        """A whole number, where the key holds one."""
        value = self._value(key)
        return value if isinstance(value, int) and not isinstance(value, bool) else None

    def strings(self, key: str) -> Strings | None:
        """An array of texts, where the key holds one."""
        value = self._value(key)
        return value if isinstance(value, Strings) else None

    def numbers(self, key: str) -> Numbers | None:
        """An array of numbers, where the key holds one."""
        value = self._value(key)
        return value if isinstance(value, np.ndarray) else None

    def own(self, key: str) -> str:
        """A key of the model's architecture in full: `llama.block_count` for `block_count`."""
        return f"{self.architecture}.{key}"

    @functools.cached_property
    def parameters(self) -> int:
        """Number of weights in this file."""
        return sum(tensor.elements for tensor in self.tensors)

    def _value(self, key: str) -> Value | None:
        found = self.fields.get(key)
        return None if found is None else found.value
