"""How well drafts guess for a target here: each guesses in a few real answers, and is timed.

From that the speed-up is predicted that the governor would reach: it knows what a pass over k
guesses costs and what the guesses cost, learns what a draft's confidence is worth, and looks at
as many of its guesses as pay. Each step of the answers is decided as the governor would have
done, knowing the steps before it, and counted with what truly held.
"""

import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import accumulate
from operator import mul
from pathlib import Path
from statistics import median
from typing import NamedTuple

import localspec
from localspec.bench.ours import SEED
from localspec.bench.prompts import own
from localspec.bench.tuning import Curve, Progress, time_draft, time_passes
from localspec.console import note
from localspec.drafters.model import ModelDrafter
from localspec.errors import LocalspecError
from localspec.governor.policy import Step
from localspec.governor.survival import Calibration
from localspec.models import matches
from localspec.models.fingerprint import fingerprint
from localspec.runtime import LLM

__all__ = ["Guess", "Measured", "forecast", "measure", "remember"]

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
            yield _measure(target, path, near)
        except LocalspecError as error:
            yield Measured(path, objection=str(error))


def remember(target: Path, found: Iterable[tuple[str, Measured]]) -> bool:
    """Let `--draft auto` know what drafts, by name, are worth; False where that cannot be kept."""
    known = [
        matches.Match(
            name=name,
            path=str(m.draft.absolute()),
            fingerprint=fingerprint(m.draft),
            held=m.held,
            length=m.length,
            speedup=m.speedup,
        )
        for name, m in found
        if not m.objection
    ]
    try:
        matches.keep(target, known)
    except OSError as error:
        note(f"This could not be remembered: {error.strerror}.")
        return False
    return True


def _measure(target: Path, draft: Path, near: Curve) -> Measured:
    with localspec.load(target, draft=draft) as llm:
        if llm.draft is None:
            return Measured(draft, objection=" ".join(llm.notes))
        listener = _Listener(llm)
        timed = time_draft(llm, draft.stem, _ANSWER_SECONDS)
        _answer_plainly(llm)
    if timed is None or not listener.guesses or not listener.plain:
        return Measured(draft, objection="it made no guesses in answers of a few seconds")
    plain = listener.plain_seconds
    curve = {rows: seconds / plain for rows, seconds in listener.curve(near).items()}
    length, speedup = forecast(listener.guesses, curve, timed.seconds / plain)
    return Measured(draft, timed.held, timed.seconds, length, speedup)


def _answer_plainly(llm: LLM) -> None:
    prompt = own()[0].text
    with llm.stream(prompt, speculation=0, temperature=0.0, seed=SEED, max_tokens=96) as stream:
        end = time.monotonic() + _ANSWER_SECONDS
        for _ in stream:
            if time.monotonic() > end:
                break


class _Listener:
    """Keeps what steps show: the draft model's guesses, and how long steps took.

    Beside a draft passes take longer than in a sweep, as both models share the caches, and judging
    guesses takes time of its own; both show in the steps of real answers only.
    """

    def __init__(self, llm: LLM) -> None:
        self.guesses: list[Guess] = []
        self.plain: list[Step] = []
        self._guessed: list[Step] = []
        llm.listen(self._listen)

    def _listen(self, step: Step) -> None:
        drafts = [o for o in step.outcomes if o.draft.drafter == ModelDrafter.name and o.draft]
        if drafts:
            self._guessed.append(step)
            self.guesses += [Guess(tuple(o.draft.confidences), o.held) for o in drafts]
        elif not step.prefilling:
            self.plain.append(step)

    @property
    def plain_seconds(self) -> float:
        """Of a step without guesses."""
        return median(step.seconds for step in self.plain)

    def curve(self, near: Curve) -> dict[int, float]:
        """Seconds of a step by number of rows, without drafting: `near` as in real answers."""
        rest = median(s.seconds - s.target_seconds - s.draft_seconds for s in self._guessed)
        timed = [step for step in self._guessed if step.rows in near.seconds]
        ratios = [step.target_seconds / near.seconds[step.rows] for step in timed]
        slower = median(ratios) if ratios else 1.0
        most = max(step.rows for step in self._guessed)
        known = {n: s * max(1.0, slower) + rest for n, s in near.seconds.items() if 1 < n <= most}
        return {**known, 1: self.plain_seconds}


def forecast(
    guesses: Iterable[Guess], curve: Mapping[int, float], cost: float
) -> tuple[float, float]:
    """The mean number of guesses to look at, and the speed-up that gives.

    `curve` is the time of a step by number of rows, `cost` that of one guess, both as shares of a
    step without guesses.
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
