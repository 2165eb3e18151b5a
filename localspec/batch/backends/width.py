"""How many answers to decode at once: as many as make this computer faster, by measured costs."""

import json
import struct
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

import psutil

from localspec.batch.request import Task
from localspec.llama.library import devices

__all__ = ["LARGEST", "free_memory", "longest", "room", "widest"]

LARGEST = 32
"""More at once than this gain little anywhere, and each takes memory."""
_GAIN = 0.03  # by which more at once must be faster than fewer

_ROUND_A_PROMPT = 1024  # tokens a chat template may add to what a body says
_SHARE = 0.5  # of the memory that the weights leave may go into caches
_BYTES = 2 * 2  # a key and a value of two bytes each
_TEXT, _MOST_KEYS, _LONGEST_TEXT = 8, 1000, 1 << 20
_FORMATS = {
    0: "<B", 1: "<b", 2: "<H", 3: "<h", 4: "<I", 5: "<i", 6: "<f", 7: "<?",
    10: "<Q", 11: "<q", 12: "<d",
}  # fmt: skip


def widest(rate: Callable[[int], float], most: int) -> int:
    """The number of sequences to decode at once, up to `most`.

    `rate` gives tokens a second by number of sequences, as it was measured; the smallest number
    that is nearly as fast as the fastest is best, as answers then come sooner.
    """
    rates = {n: rate(n) for n in range(1, most + 1)}
    enough = max(rates.values()) * (1 - _GAIN)
    return next(n for n, tokens in rates.items() if tokens >= enough)


def longest(tasks: Iterable[Task]) -> int | None:
    """Tokens of context that are enough for all tasks; None where one sets no limit.

    No token is shorter than a byte, so what is written is never more tokens than bytes.
    """
    most = 0
    for task in tasks:
        body = json.loads(task.body)
        limit = body.get("max_completion_tokens", body.get("max_tokens"))
        if not isinstance(limit, int):
            return None
        most = max(most, len(task.body.encode()) + _ROUND_A_PROMPT + limit)
    return most


def room(target: Path, context: int, free: int) -> int:
    """How many caches of `context` tokens have room beside the weights in `free` bytes."""
    shape = _shape(target)
    heads = shape.get("attention.head_count", 0)
    if not heads:
        return LARGEST  # whoever loads it will say what is wrong with it
    size = shape.get("attention.key_length") or shape.get("embedding_length", 0) // heads
    shared = shape.get("attention.head_count_kv") or heads
    left = int((free - target.stat().st_size) * _SHARE)
    cache = shape.get("block_count", 1) * shared * size * _BYTES * context
    return max(1, left // cache) if cache else LARGEST


def free_memory() -> int:
    """Bytes that are free where models are computed: on the GPUs, if there are any."""
    gpus = [device.memory_free for device in devices() if "GPU" in device.kind]
    return sum(gpus) or psutil.virtual_memory().available


def _shape(target: Path) -> dict[str, int]:
    """The numbers a GGUF header says of its architecture, as far as they stand before the texts.

    Empty where the file is none.
    """
    shape: dict[str, int] = {}
    with (
        suppress(OSError, struct.error, KeyError, ValueError, OverflowError),
        target.open("rb") as file,
    ):
        if file.read(8)[:4] != b"GGUF":
            return {}
        _, count = struct.unpack("<QQ", file.read(16))
        for _ in range(min(count, _MOST_KEYS)):
            key = _text(file)
            if key.startswith(b"tokenizer."):
                break
            (kind,) = struct.unpack("<I", file.read(4))
            if kind == _TEXT:
                _text(file)
                continue
            form = _FORMATS[kind]
            (value,) = struct.unpack(form, file.read(struct.calcsize(form)))
            shape[key.partition(b".")[2].decode("utf-8", "replace")] = int(value)
    return shape


def _text(file: BinaryIO) -> bytes:
    (length,) = struct.unpack("<Q", file.read(8))
    return file.read(min(length, _LONGEST_TEXT))
