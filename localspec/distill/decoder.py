"""The small decoder in torch: a qwen3, which llama.cpp runs without any code of ours.

RMSNorm, rotary positions over halves of a head, normalised queries and keys, grouped-query
attention, SwiGLU, and one matrix for embedding and output. Parameters have llama.cpp's names.
"""

import math
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from localspec.distill.shape import EPSILON, ROPE_BASE, DecoderShape

__all__ = ["Cache", "Decoder", "count"]

Cache = list[tuple[Tensor, Tensor]]
"""Keys and values of each layer, [batch, kv heads, positions, head], filled up to a position."""


class Norm(nn.Module):
    """RMSNorm over the last dimension."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))

    def forward(self, x: Tensor) -> Tensor:
        return F.rms_norm(x, (x.shape[-1],), self.weight.to(x.dtype), EPSILON)


def _linear(inputs: int, outputs: int) -> nn.Linear:
    return nn.Linear(inputs, outputs, bias=False)


class Block(nn.Module):
    """Attention and MLP, each after a norm, each added to the residual stream."""

    def __init__(self, shape: DecoderShape) -> None:
        super().__init__()
        self.shape = s = shape
        self.attn_norm, self.ffn_norm = Norm(s.width), Norm(s.width)
        self.attn_q_norm, self.attn_k_norm = Norm(s.head), Norm(s.head)
        self.attn_q = _linear(s.width, s.heads * s.head)
        self.attn_k = _linear(s.width, s.kv_heads * s.head)
        self.attn_v = _linear(s.width, s.kv_heads * s.head)
        self.attn_output = _linear(s.heads * s.head, s.width)
        self.ffn_gate, self.ffn_up = _linear(s.width, s.hidden), _linear(s.width, s.hidden)
        self.ffn_down = _linear(s.hidden, s.width)

    def forward(self, x: Tensor, turn: tuple[Tensor, Tensor]) -> Tensor:
        """`x` is [batch, positions, width]; `turn` the cosines and sines of the positions."""
        q, k, v = self._project(x, turn)
        group = self.shape.heads // self.shape.kv_heads
        k, v = k.repeat_interleave(group, 1), v.repeat_interleave(group, 1)
        mixed = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        return self._finish(x, mixed.transpose(1, 2))

    def step(
        self, x: Tensor, turn: tuple[Tensor, Tensor], cache: tuple[Tensor, Tensor], position: int
    ) -> Tensor:
        """One position more of every row, after those in the cache, which it joins."""
        q, k, v = self._project(x, turn)
        keys, values = cache
        keys[:, :, position], values[:, :, position] = k[:, :, 0], v[:, :, 0]
        # Query heads that share keys are as good as several queries of one head.
        grouped = q.reshape(len(x), self.shape.kv_heads, -1, self.shape.head)
        mixed = F.scaled_dot_product_attention(
            grouped, keys[:, :, : position + 1], values[:, :, : position + 1]
        )
        return self._finish(x, mixed.reshape(len(x), 1, -1))

    def fill(self, x: Tensor, turn: tuple[Tensor, Tensor], cache: tuple[Tensor, Tensor]) -> Tensor:
        """The first positions of every row, into an empty cache."""
        _, k, v = self._project(x, turn)
        cache[0][:, :, : x.shape[1]], cache[1][:, :, : x.shape[1]] = k, v
        return self(x, turn)  # type: ignore[no-any-return]

    def _project(self, x: Tensor, turn: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor, Tensor]:
        y = self.attn_norm(x)
        split = (*x.shape[:2], -1, self.shape.head)
        q = self.attn_q_norm(self.attn_q(y).view(split)).transpose(1, 2)
        k = self.attn_k_norm(self.attn_k(y).view(split)).transpose(1, 2)
        v = self.attn_v(y).view(split).transpose(1, 2)
        return _rotate(q, turn), _rotate(k, turn), v

    def _finish(self, x: Tensor, mixed: Tensor) -> Tensor:
        x = x + self.attn_output(mixed.reshape(*x.shape[:2], -1))
        y = self.ffn_norm(x)
        out: Tensor = x + self.ffn_down(F.silu(self.ffn_gate(y)) * self.ffn_up(y))
        return out


def _rotate(x: Tensor, turn: tuple[Tensor, Tensor]) -> Tensor:
    cosine, sine = turn
    a, b = x.chunk(2, -1)
    return torch.cat([a * cosine - b * sine, b * cosine + a * sine], -1)


class Decoder(nn.Module):
    """Tokens in, the state after each token out; `logits` turns states into scores."""

    cosine: Tensor
    sine: Tensor

    def __init__(self, shape: DecoderShape) -> None:
        super().__init__()
        self.shape = shape
        self.token_embd = nn.Embedding(shape.vocabulary, shape.width)
        self.blk = nn.ModuleList(Block(shape) for _ in range(shape.layers))
        self.output_norm = Norm(shape.width)
        for name, parameter in self.named_parameters():
            if parameter.dim() == 2:
                deviation = 0.02 if "embd" in name else 1 / math.sqrt(parameter.shape[1])
                nn.init.normal_(parameter, std=deviation)
            if name.endswith(("attn_output.weight", "ffn_down.weight")):
                parameter.data.mul_(1 / math.sqrt(2 * shape.layers))
        speed = ROPE_BASE ** -(torch.arange(0, shape.head, 2) / shape.head)
        angle = torch.outer(torch.arange(shape.context).float(), speed)
        self.register_buffer("cosine", angle.cos(), persistent=False)
        self.register_buffer("sine", angle.sin(), persistent=False)

    def forward(self, tokens: Tensor, dtype: torch.dtype = torch.float32) -> Tensor:
        """States [batch, positions, width] in `dtype` for tokens [batch, positions]."""
        x = self.token_embd(tokens).to(dtype)
        turn = self._turn(0, tokens.shape[1], dtype)
        for block in self.blk:
            x = block(x, turn)
        out: Tensor = self.output_norm(x)
        return out

    def logits(self, states: Tensor) -> Tensor:
        """Scores of all tokens, [..., vocabulary]."""
        return F.linear(states, self.token_embd.weight.to(states.dtype))

    def cache(self, rows: int, positions: int, dtype: torch.dtype) -> Cache:
        """An empty cache for `rows` texts of up to `positions` tokens."""
        s, device = self.shape, self.token_embd.weight.device
        size = (rows, s.kv_heads, positions, s.head)
        new = partial(torch.zeros, size, dtype=dtype, device=device)
        return [(new(), new()) for _ in self.blk]

    def fill(self, tokens: Tensor, cache: Cache) -> Tensor:
        """Read the beginnings [batch, positions] into the cache; the state after each's last."""
        dtype = cache[0][0].dtype
        x, turn = self.token_embd(tokens).to(dtype), self._turn(0, tokens.shape[1], dtype)
        for block, kept in zip(self.blk, cache, strict=True):
            x = block.fill(x, turn, kept)  # type: ignore[operator]
        out: Tensor = self.output_norm(x[:, -1])
        return out

    def step(self, tokens: Tensor, cache: Cache, position: int) -> Tensor:
        """Read one token [batch] at `position`; the state [batch, width] after it."""
        dtype = cache[0][0].dtype
        x = self.token_embd(tokens[:, None]).to(dtype)
        turn = self._turn(position, position + 1, dtype)
        for block, kept in zip(self.blk, cache, strict=True):
            x = block.step(x, turn, kept, position)  # type: ignore[operator]
        out: Tensor = self.output_norm(x[:, -1])
        return out

    def _turn(self, start: int, end: int, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
        return self.cosine[start:end].to(dtype), self.sine[start:end].to(dtype)


def count(model: nn.Module) -> int:
    """Number of parameters."""
    return sum(parameter.numel() for parameter in model.parameters())
