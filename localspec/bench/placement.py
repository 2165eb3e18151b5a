"""Where the parts of a small model go in a bigger shape, and whether they fit at all."""

from typing import NamedTuple

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
    heads = np.array([head // shared * room + head % shared for head in range(small.heads)])
    kv_heads = np.arange(small.kv_heads)
    turned, plain = rotary(small.head_size, big.head_size), np.arange(small.head_size)
    stream, hidden = np.arange(small.width), np.arange(small.hidden)
    q, kv = big.heads * big.head_size, big.kv_heads * big.head_size
    return {
        "attn_q": Place((q, big.width), _within(heads, turned, big), _blocks(stream)),
        "attn_k": Place((kv, big.width), _within(kv_heads, turned, big), _blocks(stream)),
        "attn_v": Place((kv, big.width), _within(kv_heads, plain, big), _blocks(stream)),
        "attn_output": Place((big.width, q), stream, _blocks(_within(heads, plain, big))),
        "ffn_gate": Place((big.hidden, big.width), hidden, _blocks(stream)),
        "ffn_up": Place((big.hidden, big.width), hidden, _blocks(stream)),
        "ffn_down": Place((big.width, big.hidden), stream, _blocks(hidden)),
    }


def _within(heads: Indices, numbers: Indices, shape: Shape) -> Indices:
    """Where these numbers of these heads are."""
    return (heads[:, None] * shape.head_size + numbers).ravel()


def _blocks(columns: Indices) -> Indices:
    """The blocks that columns make up, which come in whole blocks."""
    return columns[::BLOCK] // BLOCK


def rotary(small: int, big: int) -> Indices:
    """Where a head's numbers go: number i turns with number i + half at the i-th frequency."""
    pairs = np.arange(small // 2) * (big // small)
    return np.concatenate([pairs, pairs + big // 2])


def check_fit(small: Shape, big: Shape, name: str) -> None:
    """Raise UsageError where the trick has no room, or blocks would have to be cut."""
    reason = _misfit(small, big)
    if reason:
        raise UsageError(f"{name} does not fit into the shape {big.name}: {reason}.")


def _misfit(small: Shape, big: Shape) -> str | None:
    for quantity, needed, given in (
        ("a width", small.width + BLOCK, big.width),  # one block more, for the constant
        ("a number of layers", small.layers, big.layers),
        ("a number of key heads", small.kv_heads, big.kv_heads),
        (
            "a number of query heads to a key head",
            small.heads // small.kv_heads,
            big.heads // big.kv_heads,
        ),
        ("a head size", small.head_size, big.head_size),
        ("a number of hidden units", small.hidden, big.hidden),
        ("a vocabulary", small.vocabulary, big.vocabulary),
    ):
        if given < needed:
            return f"it needs {quantity} of at least {needed}, and that has {given}"
    if big.head_size % small.head_size:
        return f"its head size of {small.head_size} does not divide {big.head_size}"
    if big.tied and not small.tied:
        return "it has an output matrix of its own, and that shares one with the embedding"
    sizes = [n for s in (small, big) for n in (s.width, s.head_size, s.hidden)]
    if any(size % BLOCK for size in sizes):
        return f"widths, head sizes and hidden units must be multiples of {BLOCK}"
    return None
