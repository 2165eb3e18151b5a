"""Measures with care what `load` measures in passing, and keeps it where `load` looks for it.

Three things: V(n) for all widths near the beginning of a context, the same at a second depth
where that is cheap, and how long a guess of the draft takes, seen in real answers.

Passes are timed on a thread that ends before the model is loaded to answer: OpenMP gives each
thread that computes a team of its own, and teams wait in another way where a process has two of
them. An engine has one, so times measured beside it would not be its own.
"""

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from pathlib import Path

import localspec
from localspec import models
from localspec.bench.depth import dive
from localspec.bench.machine import WIDEST
from localspec.bench.ours import SEED
from localspec.bench.payoff import Payoff, payoffs
from localspec.bench.prompts import own
from localspec.drafters.model import ModelDrafter
from localspec.errors import UsageError
from localspec.governor.costs import Costs
from localspec.governor.sweep import sweep
from localspec.llama.context import Context
from localspec.llama.model import Model
from localspec.llama.rows import Evaluator
from localspec.runtime import LLM

__all__ = ["Curve", "Draft", "Tuning", "time_draft", "time_passes", "tune"]

_ROUGH_SECONDS = 0.6
_ROUNDS = 5  # of all widths, if the time allows
_LEAST_SECONDS, _MOST_SECONDS = 4.0, 30.0
_SECOND_DEPTH = 2048
_DIVE_SECONDS = 4.0
_DEEP_ENOUGH = 2560  # tokens, with room for the sweep
_POLL_SECONDS = 0.2  # how long Ctrl-C may take where waiting cannot be interrupted
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

    name: str
    seconds: float
    held: float
    answers: int


@dataclass(frozen=True)
class Tuning:
    """All that was measured: a curve near the beginning, perhaps one further down, a draft.

    `kept` is whether other commands will know of it.
    """

    model: str
    curves: list[Curve]
    draft: Draft | None = None
    notes: list[str] = field(default_factory=list)
    kept: bool = True

    @property
    def payoffs(self) -> list[Payoff]:
        """What guesses of each length need, near the beginning of a context."""
        curve = self.curves[0]
        cost = self.draft.seconds / curve.seconds[1] if self.draft else 0.0
        return payoffs(curve.relative, cost)


Progress = Callable[[float, str], None]


def tune(model: str, draft: str, progress: Progress) -> Tuning:
    """Measure for a few seconds, and let the profile of the pair, named as for `load`, know.

    Raises what `load` raises.
    """
    path, _ = models.resolve(model, draft)
    curves = time_passes(path, progress)
    progress(0.95, "timing the draft")
    with localspec.load(model, draft=draft) as llm:
        timed = time_draft(llm, llm.draft.name) if llm.draft else None
        llm.governor.known.fold(llm.governor.costs.pace)  # as that of the curves is
        llm.governor.costs.load([curve.seconds for curve in curves])
    return Tuning(llm.target.name, curves, timed, llm.notes, llm.remembered)


class _Stopped(Exception):
    """The user has had enough."""


def time_passes(path: Path, progress: Progress) -> list[Curve]:
    """What `_sweep` finds on a thread of its own, which Ctrl-C ends too."""
    stop = threading.Event()

    def checked(share: float, what: str) -> None:
        if stop.is_set():
            raise _Stopped
        progress(share, what)

    with ThreadPoolExecutor(1) as thread:
        try:
            job = thread.submit(_sweep, path, checked)
            while not job.done():
                wait([job], _POLL_SECONDS)
            return job.result()
        except BaseException:
            stop.set()
            raise


def _sweep(path: Path, progress: Progress) -> list[Curve]:
    with Model(path) as model:
        length = min(model.context_length or _DEEP_ENOUGH, _DEEP_ENOUGH)
        widest = min(WIDEST, model.even or WIDEST)
        with Context(model, length=length, outputs=widest) as context:
            if not context.can_truncate:
                raise UsageError(
                    f"There is nothing to tune: the cache of {model.name} cannot be rolled back "
                    "over a wrong guess, so it answers without guesses."
                )
            budget = _budget(context)
            near = _curve(context, 0, budget, lambda s: progress(0.45 * s, "timing passes"))
            deep = dive(context, _SECOND_DEPTH, _DIVE_SECONDS)
            if not deep:
                return [near]
            what = f"timing passes after {_SECOND_DEPTH} tokens"
            further = _curve(deep, _SECOND_DEPTH, budget, lambda s: progress(0.45 + 0.45 * s, what))
            return [near, further]


def _budget(target: Evaluator) -> float:
    """Seconds for some rounds of all widths, going by a first look."""
    costs = Costs(target.outputs)
    sweep(target, costs, budget=_ROUGH_SECONDS)
    one_round = sum(costs.step(n) for n in range(1, target.outputs + 1))
    return min(_MOST_SECONDS, max(_LEAST_SECONDS, _ROUNDS * one_round))


def _curve(
    target: Evaluator, depth: int, budget: float, progress: Callable[[float], None]
) -> Curve:
    costs = Costs(target.outputs)
    sweep(target, costs, budget=budget, progress=progress)
    return Curve(depth, costs.curves[0].measured())


def time_draft(llm: LLM, name: str, seconds: float = _DRAFT_SECONDS) -> Draft | None:
    """Let it guess in some real answers, each of them cut short after so many seconds."""
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
                end = min(end, time.monotonic() + seconds)
                if time.monotonic() > end:
                    break
        statistics = stream.answer.statistics
        made += sum(statistics.drafted_per_position[:1])
        held += sum(statistics.accepted_per_position[:1])
    book = llm.governor.books.get(ModelDrafter.name)
    if book is None or not book.proposal.each or not made:
        return None
    return Draft(name, book.proposal.each, held / made, len(prompts))
