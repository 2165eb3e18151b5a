"""The governor's decisions, without the noise of a computer.

python benchmarks/replay.py [TEXTS.json] [--computer NAME]

Answers of the shell pair to prompts of nine kinds are recorded with the draft's guess at every
token (kept in TEXTS.json where that is given). Then the real governor decides over them with the
costs of a computer that is assumed, on a clock of its own: a run takes seconds, and two differ
only by what was decided. By kind of text: plain decoding's time over that of `auto`, with the draft
as it is and with one that is always wrong, and for the best fixed length.
"""

import argparse
import json
import math
import random
import sys
from collections import defaultdict
from collections.abc import Iterator
from collections.abc import Sequence as Many
from pathlib import Path
from typing import NamedTuple

import numpy as np

import localspec
from localspec import models
from localspec.bench.prompts import own
from localspec.decoding import passes
from localspec.decoding.draft import Draft
from localspec.decoding.sampling import Sampler, Sampling
from localspec.decoding.sequence import Request, Sequence
from localspec.drafters.base import Ask
from localspec.drafters.lookup import LookupDrafter
from localspec.drafters.model import STEADILY, STEADY
from localspec.governor.certainty import likely
from localspec.governor.costs import Costs
from localspec.governor.governor import Governor
from localspec.governor.policy import Outcome, Step, Wish
from localspec.governor.steady import FORESIGHT
from localspec.llama.context import Context
from localspec.llama.model import Model
from localspec.llama.rows import Logits, Run

TOKENS, WIDEST, VOCABULARY = 128, 17, 16_384
WARMER = 0.85
RECIPE = Path(__file__).parents[1] / "models/shell/recipe"


class Text(NamedTuple):
    """A prompt of `begins` tokens and its answer; after token i the draft makes `guesses[i]`, and
    the target holds `likely[i]` tokens for likely. How sure the draft is of its own answer is
    `alone`.
    """

    kind: str
    tokens: list[int]
    begins: int
    guesses: list[tuple[int, float]]
    likely: list[int]
    alone: list[float]


class Computer(NamedTuple):
    """Milliseconds of passes by rows, to begin a proposal, of a guess, to read a token and look."""

    passes: dict[int, float]
    begin: float
    guess: float
    read: float
    look: float
    resume: float = 0.0
    """What the draft takes for another number of rows than it is usually fed."""
    change: tuple[float, ...] = ()
    """What the first steps with another number of rows than before take more; a text begins so."""
    cold: float = 0.0
    """What the first pass after a prompt takes more; each further one `WARMER` times as much."""
    noise: float = 0.05
    """Of measurements, by the standard deviation of their logarithms."""

    def takes(self, rows: int) -> float:
        return float(np.interp(rows, list(self.passes), list(self.passes.values())))

    def answers(self, text: "Text") -> float:
        """What plain decoding takes for an answer."""
        steps = len(text.tokens) - text.begins - 1
        colder = self.cold * (1 - WARMER**steps) / (1 - WARMER)
        return steps * self.takes(1) + sum(self.change) + colder


COMPUTERS = {
    "zen": Computer(
        {1: 4.4, 2: 6.3, 3: 7.6, 4: 8.7, 6: 12.2, 8: 12.6, 16: 22}, 0.4, 0.5, 0.038, 0.15
    ),
    "steep": Computer({1: 1.78, 2: 3.06, 4: 3.8, 8: 6.2, 16: 11}, 0.4, 0.5, 0.02, 0.15),
    "flat": Computer({1: 33, 2: 36, 4: 45, 8: 65, 16: 110}, 1.6, 2.0, 0.3, 0.15),
    "h200": Computer(
        {1: 3.1, 2: 3.45, 3: 3.73, 4: 4.27, 5: 4.9, 6: 5.3, 8: 6.4, 9: 7.4, 16: 7.5},
        0.15, 0.4, 0.001, 0.5, resume=1.0, change=(1.2,), noise=0.015,
    ),
    "cold": Computer(
        {1: 2.8, 2: 3.9, 3: 4.9, 4: 5.8, 5: 8.5, 8: 11.0, 16: 17.5}, 0.3, 0.55, 0.04, 0.15, cold=4.0
    ),
}  # fmt: skip
"""The shell pair on a Zen 5 in a slow hour and a fast one; 0.6B there; 8B on an H200; the shell
pair on a Xeon whose cache others use, too.
"""


