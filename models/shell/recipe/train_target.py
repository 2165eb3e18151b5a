"""Trains the shell target on one GPU, from the weights of the edition before.

    python train_target.py ROWS.npz START.gguf OUT.gguf --seconds 440

ROWS.npz comes from corpus.py. START.gguf also gives the vocabulary. OUT.gguf is Q5_0, rounded as
it was trained. The time includes no start-up; a warm H100 sees about 0.7 M tokens a second.
"""

import argparse
import time
from pathlib import Path

import numpy as np
import torch
from rounding import rounded_weights
from torch import Tensor
from torch.func import functional_call
from torch.nn import functional as F

from localspec.distill import export
from localspec.distill.decoder import Decoder
from localspec.distill.optimiser import Optimiser

SHARES = {
    "recipes": 0.42, "pages": 0.13, "functions": 0.12, "unknown": 0.03, "talk": 0.01, "sums": 0.01,
    "gsm8k": 0.06, "gpteacher": 0.08, "dstc8": 0.04, "plain": 0.10,
}  # fmt: skip
"""How much of a batch is of each kind."""
RATE, EMBEDDING_RATE = 1.2e-3, 1.5e-3
WARM_STEPS, FALL_FROM = 60, 0.3
SAID = 0x8000


def log(*what: object) -> None:
    """A line with the time since the start."""
    print(f"[{time.monotonic() - START:6.1f}]", *what, flush=True)


START = time.monotonic()


class Rows:
    """Rows of all kinds on the device, drawn at random with their shares."""

    def __init__(self, path: Path, device: str) -> None:
        with np.load(path) as kinds:
            self._rows = {k: torch.from_numpy(kinds[k].astype(np.int32)).to(device) for k in SHARES}
        self._draw = torch.Generator(device=device)
        self._draw.manual_seed(8)
        self._device = device

    def batch(self, size: int) -> tuple[Tensor, Tensor, Tensor]:
        """Tokens, the tokens after them, and which of those count, each [size, positions]."""
        parts = []
        for kind, share in SHARES.items():
            rows = self._rows[kind]
            number = max(1, round(share * size))
            chosen = torch.randint(len(rows), (number,), generator=self._draw, device=self._device)
            parts.append(rows[chosen])
        whole = torch.cat(parts)
        tokens, after = (whole & (SAID - 1))[:, :-1].long(), whole[:, 1:]
        return tokens, (after & (SAID - 1)).long(), (after & SAID > 0).float()


def main() -> None:
    """Train until the time is up, then write the result."""
    parser = argparse.ArgumentParser(description="Train the shell target.")
    for name in ("rows", "start", "out"):
        parser.add_argument(name, type=Path)
    parser.add_argument("--seconds", type=float, default=440)
    parser.add_argument("--batch", type=int, default=96, help="rows in a step")
    parser.add_argument("--device", default="cuda")
    options = parser.parse_args()
    torch.set_float32_matmul_precision("high")
    torch.manual_seed(8)
    shape, weights = export.read(options.start)
    model = Decoder(shape).to(options.device)
    model.load_state_dict({name: torch.from_numpy(values) for name, values in weights.items()})
    rows = Rows(options.rows, options.device)
    log("rows and weights are there")

    on_gpu = options.device == "cuda"
    if on_gpu:
        for block in model.blk:  # one compilation serves all of them
            block.compile(dynamic=False)

    @torch.compile(dynamic=False, disable=not on_gpu)
    def loss_of(states: Tensor, embedding: Tensor, after: Tensor, counts: Tensor) -> Tensor:
        scores = F.linear(states, embedding.bfloat16()).float()
        losses = F.cross_entropy(
            scores.view(-1, shape.vocabulary), after.view(-1), reduction="none"
        )
        return (losses * counts.view(-1)).sum() / counts.sum()

    optimiser = Optimiser(model, RATE, EMBEDDING_RATE)
    began, step, size = time.monotonic(), 0, options.batch
    while True:
        if step == 8:  # compiled and warm: the time begins
            began = time.monotonic()
            log("compiled")
        done = (time.monotonic() - began) / options.seconds if step > 8 else 0.0
        if done >= 1:
            break
        rise, fall = min(1, (step + 1) / WARM_STEPS), min(1, (1 - done) / (1 - FALL_FROM))
        try:
            tokens, after, counts = rows.batch(size)
            exact = rounded_weights(model)
            with torch.autocast(options.device, torch.bfloat16):
                states = functional_call(model, exact, (tokens, torch.bfloat16))
                loss = loss_of(states, exact["token_embd.weight"], after, counts)
            loss.backward()
        except torch.OutOfMemoryError:
            model.zero_grad(set_to_none=True)
            torch.cuda.empty_cache()
            size //= 2
            log("out of memory; rows in a step are now", size)
            continue
        optimiser.step(rise * fall)
        step += 1
        if step % 100 == 0 or step < 3:
            log("step", step, "loss", round(loss.item(), 4), "M tokens", round(step * size / 976))
    log("done after", step, "steps")
    final = {name: p.detach().float().cpu().numpy() for name, p in model.named_parameters()}
    export.write(options.out, "localspec shell 65m", final, shape, options.start, "q5_0")
    log("written", options.out)


if __name__ == "__main__":
    main()
