"""Gumbel noise as a pure function of (seed, position, token).

argmax(logits + noise) is an exact sample from softmax(logits) (Gumbel 1954; Maddison, Tarlow &
Minka 2014, arXiv 1411.0030). Because the noise can be computed anywhere, in any order, target and
draft see the same noise at the same position, and a text can be replayed whatever guessed it.

A position gives two 32-bit keys; a token's noise is an integer hash of its id under them. All
vector work is on 32-bit integers, which is what makes a whole vocabulary affordable.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

__all__ = ["HIGHEST", "SPAN", "Key", "exceeding", "gumbel", "key_at"]

Ids = npt.NDArray[np.uint32]

_MASK = (1 << 64) - 1
_GOLDEN = 0x9E3779B97F4A7C15
_BITS = 2.0**32

HIGHEST = float(-np.log(-np.log(1 - 0.5 / _BITS)))
"""No noise is above this."""
SPAN = HIGHEST + float(np.log(-np.log(0.5 / _BITS)))
"""No two noises differ by more: a token this far behind another can never overtake it."""


class Key(NamedTuple):
    """Selects the noise of one position under one seed."""

    first: np.uint32
    second: np.uint32


def key_at(seed: int, position: int) -> Key:
    """The key for the token that will stand at `position`; seed from 0 to 2^64 - 1."""
    mixed = _mix64(_mix64(seed) + position * _GOLDEN)
    return Key(np.uint32(mixed & 0xFFFFFFFF), np.uint32(mixed >> 32))


def _mix64(x: int) -> int:
    """SplitMix64's finalizer (Steele, Lea & Flood 2014)."""
    x = (x + _GOLDEN) & _MASK
    x = ((x ^ (x >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    x = ((x ^ (x >> 27)) * 0x94D049BB133111EB) & _MASK
    return x ^ (x >> 31)


def _hash(key: Key, ids: Ids) -> Ids:
    """Uniform 32-bit integers: two rounds of Wellons' low-bias integer hash, keyed in between."""
    h = ids ^ key.first
    shifted = h >> np.uint32(16)
    for multiplier, shift, after in ((0x21F0AAAD, 15, key.second), (0x735A2D97, 15, np.uint32(0))):
        h ^= shifted
        h *= np.uint32(multiplier)
        np.right_shift(h, np.uint32(shift), out=shifted)
        h ^= shifted
        h += np.uint32(after)
        h *= np.uint32(0x85EBCA6B)
        np.right_shift(h, np.uint32(16), out=shifted)
    h ^= shifted
    return h


def gumbel(key: Key, ids: Ids) -> npt.NDArray[np.float64]:
    """Standard Gumbel noise of each token."""
    uniform = (_hash(key, ids).astype(np.float64) + 0.5) / _BITS
    noise: npt.NDArray[np.float64] = -np.log(-np.log(uniform))
    return noise


def exceeding(key: Key, ids: Ids, bound: float) -> Ids:
    """The tokens whose noise is above `bound`, found without taking a logarithm."""
    least = np.exp(-np.exp(-bound)) * _BITS - 1.5
    return ids if least < 0 else ids[_hash(key, ids) > np.uint32(least)]
