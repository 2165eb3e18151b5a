"""How many answers to decode at once: as many as make this computer faster, by measured costs."""

import json
from collections.abc import Callable, Iterable
from pathlib import Path

from localspec import cgroups
from localspec.batch.request import Task
from localspec.errors import ModelError
from localspec.llama.library import gpus
from localspec.models.files import size_of
from localspec.models.header import Header
from localspec.models.reader import read_header

__all__ = ["LARGEST", "free_memory", "longest", "room", "widest"]

LARGEST = 32
"""More at once than this gain little anywhere, and each takes memory."""
_NEARLY = 0.05

_ROUND_A_PROMPT = 1024  # tokens a chat template may add to what a body says
_SHARE = 0.5  # of the memory that the weights leave may go into caches
_BYTES = 2 * 2  # a key and a value of two bytes each


def widest(rate: Callable[[int], float], most: int) -> int:
    """The number of sequences to decode at once, up to `most`.

    `rate` gives tokens a second by number of sequences, as it was measured. Of numbers that are
    nearly as fast as the fastest the largest is taken: rates were measured in a moment that may
    have been a busy one, and too few cost more than too many.
    """
    rates = {n: rate(n) for n in range(1, most + 1)}
    enough = max(rates.values()) * (1 - _NEARLY)
    return max(n for n, tokens in rates.items() if tokens >= enough)


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
    try:
        header = read_header(target)
    except ModelError:
        return LARGEST  # whoever loads it will say what is wrong with it
    layers, heads = _largest(header, "block_count"), _largest(header, "attention.head_count")
    if not (layers and heads):
        return LARGEST
    shared = _largest(header, "attention.head_count_kv") or heads
    size = _largest(header, "attention.key_length") or _largest(header, "embedding_length") // heads
    left = int((free - size_of(target)) * _SHARE)
    return max(1, left // max(1, layers * shared * size * _BYTES * context))


def _largest(header: Header, key: str) -> int:
    """A number of the architecture, of one for each layer the largest; 0 where there is none."""
    each = header.numbers(header.own(key))
    return (
        int(each.max()) if each is not None and len(each) else header.integer(header.own(key)) or 0
    )


def free_memory() -> int:
    """Bytes that are free where models are computed: on the GPUs, if there are any."""
    return sum(device.memory_free for device in gpus()) or cgroups.memory_free()
