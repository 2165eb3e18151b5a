"""Where the parts of a small model go in a bigger shape, and whether they fit at all."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from localspec.bench.shapes import Shape
from localspec.errors import UsageError

__all__ = ["BLOCK", "Place", "check_fit", "places", "rotary"]

BLOCK = 32
"""Weights in a quantized block, of Q4_0 and Q8_0 alike."""

Indices = npt.NDArray[np.intp]


class Place(NamedTuple):
    """Where a matrix of the source goes: its rows, and its columns in blocks."""

    shape: tuple[int, int]
    rows: Indices
    columns: Indices


def places(small: Shape, big: Shape) -> dict[str, Place]:
    """For each matrix of a layer. A query head stays with the key head it belongs to."""
    shared, room = small.heads // small.kv_heads, big.heads // big.kv_heads
    heads = [head // shared * room + head % shared for head in range(small.heads)]
    kv_heads = range(small.kv_heads)
    rotary, plain = rotary(small.head_size, big.head_size), np.arange(small.head_size)

    def rows_of(heads: Sequence[int], within: Indices, step: int) -> Any:
        return (np.array(heads)[:, None] * step + within).ravel()

    stream, hidden = np.arange(small.width), np.arange(small.hidden)
    stream_blocks, hidden_blocks = (np.arange(len(x) // BLOCK) for x in (stream, hidden))
    within = np.arange(small.head_size // BLOCK)
    head_blocks = rows_of(heads, within, big.head_size // BLOCK)
    q, kv, d, f = big.heads * big.head_size, big.kv_heads * big.head_size, big.width, big.hidden
    return {
        "attn_q": Place((q, d), rows_of(heads, rotary, big.head_size), stream_blocks),
        "attn_k": Place((kv, d), rows_of(kv_heads, rotary, big.head_size), stream_blocks),
        "attn_v": Place((kv, d), rows_of(kv_heads, plain, big.head_size), stream_blocks),
        "attn_output": Place((d, q), stream, head_blocks),
        "ffn_gate": Place((f, d), hidden, stream_blocks),
        "ffn_up": Place((f, d), hidden, stream_blocks),
        "ffn_down": Place((d, f), stream, hidden_blocks),
    }


def rotary(small: int, big: int) -> Indices:
    """Where a head's numbers go: number i turns with number i + half at the i-th frequency."""
    pairs = np.arange(small // 2) * (big // small)
    return np.concatenate([pairs, pairs + big // 2])


def check_fit(small: Shape, big: Shape, name: str) -> None:
    """Raise UsageError where the trick has no room, or blocks would have to be cut."""
    for quantity, needed, given in (
        ("width", small.width + BLOCK, big.width),  # one block more for the constant
        ("number of layers", small.layers, big.layers),
        ("number of key heads", small.kv_heads, big.kv_heads),
        ("heads to a key head", small.heads // small.kv_heads, big.heads // big.kv_heads),
        ("head size", small.head_size, big.head_size),
        ("number of hidden units", small.hidden, big.hidden),
        ("vocabulary", small.vocabulary, big.vocabulary),
    ):
        if given < needed:
            raise UsageError(
                f"{name} does not fit into the shape {big.name}: it needs a {quantity} of at least "
                f"{needed}, and that has {given}."
            )
    if big.head_size % small.head_size:
        raise UsageError(
            f"{name} does not fit into the shape {big.name}: its head size of {big.head_size} is "
            f"no multiple of {small.head_size}."
        )
    if big.tied and not small.tied:
        raise UsageError(
            f"{name} does not fit into the shape {big.name}: it has an output matrix of its own, "
            "and that shares one with the embedding."
        )
    sizes = [n for s in (small, big) for n in (s.width, s.head_size, s.hidden)]
    if any(size % BLOCK for size in sizes):
        raise UsageError(
            f"{name} does not fit into the shape {big.name}: widths, head sizes and hidden units "
            f"of both must be multiples of {BLOCK}."
        )
