"""Dimensions of a decoder, as torch and GGUF files agree on them."""

from dataclasses import dataclass

__all__ = ["EPSILON", "ROPE_BASE", "DecoderShape"]

EPSILON = 1e-6
ROPE_BASE = 10000.0


@dataclass(frozen=True)
class DecoderShape:
    """Dimensions of a decoder: `width` of the residual stream, `hidden` units of an MLP."""

    vocabulary: int
    width: int
    layers: int
    heads: int
    kv_heads: int
    head: int
    hidden: int
    context: int

    @property
    def parameters(self) -> int:
        """Number of weights in matrices."""
        attention = 2 * self.width * self.head * (self.heads + self.kv_heads)
        mlp = 3 * self.width * self.hidden
        return self.vocabulary * self.width + self.layers * (attention + mlp)
