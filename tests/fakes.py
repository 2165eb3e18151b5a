"""A model, a vocabulary and drafters of a few lines, for tests of pure logic."""

from collections.abc import Iterable, Sequence as Many

import numpy as np

from localspec.decoding.draft import Draft
from localspec.decoding.sequence import Piece, Request, Sequence
from localspec.drafters.base import Ask, Drafter
from localspec.engine import Engine
from localspec.errors import DecodeError
from localspec.governor.policy import FixedPolicy, Policy
from localspec.llama.rows import Logits, Run

VOCABULARY = 24
END = 0


class FakeVocabulary:
    """Token n is the letter with that number; token 0 ends an answer."""

    size = VOCABULARY
    end_tokens = frozenset({END})

    def piece(self, token: int) -> bytes:
        return bytes([ord("a") + token])


class FakeModel:
    """Logits are a fixed function of the last three tokens, and the cache is a list to check."""

    def __init__(
        self,
        seed: int = 0,
        *,
        length: int = 256,
        sequences: int = 1,
        batch: int = 256,
        outputs: int = 80,
        can_truncate: bool = True,
    ) -> None:
        self.seed, self.length, self.sequences = seed, length, sequences
        self.batch, self.outputs, self.can_truncate = batch, outputs, can_truncate
        self.cache: list[list[int]] = [[] for _ in range(sequences)]
        self.decodes: list[list[Run]] = []
        self.fails_at = -1

    def decode(self, runs: Iterable[Run]) -> Logits:
        runs = list(runs)
        self.decodes.append(runs)
        if len(self.decodes) == self.fails_at:
            raise DecodeError("the fake model was told to fail.")
        assert 0 < sum(len(run.tokens) for run in runs) <= self.batch
        assert sum(run.outputs for run in runs) <= self.outputs
        rows = []
        for slot, tokens, position, outputs in runs:
            cache = self.cache[slot]
            assert position == len(cache), "rows must follow what the cache holds"
            cache.extend(tokens)
            assert len(cache) <= self.length
            rows += [self.logits(cache[: len(cache) - i]) for i in reversed(range(outputs))]
        return np.array(rows, dtype=np.float32).reshape(-1, VOCABULARY)

    def logits(self, text: Many[int]) -> Logits:
        state = [self.seed, *(t + 1 for t in text[-3:])]
        row = np.random.default_rng(state).normal(0, 2, VOCABULARY).astype(np.float32)
        row[END] -= 3
        return row

    def truncate(self, slot: int, length: int) -> None:
        if length and not self.can_truncate and length != len(self.cache[slot]):
            raise DecodeError("this cache cannot be cut back.")
        del self.cache[slot][length:]

    def copy(self, source: int, slot: int, length: int) -> None:
        self.cache[slot] = self.cache[source][:length]


class OracleDrafter:
    """Knows what the target will say, and lies from the `lie`-th guess on (never, if None)."""

    name = "oracle"

    def __init__(self, target: FakeModel, lie: int | None = None) -> None:
        self._target, self._lie = target, lie

    def propose(self, asks: Many[Ask]) -> list[Draft]:
        return [self._guess(ask) for ask in asks]

    def _guess(self, ask: Ask) -> Draft:
        draft, sequence = Draft(self.name), ask.sequence
        while len(draft) < ask.length and ask.more(draft):
            text = sequence.tokens + draft.tokens
            token = sequence.sampler.pick(self._target.logits(text), len(text))
            if self._lie is not None and len(draft) >= self._lie:
                token = (token + 1) % VOCABULARY
            draft.append(token, 0.9)
            sequence.sampler.push(token)
        for token in reversed(draft.tokens):
            sequence.sampler.pop(token)
        return draft

    def observe(self, sequence: Sequence) -> None:
        pass

    def truncate(self, slot: int, length: int) -> None:
        pass


class RandomDrafter(OracleDrafter):
    """Guesses anything, in any number."""

    name = "random"

    def __init__(self, seed: int = 0) -> None:
        self._random = np.random.default_rng(seed)

    def _guess(self, ask: Ask) -> Draft:
        draft = Draft(self.name)
        for _ in range(int(self._random.integers(0, ask.length + 1))):
            draft.append(int(self._random.integers(0, VOCABULARY)), 0.5)
        return draft


def engine(
    target: FakeModel, drafters: Many[Drafter] = (), policy: Policy | None = None
) -> Engine:
    return Engine(target, FakeVocabulary(), drafters, policy or FixedPolicy(4, 0))


def submit(engine: Engine, request: Request) -> Sequence:
    sequence = engine.prepare(request)
    engine.submit(sequence)
    return sequence


def run(engine: Engine) -> None:
    steps = 0
    while engine.busy:
        engine.step()
        steps += 1
        assert steps < 5000, "the engine does not come to an end"


def answer(engine: Engine, request: Request) -> list[int]:
    """Tokens of one request answered alone."""
    sequence = submit(engine, request)
    run(engine)
    return sequence.answer


def text(pieces: Iterable[Piece]) -> str:
    return "".join(piece.text for piece in pieces)
