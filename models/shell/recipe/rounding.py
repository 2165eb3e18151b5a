"""Training for the weights as they will be stored: Q5_0, as llama.cpp rounds them.

The forward pass sees rounded weights, the gradient passes to the exact ones as if nothing had
happened (the straight-through estimator), so the loss of quantization is trained away.
"""

import torch
from torch import Tensor, nn

__all__ = ["rounded", "rounded_weights"]


def rounded(weight: Tensor) -> Tensor:
    """`weight` as Q5_0 stores it: blocks of 32 share a scale, set by the largest of them."""
    blocks = weight.detach().reshape(-1, 32)
    low, high = blocks.amin(1, keepdim=True), blocks.amax(1, keepdim=True)
    largest = torch.where(high > -low, high, low)
    scale = largest / -16
    inverse = torch.where(scale == 0, torch.zeros_like(scale), 1 / scale)
    steps = (blocks * inverse + 16.5).floor().clamp(max=31) - 16
    return (steps * scale.half().float()).reshape(weight.shape)


def rounded_weights(model: nn.Module) -> dict[str, Tensor]:
    """All parameters by name, matrices rounded; gradients reach the exact ones."""
    return {
        name: p if p.dim() < 2 else p + (rounded(p) - p).detach()
        for name, p in model.named_parameters()
    }