def record() -> Iterator[Text]:
    """What the pair answers, and what its draft would have guessed."""
    sys.path.insert(0, str(RECIPE))
    from blocks import blocks

    asked = [(prompt.task, prompt.text) for prompt in own()]
    asked += [("commands", question) for question, _ in list(blocks("judge.txt"))[::5]]
    asked += [("functions", question) for question, _ in list(blocks("judge_functions.txt"))[::2]]
    pair = models.embedded("shell")
    assert pair.draft
    with (
        localspec.load("shell") as llm,
        Model(pair.target) as target,
        Model(pair.draft) as draft,
        Context(target, length=1024) as judge,
        Context(draft, length=1024) as guesser,
    ):
        for kind, question in asked:
            stream = llm.stream(question, max_tokens=TOKENS, temperature=0, speculation=0)
            for _ in stream:
                pass
            tokens, begins = list(stream.sequence.tokens), len(stream.sequence.request.prompt)
            if len(tokens) > begins + 2:
                sampler = Sampler(Sampling(temperature=0), [], VOCABULARY)
                guesses = [sampler.guess(row, i) for i, row in enumerate(read(guesser, tokens))]
                pairs = [(guess.token, guess.confidence) for guess in guesses]
                choices = list(map(likely, read(judge, tokens)))
                alone = answered(guesser, sampler, tokens[:begins])
                yield Text(kind, tokens, begins, pairs, choices, alone)


def answered(guesser: Context, sampler: Sampler, prompt: list[int]) -> list[float]:
    """How sure a draft is of each token of its own answer."""
    *_, row = read(guesser, prompt)
    sure = list[float]()
    for at in range(len(prompt), len(prompt) + FORESIGHT):
        guess = sampler.guess(row, at)
        sure.append(guess.confidence)
        if guess.token in guesser.model.vocabulary.end_tokens:
            break
        (row,) = guesser.decode([Run(0, [guess.token], at, 1)])
    return sure


def read(context: Context, tokens: list[int]) -> Iterator[Logits]:
    """The row of logits after each token."""
    context.truncate(0, 0)
    for start in range(0, len(tokens), 48):
        part = tokens[start : start + 48]
        yield from context.decode([Run(0, part, start, len(part))])


# A computer that is assumed ---------------------------------------------------------------------


class Pieces:
    """A vocabulary of which nothing but the size matters here."""

    size = VOCABULARY
    end_tokens: frozenset[int] = frozenset()

    def piece(self, token: int) -> bytes:
        return b"."

    def text_of(self, token: int) -> str:
        return "."


