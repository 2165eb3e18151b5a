"""Guessing with a small model of the same vocabulary (Leviathan et al. 2023, arXiv 2211.17192).

All sequences that want a guess are evaluated together: one decode of the draft gives the next
guess of each. The draft's cache follows the sequences lazily. After full acceptance it lacks the
last guess, after a time without drafting it lacks more; whatever is missing is fed first.

What another drafter guessed is to this model what its own guesses are to the target: read in one
pass, kept as far as it guesses the same, and gone on from there (a cascade, Chen et al. 2023, arXiv
2312.11462).
"""

import sys
from collections.abc import Sequence as Many
from dataclasses import dataclass, field

from localspec.decoding.draft import Draft
from localspec.decoding.passes import filled
from localspec.decoding.sequence import Sequence
from localspec.drafters.base import Ask
from localspec.errors import DecodeError
from localspec.llama.rows import Evaluator, Logits, Run

__all__ = ["ModelDrafter"]

_MOST_FAILURES = 3  # of decodes, before the model is left alone
STEADY = 4  # rows of each pass on a GPU: hardly slower than one, and few steps leave more to feed
STEADILY = 16  # tokens fed so at most; more take less time at once, though with another graph


class ModelDrafter:
    """A draft model and its KV cache, with the same slots as the target's.

    It knows the first `vocabulary` tokens of the target's, or all; about others it is not asked.
    """

    name = "draft model"

    def __init__(self, model: Evaluator, vocabulary: int = sys.maxsize) -> None:
        self._model, self._vocabulary = model, vocabulary
        self._cached = [0] * model.sequences
        self._guessed: list[list[int]] = [[] for _ in range(model.sequences)]
        self._failures = 0

    def propose(self, asks: Many[Ask]) -> list[Draft]:
        """Guess for all sequences in step, each until its length or its `more` ends it."""
        chains = [
            _Chain(ask, self._unseen(ask.sequence), list(ask.hint[: ask.length])) for ask in asks
        ]
        try:
            self._grow([chain for chain in chains if self._fits(chain) and chain.wanted])
        except DecodeError:  # the target goes on alone, and nobody vouches for this cache
            self._failures += 1
            self.forget()
            return [Draft() for _ in chains]
        finally:
            for chain in chains:
                chain.forget()
        return [chain.draft for chain in chains]

    def _grow(self, growing: list["_Chain"]) -> None:
        self._catch_up(growing)
        while growing:
            rows, first = self._feed(growing), 0
            for chain in growing:
                read = [*chain.draft.tokens, *chain.hint]  # guesses that are in the cache now
                end = first + 1 + len(chain.hint)
                chain.grow(rows[first:end])
                self._keep(chain, read)
                first = end
            growing = [chain for chain in growing if chain.wanted]

    def _keep(self, chain: "_Chain", read: list[int]) -> None:
        """Leave in the cache those guesses that were made; what is not in it is to be fed."""
        slot, made = chain.ask.sequence.slot, chain.draft.tokens
        pairs = enumerate(zip(read, made, strict=False))
        both = min(len(read), len(made))  # guessing may have ended within the hint
        right = next((i for i, (token, guess) in pairs if token != guess), both)
        self.truncate(slot, self._cached[slot] - len(read) + right)
        self._guessed[slot], chain.unseen, chain.hint = made[:right], made[right:], []

    def peek(self, sequence: Sequence) -> None:
        """A guess takes a pass of the model."""

    def backlog(self, sequence: Sequence) -> int:
        """What its cache lacks of the sequence."""
        return len(sequence) - self._cached[sequence.slot]

    def observe(self, sequence: Sequence) -> None:
        """Forget guesses that were not said; what was said is fed by the next proposal."""
        guessed, slot = self._guessed[sequence.slot], sequence.slot
        if not guessed:
            return
        start = self._cached[slot] - len(guessed)
        said = sequence.tokens[start:]
        pairs = enumerate(zip(guessed, said, strict=False))
        right = next((i for i, (guess, token) in pairs if guess != token), len(said))
        self.truncate(slot, start + min(right, len(guessed)))
        self._guessed[slot] = []

    def forget(self) -> None:
        """Empty the cache."""
        for slot in range(self._model.sequences):
            self.truncate(slot, 0)

    def truncate(self, slot: int, length: int) -> None:
        """Roll the draft's cache back."""
        surplus = self._cached[slot] - length
        if surplus > 0:
            self._model.truncate(slot, length)
            self._cached[slot] = length
            del self._guessed[slot][-surplus:]

    def copy(self, source: int, slot: int, length: int) -> None:
        """Share what the draft's cache holds of the source."""
        length = min(length, self._cached[source])
        if self._model.can_truncate:
            self._model.copy(source, slot, length)
            self._cached[slot], self._guessed[slot] = length, []

    def _unseen(self, sequence: Sequence) -> list[int]:
        return sequence.tokens[self._cached[sequence.slot] :]

    def _fits(self, chain: "_Chain") -> bool:
        """Whether guesses can be taken back, all tokens are known, and the draft's own context has
        room for them.
        """
        if not self._model.can_truncate or self._failures >= _MOST_FAILURES:
            return False
        if max((*chain.unseen, *chain.hint), default=0) >= self._vocabulary:
            return False
        return len(chain.ask.sequence) + chain.ask.length <= self._model.length

    def _catch_up(self, chains: Many["_Chain"]) -> None:
        """Feed long backlogs, a batch at a time, until each chain's rest fits one step."""
        number = max(1, len(chains))
        share, outputs = max(1, self._model.batch // number), self._model.outputs // number
        for chain in chains:
            chain.hint = chain.hint[: max(0, min(share, outputs) - 1)]
            while len(chain.unseen) + len(chain.hint) > share:
                self._decode([self._run(chain, self._model.batch, outputs=0)])

    def _feed(self, chains: Many["_Chain"]) -> Logits:
        """Evaluate what each chain has new; a row of logits for each, and one for each hint."""
        for chain in chains:
            chain.unseen += chain.hint
        if self._model.settling > 1 and len(chains) == 1 and self._fits_steadily(chains[0]):
            return self._feed_steadily(chains[0])
        return self._decode(
            [self._run(chain, len(chain.unseen), outputs=1 + len(chain.hint)) for chain in chains]
        )

    def _fits_steadily(self, chain: "_Chain") -> bool:
        room = self._model.length - self._cached[chain.ask.sequence.slot]
        return not chain.hint and len(chain.unseen) <= min(STEADILY, room - STEADY)

    def _feed_steadily(self, chain: "_Chain") -> Logits:
        """In passes of as many rows as always, that give one row of logits: else llama.cpp would
        build another graph.
        """
        slot = chain.ask.sequence.slot
        while True:
            run = self._run(chain, STEADY, outputs=1)
            logits = self._decode([filled(run, STEADY)])
            surplus = STEADY - len(run.tokens)
            if surplus:
                self._cached[slot] -= surplus
                self._model.truncate(slot, self._cached[slot])
            if not chain.unseen:
                return logits

    def _run(self, chain: "_Chain", most: int, outputs: int) -> Run:
        slot = chain.ask.sequence.slot
        # The last token must stay for the step that asks for logits.
        tokens = chain.unseen[: most if outputs else min(most, len(chain.unseen) - 1)]
        run = Run(slot, tokens, self._cached[slot], outputs)
        chain.unseen = chain.unseen[len(tokens) :]
        return run

    def _decode(self, runs: list[Run]) -> Logits:
        logits = self._model.decode(runs)
        for run in runs:
            self._cached[run.slot] += len(run.tokens)
        return logits


@dataclass
class _Chain:
    """A draft being made. Guesses count for the penalties until the target has spoken."""

    ask: Ask
    unseen: list[int]
    hint: list[int]
    draft: Draft = field(default_factory=lambda: Draft(ModelDrafter.name))

    @property
    def wanted(self) -> bool:
        said = self.draft.tokens
        if len(said) >= self.ask.length or (said and self.ask.sequence.ends_with(said[-1])):
            return False
        return self.ask.more(self.draft)

    def grow(self, rows: Logits) -> None:
        """A guess from the first row, and one from each further row whose hint was guessed."""
        sequence = self.ask.sequence
        for i, row in enumerate(rows):
            guess = sequence.sampler.guess(row, len(sequence) + len(self.draft))
            self.draft.append(*guess)
            sequence.sampler.push(guess.token)
            if i < len(self.hint) and (guess.token != self.hint[i] or not self.wanted):
                break

    def forget(self) -> None:
        for token in reversed(self.draft.tokens):
            self.ask.sequence.sampler.pop(token)
