"""Measures with care what `load` measures in passing, and keeps it where `load` looks for it.

Three things: V(n) for all widths near the beginning of a context, the same at a second depth
where that is cheap, and how long a guess of the draft takes, seen in real answers.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass

from localspec.bench.depth import dive
from localspec.bench.machine import WIDEST
from localspec.bench.ours import SEED
from localspec.bench.payoff import Payoff, payoffs
from localspec.bench.prompts import own
from localspec.drafters.model import ModelDrafter
from localspec.governor.costs import Costs
from localspec.governor.sweep import sweep
from localspec.llama.context import Context
from localspec.llama.rows import Evaluator
from localspec.runtime import LLM

__all__ = ["Curve", "Draft", "Tuning", "tune"]

_ROUNDS = 5  # of all widths, if the time allows
_LEAST_SECONDS, _MOST_SECONDS = 4.0, 30.0
_SECOND_DEPTH = 2048
_DIVE_SECONDS = 4.0
_SHALLOW = 512  # tokens; the sweep itself needs about fifty
_DRAFT_SECONDS = 1.0  # of an answer, once it has begun
_DRAFT_TOKENS = 96
_DRAFT_LENGTH = 4
_DRAFT_TASKS = ("chat", "code", "prose")


@dataclass(frozen=True)
class Curve:
    """Seconds of a pass over n rows, with `depth` tokens of text before them."""

    depth: int
    seconds: dict[int, float]

    @property
    def relative(self) -> dict[int, float]:
        """V(n) / V(1)."""
        return {n: seconds / self.seconds[1] for n, seconds in self.seconds.items()}


@dataclass(frozen=True)
class Draft:
    """Seconds of one guess, and the share of first guesses that held in `answers` answers."""

    seconds: float
    held: float
    answers: int


@dataclass(frozen=True)
class Tuning:
    """All that was measured: a curve near the beginning, perhaps one further down, a draft."""

    curves: list[Curve]
    draft: Draft | None

    @property
    def payoffs(self) -> list[Payoff]:
        """What guesses of each length need, near the beginning of a context."""
        curve = self.curves[0]
        cost = self.draft.seconds / curve.seconds[1] if self.draft else 0.0
        return payoffs(curve.relative, cost)


def tune(llm: LLM, progress: Callable[[float, str], None]) -> Tuning:
    """Measure for a few seconds. `llm` must have nothing else to do.

    What is found goes to its governor, which keeps it in the profile when the LLM is closed.
    """
    progress(0.0, "timing the draft")
    draft = _time_draft(llm) if llm.draft else None
    budget = _budget(llm.governor.costs)
    length = min(llm.context_length, _SECOND_DEPTH + _SHALLOW)
    sizes = {"batch": _SHALLOW, "outputs": WIDEST}
    with Context(llm.target, length=length, **sizes) as context:
        curves = [_curve(context, 0, budget, lambda share: progress(share / 2, "timing passes"))]
        deep = dive(context, _SECOND_DEPTH, _DIVE_SECONDS)
        if deep:
            what = f"timing passes at {_SECOND_DEPTH} tokens"
            curves.append(
                _curve(deep, _SECOND_DEPTH, budget, lambda share: progress((1 + share) / 2, what))
            )
    llm.governor.costs.settle()
    llm.governor.costs.load([curve.seconds for curve in curves])
    return Tuning(curves, draft)


def _budget(costs: Costs) -> float:
    """Seconds for a sweep: some rounds of all widths, going by what is known already."""
    one_round = sum(costs.step(n) for n in range(1, WIDEST + 1))
    return min(_MOST_SECONDS, max(_LEAST_SECONDS, _ROUNDS * one_round))


def _curve(
    target: Evaluator, depth: int, budget: float, progress: Callable[[float], None]
) -> Curve:
    costs = Costs(WIDEST)
    sweep(target, costs, budget=budget, progress=progress)
    return Curve(depth, costs.curves[0].measured())


def _time_draft(llm: LLM) -> Draft | None:
    """Let it guess in some real answers, each of them cut short."""
    made = held = 0
    prompts = [next(p for p in own() if p.task == task) for task in _DRAFT_TASKS]
    for prompt in prompts:
        with llm.stream(
            prompt.text,
            speculation=_DRAFT_LENGTH,
            temperature=0.0,
            seed=SEED,
            max_tokens=_DRAFT_TOKENS,
        ) as stream:
            end = float("inf")
            for _ in stream:
                end = min(end, time.monotonic() + _DRAFT_SECONDS)
                if time.monotonic() > end:
                    break
        statistics = stream.answer.statistics
        made += sum(statistics.drafted_per_position[:1])
        held += sum(statistics.accepted_per_position[:1])
    book = llm.governor.books.get(ModelDrafter.name)
    if book is None or not book.seconds or not made:
        return None
    return Draft(book.seconds, held / made, len(prompts))
