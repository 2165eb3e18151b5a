"""How many answers to decode at once: as many as make this computer faster, by measured costs."""

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import gguf
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
    reader = gguf.GGUFReader(target)
    family = _value(reader, "general.architecture")
    layers = _value(reader, f"{family}.block_count")
    width = _value(reader, f"{family}.embedding_length")
    heads = _value(reader, f"{family}.attention.head_count")
    shared = _value(reader, f"{family}.attention.head_count_kv") or heads
    if not (layers and width and heads):
        return LARGEST  # whoever loads it will say what is wrong with it
    size = _value(reader, f"{family}.attention.key_length") or width // heads
    left = int((free - target.stat().st_size) * _SHARE)
    cache: int = layers * shared * size * _BYTES * context
    return max(1, left // cache)


def free_memory() -> int:
    """Bytes that are free where models are computed: on the GPUs, if there are any."""
    gpus = [device.memory_free for device in devices() if "GPU" in device.kind]
    return sum(gpus) or psutil.virtual_memory().available


def _value(reader: gguf.GGUFReader, key: str) -> Any:
    """A value of the header; of one for each layer the largest; None where there is none."""
    field = reader.get_field(key)
    found = field.contents() if field else None
    return max(found) if isinstance(found, list) else found