class World:
    """A computer with a clock of its own, and the draft that was recorded."""

    name = "draft model"

    def __init__(self, computer: Computer, seed: int, *, wrong: bool = False) -> None:
        self.computer, self.wrong, self.now = computer, wrong, 0.0
        self.chance = random.Random(seed)
        costs = Costs(WIDEST)
        costs.load([{n: self.noisy(computer.takes(n)) for n in range(1, WIDEST + 1)}])
        costs.change = sum(computer.change)
        self.gpu = bool(computer.change)
        self.governor = Governor(costs, asynchronous=self.gpu, clock=lambda: self.now)
        self.rows = self.steady = 0
        self.cold = 0.0
        self.lookup = Lookup(self)
        self.text, self.read = Text("", [], 0, [], [], []), 0

    def noisy(self, milliseconds: float) -> float:
        return milliseconds * math.exp(self.chance.gauss(0, self.computer.noise))

    def answer(self, text: Text) -> float:
        """Milliseconds from the first token of the answer to the last."""
        self.text, self.read, self.rows, self.cold = text, 0, 0, self.computer.cold
        self.lookup.forget()
        request = Request(text.tokens[: text.begins], Sampling(temperature=0), max_tokens=TOKENS)
        sequence = Sequence(request, Pieces(), 4096)
        self.meanwhile(sequence)
        sequence.tokens.append(text.tokens[text.begins])
        row = np.zeros(text.likely[text.begins - 1], np.float32)
        outcome = Outcome(sequence, Draft(), 0, row)
        self.governor.observe(Step(prefilling=True, outcomes=[outcome]))
        self.lookup.observe(sequence)
        start = self.now
        while len(sequence) < len(text.tokens):
            self.step(sequence)
        return self.now - start

    def step(self, sequence: Sequence) -> None:
        start, depth = self.now, len(sequence)
        sequence.cached = depth - 1
        rest = self.text.tokens[depth:]
        limit = min(WIDEST - 1, sequence.room - 1)  # nobody knows where a text will end
        wishes = [Wish(sequence, limit)] if limit else []
        draft, looks = Draft(), bool(wishes and self.governor.looks([sequence]))
        if looks:
            (draft,) = self.governor.draft(wishes, [self, self.lookup])
        drafting = self.now - start
        pairs = enumerate(zip(draft.tokens, rest, strict=False))
        held = next((i for i, (guess, token) in pairs if guess != token), len(draft))
        self.meanwhile(sequence)
        made = self.passes(1 + len(draft))
        took = self.noisy(self.computer.takes(made[0])) + self.changing(made[0]) + self.cold
        self.cold *= WARMER
        self.now += took
        sequence.tokens += rest[: held + 1]
        if looks:
            self.lookup.observe(sequence)
        row = np.zeros(self.text.likely[len(sequence) - 2], np.float32)
        outcomes = [Outcome(sequence, draft, held, row)] if wishes else []
        self.governor.observe(
            Step(False, depth, made, self.now - start, took, drafting, outcomes, looked=looks)
        )

    def meanwhile(self, sequence: Sequence) -> None:
        """A GPU works on something else while the draft, and the governor, have their say."""
        if self.gpu:
            now = self.now
            self.governor.meanwhile([sequence], [self, self.lookup])
            self.now = now

    def passes(self, rows: int) -> list[int]:
        """As the engine makes them."""
        costs = self.governor.costs
        if costs.steady:
            return [max(rows, costs.steady)]
        run = Run(0, [0] * rows, 0, 1)
        return passes.fill_up([run], [0], (WIDEST, 4096), costs.step)[1]

    def changing(self, rows: int) -> float:
        """What it takes more because steps had other rows until lately."""
        self.steady = self.steady + 1 if rows == self.rows else 0
        self.rows = rows
        return self.computer.change[self.steady] if self.steady < len(self.computer.change) else 0.0

    # The drafter that was recorded:

    def propose(self, asks: Many[Ask]) -> list[Draft]:
        return [self.chain(ask) for ask in asks]

    def chain(self, ask: Ask) -> Draft:
        draft, at = Draft(self.name), len(ask.sequence)
        backlog = self.backlog(ask.sequence)
        self.now += self.computer.begin
        if self.computer.resume and backlog <= STEADILY:
            self.now += self.computer.guess * ((backlog - 1) // STEADY)
        elif backlog > 2:
            self.now += self.computer.resume + self.computer.read * backlog
        self.read = at
        while (
            len(draft) < ask.length
            and at + len(draft) <= len(self.text.guesses)
            and ask.more(draft)
        ):
            if at == self.text.begins:
                if len(draft) == len(self.text.alone):
                    break
                draft.append(0, self.text.alone[len(draft)])
            else:
                token, confidence = self.text.guesses[at - 1 + len(draft)]
                draft.append((token + self.wrong) % VOCABULARY, confidence)
            self.now += self.noisy(self.computer.guess)
        return draft

    def backlog(self, sequence: Sequence) -> int:
        return len(sequence) - self.read

    def peek(self, sequence: Sequence) -> None: ...

    def observe(self, sequence: Sequence) -> None: ...

    def truncate(self, slot: int, length: int) -> None: ...

    def copy(self, source: int, slot: int, length: int) -> None: ...

    def forget(self) -> None: ...


class Lookup(LookupDrafter):
    """The real one; looking takes the world's time."""

    def __init__(self, world: World) -> None:
        super().__init__()
        self.world = world

    def peek(self, sequence: Sequence) -> Draft:
        self.world.now += self.world.computer.look
        return super().peek(sequence)


# What came of it --------------------------------------------------------------------------------


def replayed(texts: Many[Text], computer: Computer, seeds: int, *, wrong: bool) -> dict[str, float]:
    """By kind: how much faster than plain decoding, each text coming twice, in any order."""
    plain, spent = defaultdict[str, float](float), defaultdict[str, float](float)
    for seed in range(seeds):
        world = World(computer, seed, wrong=wrong)
        for text in random.Random(seed).sample([*texts, *texts], 2 * len(texts)):
            spent[text.kind] += world.answer(text)
            plain[text.kind] += computer.answers(text)
    return {kind: plain[kind] / spent[kind] for kind in plain}


def best_fixed(texts: Many[Text], computer: Computer) -> dict[str, float]:
    """By kind: the same for the best of all fixed lengths, 0 among them."""
    best = {text.kind: 1.0 for text in texts}
    for length in range(1, 9):
        plain, spent = defaultdict[str, float](float), defaultdict[str, float](float)
        for text in texts:
            at, end = text.begins + 1, len(text.tokens)
            plain[text.kind] += computer.answers(text)
            spent[text.kind] += computer.read * text.begins + sum(computer.change)
            cold = computer.cold
            while at < end:
                guesses = min(length, end - at - 1)
                held = 0
                while held < guesses and text.guesses[at - 1 + held][0] == text.tokens[at + held]:
                    held += 1
                spent[text.kind] += computer.takes(1 + guesses) + computer.guess * guesses
                spent[text.kind] += computer.begin * (guesses > 0) + cold
                cold *= WARMER
                at += 1 + held
        best = {kind: max(best[kind], plain[kind] / spent[kind]) for kind in best}
    return best


def main() -> None:
    parser = argparse.ArgumentParser(description="Replay the governor's decisions.")
    parser.add_argument("texts", type=Path, nargs="?", help="where what is recorded is kept")
    parser.add_argument("--computer", choices=COMPUTERS, help="default: all")
    parser.add_argument("--seeds", type=int, default=3)
    options = parser.parse_args()
    if options.texts and options.texts.exists():
        texts = [Text(*fields) for fields in json.loads(options.texts.read_text())]
    else:
        texts = list(record())
        if options.texts:
            options.texts.write_text(json.dumps(texts))
    for name in [options.computer] if options.computer else COMPUTERS:
        computer = COMPUTERS[name]
        columns = {
            "auto": replayed(texts, computer, options.seeds, wrong=False),
            "always wrong": replayed(texts, computer, 1, wrong=True),
            "best fixed": best_fixed(texts, computer),
        }
        print(f"{name:14}" + "".join(f"{title:>14}" for title in columns))
        for kind in columns["auto"]:
            print(f"  {kind:12}" + "".join(f"{of[kind]:14.2f}" for of in columns.values()))
        means = [math.exp(sum(map(math.log, of.values())) / len(of)) for of in columns.values()]
        print(f"  {'all':12}" + "".join(f"{mean:14.2f}" for mean in means), flush=True)


if __name__ == "__main__":
    main()
