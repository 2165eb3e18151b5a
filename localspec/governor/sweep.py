"""Measures V(n) on this computer before anything is asked of it."""

import time
from collections.abc import Callable
from statistics import median

from localspec.governor.costs import Costs
from localspec.llama.rows import Evaluator, Run

__all__ = ["set_pace", "sweep"]

_BEGINNING = 16  # tokens that stand in the cache before the measured ones
_MOST_TELLING_FIRST = (1, 4, 8, 2, 3, 16, 5, 6, 12, 9, 7, 10, 32, 14, 11, 13, 15, 17, 24)
_TOKEN = 1
_PACE_SECONDS = 0.01
_CLIFF = 1.25  # times what more rows take: what took longer was measured in a bad moment


def sweep(
    target: Evaluator,
    costs: Costs,
    *,
    budget: float,
    clock: Callable[[], float] = time.perf_counter,
    progress: Callable[[float], None] = lambda share: None,
) -> None:
    """Time decodes of 1, 2, 3 … rows in turn for about `budget` seconds; `costs` gets the least.

    What else runs on a computer can only make a decode slower, so the least time is the truest.
    Each width is decoded `target.settling` times before it is timed, since the first decode of
    another width builds a graph, and on a GPU the second may record it. One row is decoded after
    each of them, since all else is compared with it, and to go back to it is the cost of a change.

    Slot 0 is used, and left empty. Where one round of all widths that `costs` know of takes longer
    than the budget, the least telling ones are left to interpolation. Of a target that cannot go
    back, which is decoded plainly, nothing is measured.
    """
    if not target.can_truncate:
        return
    start = clock()
    target.truncate(0, 0)
    target.decode([Run(0, (_TOKEN,) * _BEGINNING, 0, 1)])
    most = min(target.outputs, costs.longest)
    times: dict[int, list[float]] = {n: [] for n in _MOST_TELLING_FIRST if n <= most}
    changes: list[float] = []
    while True:
        for rows in times:
            for n in (rows, 1) if rows > 1 else (1,):
                first = [_timed(target, n, clock) for _ in range(target.settling)]
                settled = _timed(target, n, clock)
                times[n].append(min(*first, settled))  # one may have been held up
                if n < rows:  # back to what there was before
                    changes.append(sum(first) - len(first) * settled)
            now = clock()
            progress(min(1.0, (now - start) / budget))
            if now - start > budget:
                costs.load([_plausible({n: min(taken) for n, taken in times.items() if taken})])
                costs.change = max(0.0, median(changes or [0.0])) if target.settling > 1 else 0.0
                target.truncate(0, 0)
                return


def set_pace(
    target: Evaluator, costs: Costs, *, clock: Callable[[], float] = time.perf_counter
) -> None:
    """Set the pace of the moment where `costs` are of another time: or a first answer, which takes
    few steps, would be compared with what plain decoding took then.

    A few rows are decoded one by one, of a large model a single one; slot 0 is left empty. Where
    another number of rows costs much, as on a GPU, there is no pace.
    """
    if not target.can_truncate or costs.change:
        return
    times = list[float]()
    while sum(times) < _PACE_SECONDS:
        began = clock()
        target.decode([Run(0, (_TOKEN,), 0, 1)])
        times.append(clock() - began)
        target.truncate(0, 0)
    costs.pace = min(times) / (costs.times()[1] - costs.overhead)


def _plausible(times: dict[int, float]) -> dict[int, float]:
    """One row never takes longer than several, and several rarely much longer than more."""
    least, plausible = float("inf"), {}
    for rows in sorted(times, reverse=True):
        plausible[rows] = min(times[rows], least * (1.0 if rows == 1 else _CLIFF))
        least = min(least, plausible[rows])
    return plausible


def _timed(target: Evaluator, rows: int, clock: Callable[[], float]) -> float:
    began = clock()
    target.decode([Run(0, (_TOKEN,) * rows, _BEGINNING, rows)])
    taken = clock() - began
    target.truncate(0, _BEGINNING)
    return taken
