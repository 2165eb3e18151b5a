"""Computers whose costs are known, and drafters whose guesses hold as often as is said."""

import random
from collections.abc import Sequence as Many

import numpy as np
from fakes import FakeVocabulary

from localspec.decoding import passes
from localspec.decoding.draft import Draft
from localspec.decoding.sampling import Sampling
from localspec.decoding.sequence import Request, Sequence
from localspec.drafters.base import Ask
from localspec.governor.costs import Costs
from localspec.governor.governor import Governor
from localspec.governor.policy import Outcome, Step, Wish
from localspec.llama.rows import Run

RIGHT, WRONG = 1, 2
ROW = np.zeros(8, np.float32)
ROWS = 17
FLAT = {n: 1 + 0.05 * (n - 1) for n in range(1, ROWS + 1)}
STEEP = {n: 1 + 0.6 * (n - 1) for n in range(1, ROWS + 1)}
CLIFF = {**STEEP, 1: 1.0, 2: 1.7, 3: 2.3, 4: 1.8, 5: 2.5}


def holding(draft: Draft) -> int:
    """How many of a draft's guesses are right."""
    return next((i for i, t in enumerate(draft.tokens) if t != RIGHT), len(draft))


class Simulation:
    """A clock, a target that takes V(n) seconds, a drafter whose guesses hold with a chance."""

    name = "simulated"

    def __init__(
        self, curve: dict[int, float], *, guess: float, chance: float, noise: float = 0.0
    ) -> None:
        self.curve, self.guess, self.chance, self.noise = curve, guess, chance, noise
        self.now, self.random = 0.0, random.Random(0)
        self.tokens, self.lengths = 0, list[int]()
        self.pace, self.truth = 1.0, chance
        costs = Costs(ROWS)
        costs.load([curve])
        self.governor = Governor(costs, clock=lambda: self.now)
        self.another_text(chance)

    def another_text(self, truth: float) -> None:
        """One in which guesses hold with this chance, whatever they promise."""
        request = Request([3], Sampling(), max_tokens=10**6)
        self.sequence = Sequence(request, FakeVocabulary(), 10**6)
        self.truth = truth

    def propose(self, asks: Many[Ask]) -> list[Draft]:
        return [self._chain(ask) for ask in asks]

    def _chain(self, ask: Ask) -> Draft:
        draft = Draft(self.name)
        while len(draft) < ask.length and ask.more(draft):
            right = self.random.random() < self.truth
            draft.append(RIGHT if right else WRONG, self.chance)
            self.now += self.guess * self.pace
        return draft

    def peek(self, sequence: Sequence) -> None: ...

    def backlog(self, sequence: Sequence) -> int:
        return 1

    def observe(self, sequence: Sequence) -> None: ...

    def truncate(self, slot: int, length: int) -> None: ...

    def copy(self, source: int, slot: int, length: int) -> None: ...

    def forget(self) -> None: ...

    def run(self, steps: int) -> float:
        """Tokens a second over `steps`."""
        began, said = self.now, self.tokens
        for _ in range(steps):
            start, depth = self.now, len(self.sequence)
            draft = Draft()
            if self.governor.looks([self.sequence]):
                (draft,) = self.governor.draft([Wish(self.sequence, ROWS - 1)], [self])
            drafted = self.now - start
            held = holding(draft)
            made, seconds = self.evaluate(draft)
            self.now += seconds
            self.sequence.tokens += [RIGHT] * (held + 1)
            self.tokens += held + 1
            self.lengths.append(len(draft))
            outcome = Outcome(self.sequence, draft, held, ROW)
            self.governor.observe(
                Step(False, depth, made, self.now - start, seconds, drafted, [outcome])
            )
        return (self.tokens - said) / (self.now - began)

    def evaluate(self, draft: Draft) -> tuple[list[int], float]:
        """The rows of each pass of the target over a draft, and the seconds it takes."""
        runs = [Run(0, [RIGHT] * (1 + len(draft)), 0, 1)]
        _, made = passes.fill_up(runs, [0], (ROWS, 10**6), self.governor.costs.step)
        return made, self.pace * self.curve[made[0]] * (1 + self.random.gauss(0, self.noise))

    def best(self) -> float:
        """Tokens a second of the best fixed length."""
        p = self.chance
        return max(
            sum(p**i for i in range(k + 1)) / (self.curve[k + 1] + k * self.guess)
            for k in range(ROWS)
        )


class Company(Simulation):
    """The same for several sequences, with cells of their own, of which some are easy to guess."""

    def __init__(self, curve: dict[int, float], truths: list[float], *, guess: float = 0.1) -> None:
        super().__init__(curve, guess=guess, chance=0.0)
        costs = Costs(ROWS)
        costs.load([curve])
        self.governor = Governor(costs, own_cells=True, clock=lambda: self.now)
        self.texts: dict[int, tuple[Sequence, float]] = {}
        for slot, truth in enumerate(truths):
            self.another_text(truth)
            self.sequence.slot = slot
            self.texts[slot] = (self.sequence, truth)

    def propose(self, asks: Many[Ask]) -> list[Draft]:
        drafts = []
        for ask in asks:
            self.truth = self.chance = self.texts[ask.sequence.slot][1]
            drafts.append(self._chain(ask))
        return drafts

    def pass_takes(self, rows: int) -> float:
        return self.governor.costs.curves[0].seconds(rows)

    def run(self, steps: int) -> float:
        began, said = self.now, self.tokens
        sequences = [sequence for sequence, _ in self.texts.values()]
        for _ in range(steps):
            start = self.now
            drafts = [Draft() for _ in sequences]
            if self.governor.looks(sequences):
                drafts = self.governor.draft([Wish(s, 8) for s in sequences], [self])
            drafted = self.now - start
            rows = {s.slot: 1 + len(draft) for s, draft in zip(sequences, drafts, strict=True)}
            seconds = passes.seconds(rows, self.pass_takes)
            self.now += seconds
            outcomes = []
            for sequence, draft in zip(sequences, drafts, strict=True):
                held = holding(draft)
                sequence.tokens += [RIGHT] * (held + 1)
                self.tokens += held + 1
                outcomes.append(Outcome(sequence, draft, held, ROW))
            self.lengths.append(max(map(len, drafts)))
            runs = [Run(slot, [1] * n, 0, 1) for slot, n in rows.items()]
            _, made = passes.fill_up(runs, [0] * len(runs), (512, 512), self.pass_takes)
            step = Step(False, 0, made, self.now - start, seconds, drafted, outcomes)
            self.governor.observe(step)
        return (self.tokens - said) / (self.now - began)

    def fixed(self, length: int) -> float:
        """Tokens a second where all always guess so many."""
        said = sum(truth**i for _, truth in self.texts.values() for i in range(length + 1))
        each = len(self.texts)
        return said / (self.pass_takes(each * (1 + length)) + each * length * self.guess)
