"""A model of a few thousand weights that is made on the spot, for those that learn from it.

Tests that import this are skipped where there is no torch.
"""

import string
from pathlib import Path

import gguf
import numpy as np
import pytest
from gguf_writing import finish

torch = pytest.importorskip("torch")

from localspec.distill.decoder import Decoder  # noqa: E402
from localspec.distill.shape import DecoderShape  # noqa: E402

TOKENS = ["<|begin|>", "<|end|>", *string.printable[:94], "Ġ", "Ċ"]
TOY = DecoderShape(
    len(TOKENS), width=64, layers=1, heads=2, kv_heads=1, head=32, hidden=64, context=128
)
TEMPLATE = "{% for m in messages %}{{ m.content }}\n{% endfor %}"
PROMPTS = [f"What is {a} plus {b}?" for a in range(6) for b in range(4)]


def silent(share: float, what: str) -> None:
    """Hears of progress."""


def vocabulary(path: Path, template: str | None = TEMPLATE) -> Path:
    """A file with a vocabulary and nothing else."""
    writer = gguf.GGUFWriter(path, "qwen3")
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("qwen2")
    writer.add_token_list(TOKENS)
    writer.add_token_types([3, 3] + [1] * (len(TOKENS) - 2))
    writer.add_token_merges(["a b"])
    writer.add_bos_token_id(0)
    writer.add_eos_token_id(1)
    writer.add_add_bos_token(False)
    if template:
        writer.add_chat_template(template)
    finish(writer)
    return path


def decoder(seed: int = 1) -> Decoder:
    torch.manual_seed(seed)
    model = Decoder(TOY)
    with torch.no_grad():  # loud enough that some tokens are likelier than others
        model.token_embd.weight.mul_(20)
    return model


def weights(model: Decoder) -> dict[str, np.ndarray]:
    return {name: p.detach().numpy() for name, p in model.named_parameters()}
