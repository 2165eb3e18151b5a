"""What a cost curve means: from which acceptance on guessing pays, and where rows come free.

A step that looks at k guesses, each of which holds with chance p where those before it did, gives
1 + p + … + p^k tokens and takes as long as V(k+1) / V(1) + k c / V(1) plain steps (Leviathan et
al. 2023, arXiv 2211.17192). Curves are given relative to V(1), and c as a share of V(1).
"""

from collections.abc import Mapping
from typing import NamedTuple

__all__ = ["Cliff", "Payoff", "best_length", "break_even", "cliffs", "expected_tokens", "payoffs"]

_NOISE = 0.03  # differences of a curve below this share of it are taken for none
_HALVINGS = 40

Curve = Mapping[int, float]
"""V(n) / V(1) by number of rows n."""


class Payoff(NamedTuple):
    """Guesses of this length pay from this acceptance on; never, where it is None."""

    length: int
    cost: float
    """Time of a step with such a guess, in plain steps."""
    acceptance: float | None


class Cliff(NamedTuple):
    """Evaluating `last` rows takes `ratio` of the time of `first` rows, fewer of them."""

    first: int
    last: int
    ratio: float

    @property
    def cheaper(self) -> bool:
        """Whether it costs clearly less, and not just as much."""
        return self.ratio < 1 - _NOISE


def expected_tokens(length: int, acceptance: float) -> float:
    """Tokens of a step with `length` guesses: 1 + p + … + p^length."""
    return sum(acceptance**i for i in range(length + 1))


def break_even(length: int, cost: float) -> float | None:
    """The smallest acceptance at which a step that costs `cost` plain steps gives as much."""
    if cost <= 1:
        return 0.0
    if cost >= length + 1:
        return None
    low, high = 0.0, 1.0
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        if expected_tokens(length, middle) < cost:
            low = middle
        else:
            high = middle
    return high


def payoffs(curve: Curve, draft: float = 0.0) -> list[Payoff]:
    """What each length needs that the curve knows, shortest first; a guess costs `draft`."""
    found = []
    for rows in sorted(curve):
        length = rows - 1
        if length:
            cost = curve[rows] + length * draft
            found.append(Payoff(length, cost, break_even(length, cost)))
    return found


def best_length(lengths: list[Payoff], acceptance: float) -> tuple[int, float]:
    """The length that is fastest at `acceptance`, and its speed-up; (0, 1.0) where none pays."""
    plain = (0, 1.0)
    paid = [(p.length, expected_tokens(p.length, acceptance) / p.cost) for p in lengths]
    return max([plain, *paid], key=lambda found: found[1])


def cliffs(curve: Curve) -> list[Cliff]:
    """Where more rows cost less than fewer, or as much as fewer over a stretch of three or more.

    Stretches do not overlap: one begins where the last one ended, at the earliest.
    """
    widths = sorted(curve)
    found, start = list[Cliff](), 0
    while start < len(widths):
        end = start
        while end + 1 < len(widths) and _no_dearer(curve, widths[start], widths[end + 1]):
            end += 1
        first, last = widths[start], widths[end]
        ratio = curve[last] / curve[first]
        if end - start >= 2 or (end > start and ratio < 1 - _NOISE):
            found.append(Cliff(first, last, ratio))
            start = end
        else:
            start += 1
    return found


def _no_dearer(curve: Curve, fewer: int, more: int) -> bool:
    return curve[more] <= curve[fewer] * (1 + _NOISE)
