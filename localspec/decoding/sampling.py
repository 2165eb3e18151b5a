"""Coupled sampling: which token comes next, as a pure function of logits, seed and position.

The target's pick is argmax(logits / T + noise) over what the filters leave; at T = 0 the noise is
nothing. The draft guesses with the same noise, and a guess holds where it equals the target's own
pick, so the text never depends on who guessed what (Daliri, Musco & Suresh 2024,
arXiv 2408.07978). Order of work: penalties and bias, temperature, top-k, top-p, min-p.
"""

import functools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from localspec.decoding import noise
from localspec.errors import DecodeError, UsageError
from localspec.llama.rows import Logits

__all__ = ["SHARPNESS", "SHARPNESSES", "Constraint", "Guess", "Sampler", "Sampling"]

SHARPNESSES = (1.0, 1.3, 1.6, 2.2, 4.0)
"""Values of beta, by which a draft's logits may be sharpened; which is best depends on the text."""
SHARPNESS = 1.6
"""Where to begin: measured best over six kinds of prompt."""

_NEAR = 8.0  # nats below the best logit within which the winner nearly always is
_DEEP, _WIDE = 64, 128  # most rows and fewest columns of a table of all tokens
_MOST_BIAS = 100.0
_COLD = 1e-9  # a temperature below it is none; float32 would run out
Ids = npt.NDArray[np.intp]


@dataclass(frozen=True)
class Sampling:
    """How to choose tokens. Raises UsageError on values that make no sense.

    `top_k` 0, `top_p` 1 and `min_p` 0 switch those filters off; so do a `repeat_penalty` of 1 and
    the other penalties at 0. The repetition penalty looks at prompt and answer, the frequency and
    presence penalties at the answer.
    """

    temperature: float = 0.7
    top_k: int = 0
    top_p: float = 0.95
    min_p: float = 0.0
    repeat_penalty: float = 1.0
    frequency_penalty: float = 0.0
    presence_penalty: float = 0.0
    logit_bias: Mapping[int, float] = field(default_factory=dict)
    seed: int = 0

    def __post_init__(self) -> None:
        for name, lowest, highest in (
            ("temperature", 0, 100),
            ("top_k", 0, math.inf),
            ("top_p", 0, 1),
            ("min_p", 0, 1),
            ("repeat_penalty", 0.01, 100),
            ("frequency_penalty", -100, 100),
            ("presence_penalty", -100, 100),
        ):
            value = getattr(self, name)
            if not lowest <= value <= highest:
                limit = f"{lowest} to {highest}" if highest < math.inf else f"at least {lowest}"
                raise UsageError(f"{name} is {value}; it must be {limit}.", name)
        if not 0 <= self.seed < 2**64:
            raise UsageError(f"seed is {self.seed}; it must be 0 to 2^64 - 1.", "seed")
        for token, bias in self.logit_bias.items():
            if not -_MOST_BIAS <= bias <= _MOST_BIAS:
                raise UsageError(
                    f"The logit bias of token {token} is {bias}; it must be -100 to 100."
                )


class Guess(NamedTuple):
    """What a draft expects, and how sure it is of it (its own probability)."""

    token: int
    confidence: float
    at_sharpness: tuple[int, ...] = ()
    """What the guess would have been at each of `SHARPNESSES`; empty at temperature 0."""


class Constraint(Protocol):
    """A grammar that an answer must match, and how far the answer has come in it."""

    def push(self, token: int) -> None:
        """`token` follows."""

    def pop(self) -> None:
        """Take the last token back."""

    def allowed(self) -> npt.NDArray[np.bool_]:
        """Which tokens may come next, one flag a token."""

    def forced(self) -> list[int]:
        """What must come next, as far as there is no choice."""


