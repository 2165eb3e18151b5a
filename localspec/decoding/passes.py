"""How a decode of several sequences falls into passes over the model's weights.

Where each sequence has cells of its own (decision 31), one pass takes neighbouring slots only, and
the same number of rows of each. A pass over the weights is what a step mostly costs on a CPU, rows
in it cost little; so rows that are thrown away, for slots that lie between and for sequences that
have fewer, can save more than they take. So they can for one sequence alone, where kernels take
several rows at a time: of some quantizations four rows take less time than three.
"""

from collections.abc import Callable, Mapping
from collections.abc import Sequence as Many

from localspec.llama.rows import Run

__all__ = ["fill_up", "filled", "passes", "seconds", "widen", "widened"]

_SPARE = 3  # most rows that are thrown away of the one who has most
_FILLER = 0  # any token will do
_CLEARLY = 0.9  # of the time: what is nearly even is left as it is


def passes(rows: Mapping[int, int]) -> list[int]:
    """The rows of each pass that llama.cpp makes of so many rows by slot, as it splits them."""
    left, made = dict(rows), []
    while left:
        first = last = min(left)
        while last + 1 in left:
            last += 1
        together = range(first, last + 1)
        each = min(left[slot] for slot in together)
        made.append(each * len(together))
        left = {slot: n - each * (slot in together) for slot, n in left.items()}
        left = {slot: n for slot, n in left.items() if n}
    return made


def seconds(rows: Mapping[int, int], of_pass: Callable[[int], float]) -> float:
    """What so many rows by slot take, filled up or not, where a pass of n takes `of_pass(n)`."""
    return _cheapest(rows, of_pass)[0]


def widened(rows: int, of_pass: Callable[[int], float]) -> int:
    """The number of rows to evaluate where `rows` are wanted: more, where more take less time."""
    if rows == 1:
        return 1
    best = min(range(rows, rows + 1 + _SPARE), key=of_pass)
    return best if of_pass(best) < _CLEARLY * of_pass(rows) else rows


def fill_up(
    runs: list[Run], cached: Many[int], room: tuple[int, int], of_pass: Callable[[int], float]
) -> tuple[list[Run], list[int]]:
    """The runs, with a surplus where one pass is cheaper so, and the rows of each pass.

    `cached` are the tokens that each slot holds, `room` the most rows of a pass and the most tokens
    of a slot; a pass of n rows takes `of_pass(n)` seconds.
    """
    rows = {run.slot: len(run.tokens) for run in runs}
    _, each = _cheapest(rows, of_pass)
    slots = range(min(rows), max(rows) + 1)
    whole = each * len(slots)
    if not each or whole > room[0] or max(cached[slot] for slot in slots) + each > room[1]:
        return runs, passes(rows)
    given = {run.slot: run for run in runs}
    idle = (Run(slot, (), cached[slot], 0) for slot in slots)
    return [filled(given.get(run.slot, run), each) for run in idle], [whole]


def filled(run: Run, length: int) -> Run:
    """A run of `length` tokens, those beyond its own of no meaning; nobody wants their logits."""
    surplus = length - len(run.tokens)
    return run._replace(tokens=[*run.tokens, *[_FILLER] * surplus], surplus=surplus)


def widen(run: Run, length: int) -> Run:
    """A run of `length` tokens, those beyond its own of no meaning, that all want logits."""
    wide = filled(run, length)
    return wide._replace(outputs=wide.outputs + wide.surplus, surplus=0)


def _cheapest(rows: Mapping[int, int], of_pass: Callable[[int], float]) -> tuple[float, int]:
    """Seconds, and rows of each slot in one pass; 0 of these where it is best left as it is."""
    as_it_is, slots = sum(map(of_pass, passes(rows))), max(rows) + 1 - min(rows)
    each = widened(max(rows.values()), lambda n: of_pass(n * slots))
    best = of_pass(each * slots)
    return (best, each) if best < _CLEARLY * as_it_is else (as_it_is, 0)
