"""Distillation: a small decoder learns to think likely what the target thought likely.

The decoder knows only the tokens that occur in what the target wrote, and one more that stands
for all others: in a vocabulary of 128,000 that makes a step many times cheaper. `whole` gives the
others that one's row again.
"""

import os
import pickle
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional as F

from localspec.distill.decoder import Decoder
from localspec.distill.export import EMBEDDING
from localspec.distill.optimiser import Optimiser
from localspec.distill.record import Text
from localspec.distill.shape import DecoderShape

__all__ = ["Alphabet", "Result", "train"]

_RATE, _EMBEDDING_RATE = 3e-3, 3e-3
_WARM_STEPS = 30
_FALL_FROM = 0.5
_SAVE_SECONDS = 20.0
_TOKENS = {"cpu": 2048, "mps": 8192, "cuda": 32_768}  # in a step

Progress = Callable[[float, str], None]
Weights = dict[str, npt.NDArray[np.float32]]


class Alphabet:
    """The tokens that occur in some texts, numbered anew; the last number is any other token."""

    def __init__(self, texts: list[Text], size: int) -> None:
        parts = [part for t in texts for part in (t.prompt, t.said, t.likely.ravel())]
        self.tokens = np.unique(np.concatenate(parts))
        self._numbers = np.full(size, len(self.tokens), np.int64)
        self._numbers[self.tokens] = np.arange(len(self.tokens))

    def __len__(self) -> int:
        return len(self.tokens) + 1

    def numbers(self, tokens: npt.NDArray[np.int32]) -> npt.NDArray[np.int64]:
        """New numbers of tokens."""
        found: npt.NDArray[np.int64] = self._numbers[tokens]
        return found

    def whole(
        self, embedding: npt.NDArray[np.float32], known: npt.NDArray[np.float32] | None = None
    ) -> npt.NDArray[np.float32]:
        """Rows for all tokens, from rows for these; others keep those of `known`."""
        rows: npt.NDArray[np.float32] = embedding[self._numbers]
        if known is not None:
            absent = self._numbers == len(self.tokens)
            rows[absent] = known[absent]
        return rows

    def part(self, known: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """Rows for these tokens, from rows for all; for any other token their mean."""
        rows: npt.NDArray[np.float32] = np.vstack([known[self.tokens], known.mean(0)])
        return rows


@dataclass(frozen=True)
class Result:
    """A trained decoder for the target's whole vocabulary, and how it went."""

    shape: DecoderShape
    weights: Weights
    steps: int
    loss: float


def _best_device() -> str:
    """What torch runs fastest on here."""
    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"


def train(
    texts: list[Text],
    shape: DecoderShape,
    checkpoint: Path,
    *,
    seconds: float,
    device: str | None = None,
    progress: Progress,
    start: Weights | None = None,
) -> Result:
    """Learn from `texts` for `seconds`, those before an interruption included.

    `start` are the weights of a decoder of this shape to begin with, by default those of chance.
    The state is kept in `checkpoint` every few seconds and taken up again from there. Where the
    device (by default the fastest) runs out of memory, steps become smaller.
    """
    device = device or _best_device()
    alphabet = Alphabet(texts, shape.vocabulary)
    model = _decoder(shape, alphabet, start).to(device)
    optimiser = Optimiser(model, _RATE, _EMBEDDING_RATE)
    at = _resume(checkpoint, model, optimiser)
    batches = _Batches(texts, alphabet, shape.context, device, at.step)
    began, saved = time.monotonic() - at.spent, at.spent
    while (spent := time.monotonic() - began) < seconds:
        value = _step(model, optimiser, batches, _scale(at.step, spent / seconds))
        if value is None:
            continue
        at = at.after(spent, value)
        progress(spent / seconds, f"learning, step {at.step}, loss {at.loss:.3f}")
        if spent - saved > _SAVE_SECONDS:
            saved = spent
            _save(checkpoint, model, optimiser, at)
    _save(checkpoint, model, optimiser, at._replace(spent=seconds))
    weights = {n: p.detach().float().cpu().numpy() for n, p in model.named_parameters()}
    known = start[EMBEDDING] if start else None
    weights[EMBEDDING] = alphabet.whole(weights[EMBEDDING], known)
    return Result(shape, weights, at.step, at.loss)


class _State(NamedTuple):
    """How far a training has come: seconds spent, steps taken, and the loss of the latest ones."""

    spent: float = 0.0
    step: int = 0
    loss: float = 0.0

    def after(self, spent: float, value: float) -> "_State":
        """One step later."""
        step = self.step + 1
        return _State(spent, step, value if step < 10 else 0.95 * self.loss + 0.05 * value)


def _decoder(shape: DecoderShape, alphabet: Alphabet, start: Weights | None) -> Decoder:
    """A decoder that knows the tokens of the alphabet."""
    torch.manual_seed(0)
    model = Decoder(replace(shape, vocabulary=len(alphabet)))
    if start:
        begin = {**start, EMBEDDING: alphabet.part(start[EMBEDDING])}
        model.load_state_dict({name: torch.from_numpy(array) for name, array in begin.items()})
    return model


def _scale(step: int, done: float) -> float:
    """Of the learning rates: they rise at first, and fall to nothing in the second half."""
    return min(1.0, (step + 1) / _WARM_STEPS, (1 - done) / (1 - _FALL_FROM))


def _step(model: Decoder, optimiser: Optimiser, batches: "_Batches", scale: float) -> float | None:
    """Learn from a batch; its loss, or None where it was too large for the device."""
    try:
        loss = _loss(model, *batches.draw())
        loss.backward()  # type: ignore[no-untyped-call]
    except torch.OutOfMemoryError:
        model.zero_grad(set_to_none=True)
        batches.shrink()
        return None
    optimiser.step(scale)
    return loss.item()


def _loss(
    model: Decoder, tokens: Tensor, places: Tensor, likely: Tensor, chances: Tensor
) -> Tensor:
    """Cross entropy of the target's likeliest tokens and of all the rest, in nats.

    `places` count tokens of the batch laid out flat; the state there predicts what comes next.
    """
    states = model(tokens).reshape(-1, model.shape.width)[places]
    guesses = F.log_softmax(model.logits(states).float(), -1)
    rest = (1 - chances.sum(-1)).clamp(min=0)
    wanted = (guesses.gather(-1, likely) * chances).sum(-1) + guesses[:, -1] * rest
    return -wanted.mean()


class _Batches:
    """Draws texts at random, as many as fit a step."""

    def __init__(
        self, texts: list[Text], alphabet: Alphabet, context: int, device: str, seed: int
    ) -> None:
        self._texts, self._alphabet = texts, alphabet
        self._context, self._device = context, device
        self._tokens = _TOKENS[device]
        self._random = np.random.default_rng(seed)

    def shrink(self) -> None:
        """Half as many tokens a step from now on. Raises OutOfMemoryError where that is none."""
        self._tokens //= 2
        if self._tokens < 64:
            raise torch.OutOfMemoryError("not even a few tokens fit")

    def draw(self) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Tokens [texts, positions], places, likeliest tokens and their chances at those."""
        chosen: list[Text] = []
        longest = 0
        while True:
            text = self._texts[self._random.integers(len(self._texts))]
            length = min(self._context, len(text.prompt) + len(text.said))
            longest = max(longest, length)
            if chosen and longest * (len(chosen) + 1) > self._tokens:
                break
            chosen.append(text)
        longest = max(min(self._context, len(t.prompt) + len(t.said)) for t in chosen)
        tokens = np.zeros((len(chosen), longest), np.int64)
        places, likely, chances = [], [], []
        for i, text in enumerate(chosen):
            prompt = text.prompt[-(longest - min(longest - 1, len(text.said))) :]
            line = np.concatenate([prompt, text.said])[:longest]
            tokens[i, : len(line)] = self._alphabet.numbers(line)
            said = len(line) - len(prompt)
            places.append(i * longest + len(prompt) - 1 + np.arange(said))
            likely.append(self._alphabet.numbers(text.likely[:said]))
            chances.append(np.exp(text.log_probabilities[:said].astype(np.float32)))
        arrays = tokens, *map(np.concatenate, (places, likely, chances))
        a, b, c, d = (torch.from_numpy(array).to(self._device) for array in arrays)
        return a, b, c, d


def _save(path: Path, model: Decoder, optimiser: Optimiser, at: _State) -> None:
    state = {
        "model": model.state_dict(),
        "optimiser": optimiser.state(),
        "shape": vars(model.shape),
        **at._asdict(),
    }
    part = path.with_name(path.name + ".part")
    with part.open("wb") as file:
        torch.save(state, file)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)


def _resume(path: Path, model: Decoder, optimiser: Optimiser) -> _State:
    """How far a training has come that was the same until then; nowhere, if that is damaged."""
    try:
        state = torch.load(path, map_location=model.token_embd.weight.device)
        if state["shape"] != vars(model.shape):
            return _State()
        model.load_state_dict(state["model"])
        optimiser.load(state["optimiser"])
        return _State(float(state["spent"]), int(state["step"]), float(state["loss"]))
    except (OSError, EOFError, pickle.UnpicklingError, RuntimeError, KeyError, ValueError):
        return _State()