class Sampler:
    """The choices of one sequence: `pick` for the target's rows, `guess` for the draft's.

    Penalties and constraint look at what was pushed: push every committed token, and pop in
    reverse order what was pushed for a guess.
    """

    def __init__(
        self,
        sampling: Sampling,
        prompt: Sequence[int],
        vocabulary: int,
        constraint: Constraint | None = None,
    ) -> None:
        self.sampling = sampling
        self.sharpness = SHARPNESS
        self._temperature = sampling.temperature if sampling.temperature >= _COLD else 0.0
        self._constraint = constraint
        self._ids = _all_ids(vocabulary)
        self._penalties = _Penalties(sampling, prompt, vocabulary) if _adjusts(sampling) else None

    def push(self, token: int) -> None:
        """`token` now stands at the end of the answer."""
        if self._penalties:
            self._penalties.count(token, 1)
        if self._constraint:
            self._constraint.push(token)

    def pop(self, token: int) -> None:
        """Take the last token pushed back."""
        if self._penalties:
            self._penalties.count(token, -1)
        if self._constraint:
            self._constraint.pop()

    def forced(self) -> list[int]:
        """Tokens that the constraint leaves no choice about."""
        return self._constraint.forced() if self._constraint else []

    def pick(self, row: Logits, position: int) -> int:
        """The target's token for `position`, from its row of `n_vocab` logits."""
        row = self._adjusted(row)
        temperature = self._temperature
        token = int(row.argmax())
        best = _checked(row[token])
        if temperature == 0:
            return token
        key = noise.key_at(self.sampling.seed, position)
        kept = self._filtered(row, best)
        if kept is None:
            return self._unfiltered(row, best, key, temperature)
        scores = row[kept] / temperature + noise.gumbel(key, self._ids[kept])
        return int(kept[scores.argmax()])

    def guess(self, row: Logits, position: int) -> Guess:
        """The draft's token for `position`, from its own row: the same noise, no filters.

        Only tokens near the top are looked at; a guess may be wrong, it must be quick.
        """
        row = self._adjusted(row[: len(self._ids)])
        temperature = self._temperature
        if temperature == 0:
            return _likeliest(row)
        best = _checked(row.max())
        near = np.flatnonzero(row >= best - np.float32(_NEAR * temperature))
        nats = (row[near] - best) / np.float32(temperature)
        mass = float(np.exp(nats).sum())
        noises = noise.gumbel(noise.key_at(self.sampling.seed, position), self._ids[near])
        places = [int((beta * nats + noises).argmax()) for beta in SHARPNESSES]
        chosen = places[SHARPNESSES.index(self.sharpness)]
        return Guess(
            token=int(near[chosen]),
            confidence=math.exp(float(nats[chosen])) / mass,
            at_sharpness=tuple(int(near[place]) for place in places),
        )

    def _adjusted(self, row: Logits) -> Logits:
        if self._penalties:
            row = self._penalties.applied(row)
        if self._constraint:
            allowed = self._constraint.allowed()[: len(row)]
            row = np.where(allowed, row, np.float32(-np.inf))
        return row

    def _unfiltered(self, row: Logits, best: np.float32, key: noise.Key, temperature: float) -> int:
        """argmax(row / T + noise) over the whole row.

        The tokens near the top set a score to beat; of the rest only those are looked at whose
        noise could make up for the distance, and an integer comparison finds them.
        """
        near = np.flatnonzero(row >= best - _NEAR * temperature)
        scores = (row[near] - best) / temperature + noise.gumbel(key, self._ids[near])
        leader = int(scores.argmax())
        score = float(scores[leader])
        if score + _NEAR >= noise.HIGHEST:
            return int(near[leader])
        lucky = noise.exceeding(key, self._ids[: len(row)], score + _NEAR)
        if len(lucky):
            others = (row[lucky] - best) / temperature + noise.gumbel(key, lucky)
            if float(others.max()) > score:
                return int(lucky[others.argmax()])
        return int(near[leader])

    def _filtered(self, row: Logits, best: np.float32) -> Ids | None:
        """Tokens that top-k, top-p and min-p leave, or None where nothing filters."""
        s = self.sampling
        kept: Ids | None = None
        if 0 < s.top_k < len(row) or s.top_p < 1:
            kept = self._nucleus(row, float(best))
        if s.min_p > 0:
            floor = best + s.temperature * math.log(s.min_p)
            kept = np.flatnonzero(row >= floor) if kept is None else kept[row[kept] >= floor]
        return kept

    def _nucleus(self, row: Logits, best: float) -> Ids:
        """The top-k tokens, and of them the fewest that hold a share top-p of the probability.

        Only a window below the best logit is sorted; it doubles until it holds enough.
        """
        s = self.sampling
        wanted = s.top_k or len(row)
        t = np.float32(s.temperature)
        total = None if s.top_k else float(np.exp((row - best) / t).sum()) * s.top_p
        window = _NEAR / 2 * s.temperature
        while True:
            inside = np.flatnonzero(row >= best - window)
            weights = np.exp((row[inside] - best) / t)
            whole = len(inside) == len(row)
            if whole or (len(inside) >= wanted if total is None else weights.sum() >= total):
                break
            window = window * 2 if window < noise.SPAN * s.temperature else math.inf
        order = np.argsort(-row[inside], kind="stable")[:wanted]
        share = np.cumsum(weights[order], dtype=np.float64)
        enough = share[-1] * s.top_p if total is None else total
        return inside[order[: int(np.searchsorted(share, enough)) + 1]]


