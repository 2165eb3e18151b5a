"""The trick: a small model's function inside a bigger model's shape.

The small model's residual stream is the first part of the big one's; the rest of it stays zero,
but for one constant. Layers, heads, hidden units and tokens are added that compute and contribute
nothing: random numbers, of which every path back into the stream has scale zero. Then

- RMSNorm takes its mean over more numbers, so its weights shrink by the root of the ratio of
  widths; what the constant adds to the mean is taken from epsilon;
- a head that is s times as wide keeps its rotary frequencies on every s-th pair; its scores are
  divided by a larger root but its norm takes a mean over more numbers, so the key's norm shrinks
  by sqrt(s);
- an added token gets its logit from the constant alone, far below zero. It is never said; it
  must not be fed either, where one matrix both embeds and predicts: it would call for its like.

Weights are moved block by block in the twin's quantization. So the logits are those of the small
model in that quantization, up to the order of sums and to the epsilon of the query's and key's
norms, which shares one number with the others and is too small to matter.
"""

import math
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import gguf
import numpy as np
import numpy.typing as npt

from localspec.bench.placement import BLOCK, check_fit, places, rotary
from localspec.bench.shapes import Shape
from localspec.bench.source import Blocks, Floats, Source

__all__ = ["Inflation", "Tensor"]

_F32 = gguf.GGMLQuantizationType.F32
_SCALE = 2  # bytes: a block begins with its scale, a float16
_NEVER = -16384.0
"""An added token's logit times the last layer's root mean square (13 to 95 in the shell pair)."""

_INTO_STREAM = frozenset({"attn_output", "ffn_down"})
_NORMED = frozenset({"attn_q", "attn_k"})


class Tensor(NamedTuple):
    """A tensor of the twin, made when it is its turn. `shape` counts weights, rows first."""

    name: str
    shape: tuple[int, ...]
    kind: Any
    make: Callable[[], npt.NDArray[Any]]
    """float32 for a vector, bytes of shape (rows, bytes of a row) for a matrix"""

    @property
    def size(self) -> int:
        """Bytes."""
        weights, size = gguf.GGML_QUANT_SIZES[self.kind]
        blocks: int = math.prod(self.shape) // weights
        return blocks * int(size)


class Inflation:
    """`source` in `shape`, all matrices in the quantization `kind` (Q4_0 or Q8_0)."""

    def __init__(self, source: Source, shape: Shape, kind: Any) -> None:
        small = source.shape
        check_fit(small, shape, source.name)
        self._source, self._small, self._shape, self._kind = source, small, shape, kind
        self._constant = math.sqrt(small.width * source.epsilon / 2)
        self.epsilon = (small.width * source.epsilon - self._constant**2) / shape.width
        self._shrink = math.sqrt(small.width / shape.width)
        self._places = places(small, shape)
        self._random = np.random.default_rng(0)

    def tensors(self) -> Iterator[Tensor]:
        """All tensors, in the order of the file."""
        added = _NEVER if self._shape.tied else self._constant
        yield self._vocabulary("token_embd", "token_embd", self._constant, added)
        if not self._shape.tied:
            origin = "token_embd" if self._small.tied else "output"
            yield self._vocabulary("output", origin, 0.0, _NEVER)
        yield self._norm("output_norm", "output_norm", self._shrink / self._constant)
        carriers = np.linspace(0, self._shape.layers - 1, self._small.layers).round().tolist()
        for layer in range(self._shape.layers):
            yield from self._layer(layer, carriers.index(layer) if layer in carriers else None)

    def _layer(self, layer: int, origin: int | None) -> Iterator[Tensor]:
        """A layer that carries layer `origin` of the source, or nothing."""
        for norm in ("attn_norm", "ffn_norm"):
            name = None if origin is None else f"blk.{origin}.{norm}"
            yield self._norm(f"blk.{layer}.{norm}", name)
        for norm in ("attn_q_norm", "attn_k_norm"):
            name = None if origin is None else f"blk.{origin}.{norm}"
            yield self._head_norm(f"blk.{layer}.{norm}", name)
        for part in self._places:
            yield self._matrix(f"blk.{layer}.{part}", part, origin)

    def _matrix(self, name: str, part: str, origin: int | None) -> Tensor:
        place = self._places[part]
        # A norm over a head would see what its added pairs hold.
        silent = part in _INTO_STREAM or (origin is not None and part in _NORMED)

        def make() -> Blocks:
            blocks = self._filler(place.shape, silent)
            if origin is not None:
                weights = self._source.blocks(f"blk.{origin}.{part}", self._kind)
                blocks[np.ix_(place.rows, place.columns)] = weights
            return _flat(blocks)

        return Tensor(f"{name}.weight", place.shape, self._kind, make)

    def _vocabulary(self, name: str, origin: str, known: float, added: float) -> Tensor:
        """A row for each token; what the constant's column holds differs for added tokens."""
        small, shape = self._small, (self._shape.vocabulary, self._shape.width)
        columns = small.width // BLOCK

        def make() -> Blocks:
            blocks = self._filler(shape, silent=True)
            blocks[: small.vocabulary, :columns] = self._source.blocks(origin, self._kind)
            blocks[: small.vocabulary, columns] = self._block(known)
            blocks[small.vocabulary :, columns] = self._block(added)
            return _flat(blocks)

        return Tensor(f"{name}.weight", shape, self._kind, make)

    def _norm(self, name: str, origin: str | None, constant: float = 0.0) -> Tensor:
        def make() -> Floats:
            weights = np.zeros(self._shape.width, np.float32)
            carried = 1.0 if origin is None else self._source.vector(origin)
            weights[: self._small.width] = carried * np.float32(self._shrink)
            weights[self._small.width] = constant
            return weights

        return Tensor(f"{name}.weight", (self._shape.width,), _F32, make)

    def _head_norm(self, name: str, origin: str | None) -> Tensor:
        small, big = self._small.head_size, self._shape.head_size

        def make() -> Floats:
            if origin is None:
                return np.ones(big, np.float32)
            weights = np.zeros(big, np.float32)
            shrink = math.sqrt(small / big) if "k_norm" in name else 1.0
            weights[rotary(small, big)] = self._source.vector(origin) * np.float32(shrink)
            return weights

        return Tensor(f"{name}.weight", (big,), _F32, make)

    def _filler(self, shape: tuple[int, int], silent: bool) -> Blocks:
        """Random weights; unless they are silent, what they give is as large as what they take."""
        size = gguf.GGML_QUANT_SIZES[self._kind][1]
        rows, columns = shape
        count = rows * columns // BLOCK * size
        words = self._random.integers(0, 1 << 64, -(-count // 8), dtype=np.uint64)
        blocks: Blocks = words.view(np.uint8)[:count].reshape(rows, -1, size)
        levels = 1 << ((size - _SCALE) * 8 // BLOCK)
        spread = math.sqrt((levels**2 - 1) / 12)  # of integers that are all as likely
        scale = 0 if silent else 1 / (spread * math.sqrt(columns))
        blocks.view(np.float16)[..., 0] = scale
        return blocks

    def _block(self, first: float) -> Blocks:
        """A block of `first` and zeros."""
        values = np.zeros((1, BLOCK), np.float32)
        values[0, 0] = first
        block: Blocks = gguf.quants.quantize(values, self._kind)[0]
        return block


def _flat(blocks: Blocks) -> Blocks:
    return blocks.reshape(len(blocks), -1)
