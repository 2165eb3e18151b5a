"""Reads the header of a GGUF file.

Files come from strangers, so nothing in one is believed: counts and lengths are checked against
the size of the file before anything is made of them, arrays do not nest, and a header ends after
`_MOST_BYTES`. What llama.cpp would refuse is refused here, in words.

A vocabulary of 152,000 tokens takes some 20 ms: texts are only walked over, and decoded when
somebody asks for one.
"""

import math
import os
import struct
from array import array
from collections.abc import Mapping
from pathlib import Path

import gguf.constants as gguf
import numpy as np

from localspec.errors import ModelError
from localspec.models.header import Field, Header, Numbers, Strings, Tensor
from localspec.models.opening import opened

__all__ = ["FIRST_BYTES", "read_header"]

_MAGIC = b"GGUF"
_VERSIONS = (2, 3)
FIRST_BYTES = 16 << 20
"""What holds the header of nearly every model."""
_MOST_BYTES = 32 << 20
_PORTIONS = (1 << 20, 8 << 20, FIRST_BYTES, _MOST_BYTES)
"""As much is read as a header needs: of vocabularies of 32,000 tokens one, of 128,000 eight MB."""
_MOST_KEYS = _MOST_TENSORS = 1 << 16
_MOST_STRINGS = 1 << 21  # in all arrays together
_LONGEST_KEY, _LONGEST_NAME = 65535, 63  # bytes; the format's limit and ggml's
_MOST_DIMENSIONS = 4
_LARGEST_ALIGNMENT = 1 << 20

_FORMATS = {
    "UINT8": "<u1", "INT8": "<i1", "UINT16": "<u2", "INT16": "<i2", "UINT32": "<u4",
    "INT32": "<i4", "UINT64": "<u8", "INT64": "<i8", "FLOAT32": "<f4", "FLOAT64": "<f8",
    "BOOL": "?",
}  # fmt: skip
_KINDS = {int(kind): str(kind.name) for kind in gguf.GGUFValueType}
_BLOCKS = {int(t): (str(t.name), *size) for t, size in gguf.GGML_QUANT_SIZES.items()}


def read_header(path: Path) -> Header:
    """Read and check a file's header. Raises ModelError, in one sentence, where it is not whole."""
    try:
        with opened(path) as file:
            size = os.fstat(file.fileno()).st_size
            data = b""
            for most in _PORTIONS:
                data += file.read(most - len(data))
                try:
                    return _Reader(data, size).header(path)
                except _EndOfDataError:
                    if len(data) < most:
                        break
        reason = "it ends within its header" if len(data) < most else "its header never ends"
    except _StrangerError:
        advice = "llama.cpp's converters make one of a model"
        raise ModelError(f"{path} is not a GGUF file; {advice}.") from None
    except _DamageError as error:
        reason = str(error)
    raise ModelError(f"{path} is a damaged GGUF file: {reason}; get it again.")


class _StrangerError(Exception):
    """A file of another kind."""


class _DamageError(Exception):
    """What is wrong with a file, as a part of a sentence."""


class _EndOfDataError(Exception):
    """The header goes on where the bytes at hand end."""


_MEANS_END = (struct.error, OverflowError)
"""What struct and array raise where an offset is beyond their data, or beyond all data."""


