"""How well drafts guess for a target here: each guesses in a few real answers, and is timed.

From that the speed-up is predicted that the governor would reach: it knows what a pass over k
guesses costs and what the guesses cost, learns what a draft's confidence is worth, and looks at
as many of its guesses as pay. Each step of the answers is decided as the governor would have
done, knowing the steps before it, and counted with what truly held.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import accumulate
from operator import mul
from pathlib import Path
from typing import NamedTuple

import localspec
from localspec.bench.tuning import Progress, time_draft, time_passes
from localspec.drafters.model import ModelDrafter
from localspec.errors import LocalspecError
from localspec.governor.policy import Step
from localspec.governor.survival import Calibration
from localspec.runtime import LLM

__all__ = ["Guess", "Measured", "forecast", "measure"]

_ANSWER_SECONDS = 2.5
_ROUNDS = 20  # until the rate agrees with the decisions it leads to


class Guess(NamedTuple):
    """What a draft guessed in a step: how sure it was of each token, and how many held."""

    confidences: tuple[float, ...]
    held: int


@dataclass(frozen=True)
class Measured:
    """What a draft is worth. Where it could not be measured `objection` says why.

    `held` is the share of its first guesses that held, `seconds` the time of one guess, `length`
    the mean number of guesses worth looking at, `speedup` what that promises over plain decoding.
    """

    draft: Path
    held: float = 0.0
    seconds: float = 0.0
    length: float = 0.0
    speedup: float = 0.0
    objection: str = ""


def measure(target: Path, drafts: Iterable[Path], progress: Progress) -> Iterator[Measured]:
    """Try one draft after another. Raises what loading the target raises."""
    paths = list(drafts)
    share = 1 / (1 + len(paths))
    near, *_ = time_passes(target, lambda done, what: progress(done * share, what))
    for i, path in enumerate(paths, start=1):
        progress(i * share, f"letting {path.stem} guess")
        try:
            with localspec.load(target, draft=path) as llm:
                if llm.draft is None:
                    yield Measured(path, objection=" ".join(llm.notes))
                    continue
                listener = _Listener(llm)
                timed = time_draft(llm, path.stem, _ANSWER_SECONDS)
        except LocalspecError as error:
            yield Measured(path, objection=str(error))
            continue
        if timed is None:
            yield Measured(path, objection="it made no guesses in answers of a few seconds")
            continue
        cost = timed.seconds / near.seconds[1]
        length, speedup = forecast(listener.guesses, near.relative, cost)
        yield Measured(path, timed.held, timed.seconds, length, speedup)


class _Listener:
    """Keeps what a governor is told of the draft model's guesses."""

    def __init__(self, llm: LLM) -> None:
        self.guesses: list[Guess] = []
        self._learn = llm.governor.observe
        llm.governor.observe = self._listen  # type: ignore[method-assign]

    def _listen(self, step: Step) -> None:
        self._learn(step)
        for outcome in step.outcomes:
            if outcome.draft.drafter == ModelDrafter.name and outcome.draft.confidences:
                self.guesses.append(Guess(tuple(outcome.draft.confidences), outcome.held))


def forecast(
    guesses: Iterable[Guess], curve: Mapping[int, float], cost: float
) -> tuple[float, float]:
    """The mean number of guesses to look at, and the speed-up that gives.

    `curve` is V(n) / V(1) by number of rows n, `cost` the time of one guess as a share of V(1).
    Every step is charged for the guess that ends a draft too, as that has to be made to be
    found not worth a look.
    """
    seen = [guess for guess in guesses if guess.confidences]
    if not seen:
        return 0.0, 1.0
    rate, length = 1.0, 0.0
    for _ in range(_ROUNDS):
        calibration = Calibration()
        tokens = seconds = looked = 0.0
        for confidences, held in seen:
            k = _worth(tuple(map(calibration.chance, confidences)), curve, cost, rate)
            tokens += 1 + min(k, held)
            seconds += curve[k + 1] + min(k + 1, len(confidences)) * cost
            looked += k
            for i, confidence in enumerate(confidences[: held + 1]):
                calibration.observe(confidence, i < held)
        before, rate, length = rate, tokens / seconds, looked / len(seen)
        if abs(rate - before) < 1e-4:
            break
    return length, rate


def _worth(chances: tuple[float, ...], curve: Mapping[int, float], cost: float, rate: float) -> int:
    """How many of these guesses to look at, where time is worth `rate` tokens."""
    best, length, gain = 0.0, 0, 0.0
    for k, survival in enumerate(accumulate(chances, mul), start=1):
        gain += survival
        if k + 1 not in curve:
            continue
        value = gain - rate * (curve[k + 1] - curve[1] + k * cost)
        if value > best:
            best, length = value, k
    return length
