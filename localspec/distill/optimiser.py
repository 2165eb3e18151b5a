"""The optimiser of everything trained here: Muon for the matrices of blocks, AdamW for the rest.

Muon (Jordan et al. 2024) makes each update of a matrix orthogonal by Newton-Schulz iterations;
small decoders need about half the steps with it.
"""

import math

import torch
from torch import Tensor, nn

__all__ = ["Optimiser"]

# Coefficients of five iterations that together map singular values near to 1 (Polar Express).
_ITERATIONS = (
    (4.0848, -6.8946, 2.9270),
    (3.9505, -6.3029, 2.6377),
    (3.7418, -5.5913, 2.3037),
    (2.8769, -3.1427, 1.2046),
    (2.8366, -3.0525, 1.2012),
)
_MOMENTUM = 0.95
_DECAY = 0.05


class Optimiser:
    """Steps a decoder's parameters by their gradients, which it clears.

    `rate` is Muon's; AdamW's is `embedding_rate` for the embedding and for norms.
    """

    def __init__(self, model: nn.Module, rate: float, embedding_rate: float) -> None:
        named = dict(model.named_parameters())
        self._matrices = [p for n, p in named.items() if p.dim() == 2 and "embd" not in n]
        inside = {id(p) for p in self._matrices}
        rest = [p for p in named.values() if id(p) not in inside]
        self._momenta = [torch.zeros_like(p.data) for p in self._matrices]
        self._adam = torch.optim.AdamW(rest, lr=embedding_rate, betas=(0.9, 0.95), weight_decay=0.0)
        self._rate, self._embedding_rate = rate, embedding_rate
        # On a GPU the many small kernels of an iteration are worth compiling.
        on_gpu = bool(rest) and rest[0].is_cuda
        self._orthogonal = torch.compile(orthogonal, dynamic=False) if on_gpu else orthogonal

    @torch.no_grad()
    def step(self, scale: float) -> None:
        """Apply the gradients, at `scale` times the learning rates."""
        self._step_matrices(self._rate * scale)
        for group in self._adam.param_groups:
            group["lr"] = self._embedding_rate * scale
        self._adam.step()
        self._adam.zero_grad(set_to_none=True)
        for parameter in self._matrices:
            parameter.grad = None

    def _step_matrices(self, rate: float) -> None:
        alike: dict[tuple[int, ...], list[tuple[Tensor, Tensor]]] = {}
        for parameter, momentum in zip(self._matrices, self._momenta, strict=True):
            if parameter.grad is None:
                continue
            momentum.lerp_(parameter.grad, 1 - _MOMENTUM)
            update = parameter.grad.lerp(momentum, _MOMENTUM)
            alike.setdefault(tuple(parameter.shape), []).append((parameter, update))
        for shape, pairs in alike.items():
            updates = self._orthogonal(torch.stack([update for _, update in pairs]))
            for (weight, _), update in zip(pairs, updates, strict=True):
                weight.mul_(1 - rate * _DECAY)
                weight.add_(update.to(weight.dtype), alpha=-rate * 0.2 * math.sqrt(max(shape)))

    def state(self) -> dict[str, object]:
        """What a resumed training needs."""
        return {"momenta": self._momenta, "adam": self._adam.state_dict()}

    def load(self, state: dict[str, object]) -> None:
        """Go on from `state`."""
        momenta = state["momenta"]
        assert isinstance(momenta, list)
        for ours, theirs in zip(self._momenta, momenta, strict=True):
            ours.copy_(theirs)
        self._adam.load_state_dict(state["adam"])  # type: ignore[arg-type]


def orthogonal(matrices: Tensor) -> Tensor:
    """The nearest (semi-)orthogonal matrices, [number, rows, columns], in bf16."""
    tall = matrices.shape[-2] > matrices.shape[-1]
    x = (matrices.mT if tall else matrices).bfloat16()
    x = x / (x.norm(dim=(-2, -1), keepdim=True) + 1e-7)
    for a, b, c in _ITERATIONS:
        squared = x @ x.mT
        x = a * x + (b * squared + c * squared @ squared) @ x
    out: Tensor = x.mT if tall else x
    return out
