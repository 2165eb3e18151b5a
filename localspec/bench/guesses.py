"""What became of the guesses of several answers, and where their time went."""

from collections.abc import Iterable
from dataclasses import dataclass

from localspec.bench.contest import Run
from localspec.decoding.statistics import Statistics

__all__ = ["Guesses", "guesses"]


@dataclass(frozen=True)
class Guesses:
    """What became of the guesses of several answers, and shares of the time they took."""

    acceptance_rate: float
    tokens_per_step: float
    length: float
    """Mean number of guesses in a step."""
    acceptance_per_position: list[float]
    by_drafter: dict[str, tuple[int, int]]
    """Guesses, and how many of them held."""
    time_share: dict[str, float]
    """Of drafting, of the target's passes (verify), and of all else (overhead)."""


def guesses(runs: Iterable[Run]) -> Guesses:
    """What all these answers' guesses came to."""
    total, seconds, target, draft = Statistics(), 0.0, 0.0, 0.0
    could_guess = 0  # steps, and decodes that ended a prefill and had a guess already
    for run in runs:
        if run.statistics:
            _add(total, run.statistics)
            could_guess += run.statistics.steps + (1 if run.statistics.drafted_first else 0)
        if run.spent:
            seconds += run.spent.total
            target += run.spent.target
            draft += run.spent.draft
    drafted, accepted = total.drafted_per_position, total.accepted_per_position
    rest = max(0.0, seconds - target - draft)
    parts = {"draft": draft, "verify": target, "overhead": rest}
    return Guesses(
        acceptance_rate=total.acceptance_rate,
        tokens_per_step=total.tokens_per_step,
        length=total.draft_tokens / could_guess if could_guess else 0.0,
        acceptance_per_position=[held / n for held, n in zip(accepted, drafted, strict=True)],
        by_drafter={
            name: (n, total.accepted_by_drafter[name])
            for name, n in total.drafted_by_drafter.items()
        },
        time_share={name: part / seconds if seconds else 0.0 for name, part in parts.items()},
    )


def _add(total: Statistics, more: Statistics) -> None:
    """Sums of all that is asked of them here."""
    for name in ("predicted_tokens", "steps", "draft_tokens", "accepted_tokens"):
        setattr(total, name, getattr(total, name) + getattr(more, name))
    for name in ("drafted_by_drafter", "accepted_by_drafter"):
        counts: dict[str, int] = getattr(total, name)
        for drafter, n in getattr(more, name).items():
            counts[drafter] = counts.get(drafter, 0) + n
    for name in ("drafted_per_position", "accepted_per_position"):
        sums: list[int] = getattr(total, name)
        added: list[int] = getattr(more, name)
        sums.extend([0] * (len(added) - len(sums)))
        for i, n in enumerate(added):
            sums[i] += n
