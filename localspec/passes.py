"""How a decode of several sequences falls into passes over the model's weights.

Where each sequence has cells of its own (decision 31), one pass takes neighbouring slots only, and
the same number of rows of each. A pass over the weights is what a step mostly costs on a CPU, rows
in it cost little; so rows that are thrown away, for slots that lie between and for sequences that
have fewer, can save more than they take.
"""

from collections.abc import Callable, Mapping
from collections.abc import Sequence as Many

from localspec.llama.rows import Run

__all__ = ["fill_up", "passes", "seconds"]

_FILLER = 0  # any token will do


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
    each, slots = _filled_up(rows)
    return min(of_pass(each * len(slots)), sum(map(of_pass, passes(rows))))


def fill_up(
    runs: list[Run], cached: Many[int], room: tuple[int, int], of_pass: Callable[[int], float]
) -> tuple[list[Run], list[int]]:
    """The runs, with a surplus where one pass is cheaper so, and the rows of each pass.

    `cached` are the tokens that each slot holds, `room` the most rows of a pass and the most tokens
    of a slot; a pass of n rows takes `of_pass(n)` seconds.
    """
    rows = {run.slot: len(run.tokens) for run in runs}
    plain, (each, slots) = passes(rows), _filled_up(rows)
    whole = each * len(slots)
    fits = whole <= room[0] and max(cached[slot] for slot in slots) + each <= room[1]
    if len(plain) == 1 or not fits or of_pass(whole) >= sum(map(of_pass, plain)):
        return runs, plain
    given = {run.slot: run for run in runs}
    idle = (Run(slot, (), cached[slot], 0) for slot in slots)
    return [_filled(given.get(run.slot, run), each) for run in idle], [whole]


def _filled_up(rows: Mapping[int, int]) -> tuple[int, range]:
    """Rows of each slot, and the slots, where one pass takes them all."""
    return max(rows.values()), range(min(rows), max(rows) + 1)


def _filled(run: Run, length: int) -> Run:
    surplus = length - len(run.tokens)
    return run._replace(tokens=[*run.tokens, *[_FILLER] * surplus], surplus=surplus)
