"""From records of single answers to what is said about a task: medians, spread, acceptance.

A speed-up is that of one question in one round, against plain decoding in the same round; of a
question's rounds and of a task's questions the median counts. Questions whose plain answer is
shorter than SHORTEST tokens do not, as there is little to time in them. How far a question's rounds
differ says how much of a speed-up is chance (`error`).
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from statistics import mean, median, pstdev
from typing import NamedTuple, TypeVar

from localspec.bench.contest import Question, Record, Run
from localspec.bench.guesses import Guesses, guesses

__all__ = [
    "AUTO",
    "PLAIN",
    "SHORTEST",
    "Beside",
    "TaskResult",
    "geometric_mean",
    "quantile",
    "results",
    "short_answers",
]

K = TypeVar("K")
PLAIN, AUTO = "plain", "auto"
SHORTEST = 16
"""Tokens."""
_AGAIN = 400  # times that a task is imagined to be measured again


class Beside(NamedTuple):
    """What `auto` reached in a task with another draft."""

    speedup: float
    guesses: Guesses


@dataclass(frozen=True)
class TaskResult:
    """A task's figures; speeds in tokens a second, `spread` from the 10th to the 90th percentile.

    Measured again, the speed-up would differ by about `error` (None where there was one round).
    `fixed` are speed-ups by length of guess, `peers` speeds of the other program by its settings,
    `beside` what another draft did.
    """

    task: str
    prompts: int
    plain_per_second: float
    auto_per_second: float
    speedup: float
    spread: tuple[float, float]
    guesses: Guesses
    outputs_equal: bool
    error: float | None = None
    fixed: dict[int, float] = field(default_factory=dict)
    peers: dict[str, float] = field(default_factory=dict)
    beside: Beside | None = None

    @property
    def oracle_speedup(self) -> float | None:
        """What the best fixed setting gives, plain decoding among them; None if none was tried."""
        return max(1.0, *self.fixed.values()) if self.fixed else None


def results(
    records: Iterable[Record],
    fixed: Sequence[int] = (),
    peers: Mapping[str, str] = {},
    rival: str | None = None,
) -> list[TaskResult]:
    """One result a task, in order of appearance; tasks without a timed question are left out.

    `fixed` are the lengths, `peers` settings of another program by the names under which, and
    `rival` the name under which another draft appears in the records.
    """
    by_task = _by_task(records).items()
    found = (_result(task, answers, fixed, peers, rival) for task, answers in by_task)
    return [result for result in found if result]


def short_answers(records: Iterable[Record]) -> dict[str, int]:
    """How many questions of each task were answered too shortly to be timed."""
    counts = {
        task: sum(answers.complete and answers.short for answers in found)
        for task, found in _by_task(records).items()
    }
    return {task: n for task, n in counts.items() if n}


def _by_task(records: Iterable[Record]) -> dict[str, "list[_Answers]"]:
    by_task: dict[str, dict[Question, list[Record]]] = {}
    for record in records:
        questions = by_task.setdefault(record.question.task, {})
        questions.setdefault(record.question, []).append(record)
    return {task: [_Answers(r) for r in found.values()] for task, found in by_task.items()}


class _Answers:
    """All answers to one question, by contestant and round."""

    def __init__(self, records: Iterable[Record]) -> None:
        self.runs: dict[str, dict[int, Run]] = {}
        for record in records:
            self.runs.setdefault(record.contestant, {})[record.round] = record.run

    @property
    def complete(self) -> bool:
        """Whether plain and speculative decoding have met in a round."""
        return bool(self.speedups(AUTO))

    @property
    def short(self) -> bool:
        return any(run.count < SHORTEST for run in self.runs[PLAIN].values())

    def speedups(self, contestant: str) -> list[float]:
        plain, theirs = self.runs.get(PLAIN, {}), self.runs.get(contestant, {})
        rounds = plain.keys() & theirs.keys()
        return [theirs[i].per_second / plain[i].per_second for i in rounds if plain[i].per_second]

    def speed(self, contestant: str) -> float | None:
        runs = self.runs.get(contestant)
        return median(run.per_second for run in runs.values()) if runs else None

    @property
    def equal(self) -> bool:
        """Whether localspec said the same, token by token, however it guessed."""
        said = {run.tokens for runs in self.runs.values() for run in runs.values() if run.tokens}
        return len(said) <= 1


def _result(
    task: str,
    answers: list[_Answers],
    fixed: Sequence[int],
    peers: Mapping[str, str],
    rival: str | None,
) -> TaskResult | None:
    complete = [a for a in answers if a.complete]
    timed = [a for a in complete if not a.short]
    if not timed:
        return None
    rounds = [a.speedups(AUTO) for a in timed]
    speedups = [median(found) for found in rounds]
    runs = [run for a in timed for run in a.runs[AUTO].values()]
    return TaskResult(
        task=task,
        prompts=len(timed),
        plain_per_second=_middle(a.speed(PLAIN) for a in timed) or 0.0,
        auto_per_second=_middle(a.speed(AUTO) for a in timed) or 0.0,
        speedup=median(speedups),
        spread=(quantile(speedups, 0.1), quantile(speedups, 0.9)),
        guesses=guesses(runs),
        outputs_equal=all(a.equal for a in complete),
        error=_error(rounds),
        fixed=_known({k: _middle(_median(a.speedups(str(k))) for a in timed) for k in fixed}),
        peers=_known({s: _middle(a.speed(name) for a in timed) for s, name in peers.items()}),
        beside=_beside([a for a in timed if a.speedups(rival)], rival) if rival else None,
    )


def _error(rounds: Sequence[Sequence[float]]) -> float | None:
    """By how much the median of questions would differ, were all measured again with rounds that
    differ as these do: a parametric bootstrap (Efron 1979).
    """
    free = sum(len(found) - 1 for found in rounds)
    if not free:
        return None
    squares = sum((value - mean(found)) ** 2 for found in rounds for value in found)
    deviation, chance = math.sqrt(squares / free), Random(0)
    middles = [(median(found), len(found)) for found in rounds]
    return pstdev(
        median(median(chance.gauss(middle, deviation) for _ in range(n)) for middle, n in middles)
        for _ in range(_AGAIN)
    )


def _beside(answers: list[_Answers], rival: str) -> Beside | None:
    """Of answers that the rival has timed too."""
    if not answers:
        return None
    runs = [run for a in answers for run in a.runs[rival].values()]
    return Beside(median(median(a.speedups(rival)) for a in answers), guesses(runs))


def quantile(values: Sequence[float], share: float) -> float:
    """The value below which `share` of the values lie, between neighbours along a line."""
    ordered = sorted(values)
    at = share * (len(ordered) - 1)
    below = math.floor(at)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (at - below)


def geometric_mean(values: Sequence[float]) -> float:
    """The mean of factors; they must be above 0."""
    return math.exp(sum(math.log(value) for value in values) / len(values))


def _median(values: Sequence[float]) -> float | None:
    return median(values) if values else None


def _middle(values: Iterable[float | None]) -> float | None:
    return _median([value for value in values if value is not None])


def _known(values: dict[K, float | None]) -> dict[K, float]:
    return {key: value for key, value in values.items() if value is not None}