@functools.lru_cache(maxsize=4)
def _all_ids(vocabulary: int) -> npt.NDArray[np.uint32]:
    """Every token; the same array for all samplers, of which thousands may wait for their turn."""
    ids = np.arange(vocabulary, dtype=np.uint32)
    ids.flags.writeable = False
    return ids


def _likeliest(row: Logits) -> Guess:
    """The likeliest token, and about how likely it is.

    The row is laid out as a table, and of each column only the best token counts: two good ones
    seldom share one, and a vocabulary of 128k is read once, not four times.
    """
    deep = max(1, min(_DEEP, len(row) // _WIDE))
    wide = len(row) // deep
    table, rest = row[: deep * wide].reshape(deep, wide), row[deep * wide :]
    columns = table.max(axis=0)
    np.maximum(columns[: len(rest)], rest, out=columns[: len(rest)])
    column = int(columns.argmax())
    mass = float(np.exp(columns - _checked(columns[column])).sum())
    return Guess(column + wide * int(row[column::wide].argmax()), 1 / mass)


def _checked(best: np.float32) -> np.float32:
    """The best logit of a row, which is NaN where any of them is. Raises DecodeError of those that
    are no numbers: no comparison with them holds, and a search for the best would never end.
    """
    if not best < np.inf:
        raise DecodeError("The model's logits are no numbers; its file may be damaged.")
    return best


def _adjusts(s: Sampling) -> bool:
    penalties = s.frequency_penalty or s.presence_penalty or s.repeat_penalty != 1
    return bool(penalties or s.logit_bias)


class _Penalties:
    """Logit bias and penalties as dense vectors, kept up to date token by token."""

    def __init__(self, sampling: Sampling, prompt: Sequence[int], vocabulary: int) -> None:
        self._sampling = sampling
        self._counts: dict[int, int] = {}
        self._in_prompt = np.zeros(vocabulary, dtype=np.bool_)
        self._in_prompt[list(prompt)] = True
        self._seen = self._in_prompt.copy()
        self._offset = np.zeros(vocabulary, dtype=np.float32)
        for token, bias in sampling.logit_bias.items():
            if not 0 <= token < vocabulary:
                raise UsageError(f"The logit bias names token {token}; there are {vocabulary}.")
            self._offset[token] = bias

    def count(self, token: int, change: int) -> None:
        s = self._sampling
        n = self._counts[token] = self._counts.get(token, 0) + change
        self._seen[token] = self._in_prompt[token] or n > 0
        penalty = s.frequency_penalty * n + s.presence_penalty * (n > 0)
        self._offset[token] = s.logit_bias.get(token, 0.0) - penalty

    def applied(self, row: Logits) -> Logits:
        row = row.copy()
        by = np.float32(self._sampling.repeat_penalty)
        if by != 1:
            seen = self._seen[: len(row)]
            logits = row[seen]
            row[seen] = np.where(logits > 0, logits / by, logits * by)
        row += self._offset[: len(row)]
        return row