class _Reader:
    """Walks over `data`, the beginning of a file of `size` bytes."""

    def __init__(self, data: bytes, size: int) -> None:
        self._data, self._size = data, size
        self._position = 0
        self._strings_left = _MOST_STRINGS

    def header(self, path: Path) -> Header:
        if not _MAGIC.startswith(self._data[:4]):
            raise _StrangerError
        self._take(4, "its magic number")
        version = self._integer("<I")
        if version not in _VERSIONS:
            if version.to_bytes(4, "little")[:2] == b"\0\0":
                raise _DamageError("it was made for computers with the other byte order")
            raise _DamageError(f"it has version {version} of the format, and 2 and 3 are known")
        tensors = self._count(_MOST_TENSORS, 24, "tensors")
        keys = self._count(_MOST_KEYS, 13, "keys")
        fields = self._fields(keys)
        return Header(path, self._size, version, fields, self._tensors(tensors, fields))

    def _fields(self, count: int) -> dict[str, Field]:
        fields: dict[str, Field] = {}
        for _ in range(count):
            key = self._name(_LONGEST_KEY, "a key")
            if key in fields:
                raise _DamageError(f"the key {key[:_LONGEST_NAME]!r} is there twice")
            fields[key] = self._field(key)
        return fields

    def _field(self, key: str) -> Field:
        shown = repr(key[:_LONGEST_NAME])
        kind = self._kind(shown)
        if kind == "STRING":
            return Field(self._text(shown).decode("utf-8", "replace"), kind)
        if kind != "ARRAY":
            return Field(self._array(kind, 1, shown)[0].item(), kind)
        kind, count = self._kind(shown), self._integer("<Q")
        if kind == "ARRAY":
            raise _DamageError(f"{shown} is an array of arrays, which llama.cpp does not know")
        if kind == "STRING":
            return Field(self._strings(count, shown), kind)
        return Field(self._array(kind, count, shown), kind)

    def _kind(self, what: str) -> str:
        number = self._integer("<I")
        if number not in _KINDS:
            raise _DamageError(f"{what} has a value of a type {number} that does not exist")
        return _KINDS[number]

    def _array(self, kind: str, count: int, what: str) -> Numbers:
        dtype = np.dtype(_FORMATS[kind])
        return np.frombuffer(self._take(count * dtype.itemsize, what), dtype)

    def _strings(self, count: int, what: str) -> Strings:
        self._expect(count * 8, what)
        self._strings_left -= count
        if self._strings_left < 0:
            raise _DamageError(f"{what} makes it more than {_MOST_STRINGS} texts")
        start, ends = self._position, array("Q")
        data, position, length_at = self._data, start, struct.Struct("<Q").unpack_from
        try:
            for _ in range(count):
                position += 8 + length_at(data, position)[0]
                ends.append(position - start)
        except _MEANS_END:
            self._expect(position - start, what)
            raise _EndOfDataError from None
        return Strings(self._take(position - start, what), np.frombuffer(ends, np.uint64))

    def _tensors(self, count: int, fields: Mapping[str, Field]) -> tuple[Tensor, ...]:
        infos = [self._tensor() for _ in range(count)]
        names = {info.name for info in infos}
        if len(names) < count:
            raise _DamageError("two of its tensors have the same name")
        alignment = self._alignment(fields)
        start = _aligned(self._position, alignment)
        expected, tensors = 0, []
        for tensor in infos:
            if tensor.offset != expected:
                raise _DamageError(
                    f"the tensor {tensor.name!r} begins at {tensor.offset} instead of {expected}"
                )
            if start + expected + tensor.size > self._size:
                raise _DamageError(f"it ends before its tensor {tensor.name!r} does")
            tensors.append(tensor._replace(offset=start + expected))
            expected = _aligned(expected + tensor.size, alignment)
        return tuple(tensors)

    def _tensor(self) -> Tensor:
        """One entry of the directory; its offset still counts from the first tensor."""
        name = self._name(_LONGEST_NAME, "a tensor's name")
        dimensions = self._integer("<I")
        if not 1 <= dimensions <= _MOST_DIMENSIONS:
            raise _DamageError(f"the tensor {name!r} has {dimensions} dimensions")
        shape = tuple(self._integer("<Q") for _ in range(dimensions))
        number, offset = self._integer("<I"), self._integer("<Q")
        if number not in _BLOCKS:
            raise _DamageError(f"the tensor {name!r} has a type {number} that is not known here")
        kind, per_block, bytes_per_block = _BLOCKS[number]
        if 0 in shape or shape[0] % per_block:
            raise _DamageError(f"the tensor {name!r} of type {kind} cannot have the shape {shape}")
        return Tensor(name, shape, kind, offset, math.prod(shape) // per_block * bytes_per_block)

    def _alignment(self, fields: Mapping[str, Field]) -> int:
        value, kind = fields.get("general.alignment", (gguf.GGUF_DEFAULT_ALIGNMENT, "UINT32"))
        if kind != "UINT32" or not isinstance(value, int):
            raise _DamageError("its alignment is no number")
        if not 1 <= value <= _LARGEST_ALIGNMENT or value & (value - 1):
            raise _DamageError(f"it is aligned to {value} bytes, which is no power of two")
        return value

    def _name(self, longest: int, what: str) -> str:
        data = self._text(what)
        if len(data) > longest:
            raise _DamageError(f"{what} has {len(data)} bytes, and {longest} are allowed")
        try:
            return data.decode("utf-8")
        except UnicodeDecodeError:
            raise _DamageError(f"{what} is not UTF-8") from None

    def _text(self, what: str) -> bytes:
        return self._take(self._integer("<Q"), what)

    def _count(self, most: int, least_bytes: int, what: str) -> int:
        """How many of something there are, each of which takes some bytes."""
        count = self._integer("<Q")
        if count > most:
            raise _DamageError(f"it claims to hold {count} {what}")
        self._expect(count * least_bytes, what)
        return count

    def _integer(self, form: str) -> int:
        (value,) = struct.unpack(form, self._take(struct.calcsize(form), "a number"))
        return int(value)

    def _take(self, size: int, what: str) -> bytes:
        self._expect(size, what)
        start, self._position = self._position, self._position + size
        if self._position > len(self._data):
            raise _EndOfDataError
        return self._data[start : self._position]

    def _expect(self, size: int, what: str) -> None:
        """Whether the file can hold so many bytes more."""
        if self._position + size > self._size:
            raise _DamageError(f"it ends within {what}")


def _aligned(offset: int, alignment: int) -> int:
    return offset + -offset % alignment
