"""Training for the weights as they will be stored: Q5_0 or Q4_0, as llama.cpp rounds them.

The forward pass sees rounded weights, the gradient passes to the exact ones as if nothing had
happened (the straight-through estimator), so the loss of quantization is trained away.
"""

import torch
from torch import Tensor, nn

from localspec.distill.export import EMBEDDING

__all__ = ["Q4_0", "Q5_0", "rounded", "rounded_weights"]

Q4_0, Q5_0 = 8, 16
"""Steps on either side of zero."""


def rounded(weight: Tensor, steps: int = Q5_0) -> Tensor:
    """`weight` as it is stored: blocks of 32 share a scale, set by the largest of them."""
    blocks = weight.detach().reshape(-1, 32)
    low, high = blocks.amin(1, keepdim=True), blocks.amax(1, keepdim=True)
    largest = torch.where(high > -low, high, low)
    scale = largest / -steps
    inverse = torch.where(scale == 0, torch.zeros_like(scale), 1 / scale)
    places = (blocks * inverse + steps + 0.5).floor().clamp(max=2 * steps - 1) - steps
    return (places * scale.half().float()).reshape(weight.shape)


def rounded_weights(model: nn.Module, embedding: int = Q5_0) -> dict[str, Tensor]:
    """All parameters by name, matrices rounded, the embedding to so many steps; gradients reach the
    exact ones.
    """

    def stored(name: str, p: nn.Parameter) -> Tensor:
        return rounded(p, embedding if name == EMBEDDING else Q5_0)

    return {
        name: p if p.dim() < 2 else p + (stored(name, p) - p).detach()
        for name, p in model.named_parameters()
    }
