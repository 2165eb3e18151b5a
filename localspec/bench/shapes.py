"""Shapes of models: the dimensions that decide what a model costs, without any weights.

Those of published models are their true dimensions; nothing had to be bent for a twin (twins.py).
What a twin cannot take over from them is the same for all of them: its layers are those of Qwen3,
which normalise each head's query and key (Llama's do not; two small operations more in a layer),
and all matrices have one quantization, where files made by `llama-quantize` keep the output matrix
at six bits.
"""

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, replace

from localspec.errors import UsageError

__all__ = ["SHAPES", "Shape", "draft_shape", "shape_named"]


@dataclass(frozen=True)
class Shape:
    """A transformer's dimensions. `heads` share `kv_heads`, each `head_size` wide.

    Where `tied`, the matrix that looks tokens up also gives the logits.
    """

    name: str
    width: int
    layers: int
    heads: int
    kv_heads: int
    head_size: int
    hidden: int
    vocabulary: int
    tied: bool = False

    @property
    def parameters(self) -> int:
        """Number of weights."""
        attention = 2 * self.width * (self.heads + self.kv_heads) * self.head_size
        norms = 2 * self.width + 2 * self.head_size
        layer = attention + 3 * self.width * self.hidden + norms
        vocabulary = self.vocabulary * self.width * (1 if self.tied else 2)
        return self.layers * layer + self.width + vocabulary


_ALL = (
    Shape("llama-3.2-1b", 2048, 16, 32, 8, 64, 8192, 128256, tied=True),
    Shape("llama-3.2-3b", 3072, 28, 24, 8, 128, 8192, 128256, tied=True),
    Shape("llama-3.1-8b", 4096, 32, 32, 8, 128, 14336, 128256),
    Shape("llama-3.1-70b", 8192, 80, 64, 8, 128, 28672, 128256),
    Shape("qwen3-0.6b", 1024, 28, 16, 8, 128, 3072, 151936, tied=True),
    Shape("qwen3-1.7b", 2048, 28, 16, 8, 128, 6144, 151936, tied=True),
    Shape("qwen3-4b", 2560, 36, 32, 8, 128, 9728, 151936, tied=True),
    Shape("qwen3-8b", 4096, 36, 32, 8, 128, 12288, 151936),
    # The benchmarks' own: a target that a laptop can run, a bigger one, and drafts for them.
    Shape("c500", 1280, 24, 20, 5, 64, 4480, 32000),
    Shape("1b", 2048, 16, 32, 8, 64, 8192, 128256),
    Shape("cd", 512, 2, 8, 4, 64, 1408, 32000),
    Shape("tiny", 512, 2, 8, 4, 64, 1408, 128256),
)

SHAPES: Mapping[str, Shape] = {shape.name: shape for shape in _ALL}
"""Shapes by name."""


def shape_named(name: str) -> Shape:
    """The shape called `name`; UsageError, with the nearest name, where there is none."""
    try:
        return SHAPES[name.lower()]
    except KeyError:
        near = difflib.get_close_matches(name.lower(), SHAPES, n=1, cutoff=0)
        raise UsageError(
            f"There is no shape called {name!r}; did you mean {near[0]!r}? "
            f"There are {', '.join(SHAPES)}."
        ) from None


def draft_shape(target: Shape) -> Shape:
    """A small shape with the target's vocabulary, which a pair must share."""
    return replace(SHAPES["tiny"], name=f"tiny-{target.vocabulary}", vocabulary=target.vocabulary)
