"""GGUF files byte by byte, so that tests can make ones no writer would."""

import struct
from collections.abc import Iterable

UINT8, UINT32, INT32, FLOAT32, BOOL, STRING, ARRAY, UINT64 = 0, 4, 5, 6, 7, 8, 9, 10
F32, Q4_0 = 0, 2


def text(value: bytes | str) -> bytes:
    data = value.encode() if isinstance(value, str) else value
    return struct.pack("<Q", len(data)) + data


def entry(key: bytes | str, kind: int, value: bytes) -> bytes:
    return text(key) + struct.pack("<I", kind) + value


def array(kind: int, count: int, items: bytes) -> bytes:
    return struct.pack("<IQ", kind, count) + items


def tensor(
    name: bytes | str, shape: Iterable[int] = (32,), kind: int = F32, offset: int = 0
) -> bytes:
    shape = tuple(shape)
    dimensions = struct.pack(f"<I{len(shape)}Q", len(shape), *shape)
    return text(name) + dimensions + struct.pack("<IQ", kind, offset)


def gguf(
    entries: Iterable[bytes] = (),
    tensors: Iterable[bytes] = (),
    *,
    weights: int = 0,
    version: int = 3,
    counts: tuple[int, int] | None = None,
    alignment: int = 32,
) -> bytes:
    """A file with these parts, padded, and so many zeros for weights."""
    entries, tensors = list(entries), list(tensors)
    n_tensors, n_entries = counts or (len(tensors), len(entries))
    head = b"GGUF" + struct.pack("<IQQ", version, n_tensors, n_entries)
    head += b"".join(entries) + b"".join(tensors)
    return head + bytes(-len(head) % alignment) + bytes(weights)


ARCHITECTURE = entry("general.architecture", STRING, text("llama"))
