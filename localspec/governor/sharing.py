"""Whose guesses are looked at, and how many, where several sequences decode together.

Guesses are told by slot, as their survivals: how likely each is to be reached and to hold.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from collections.abc import Sequence as Many

from localspec.decoding.passes import seconds
from localspec.governor.prices import Prices

__all__ = ["passes", "rows"]

Survivals = Mapping[int, list[float]]


Lengths = Mapping[int, int]
"""Of guesses, by slot."""


def rows(survivals: Survivals, prices: Prices) -> tuple[float, Lengths]:
    """Of one pass for all: the likeliest guesses, whosever they are, as many as pay; and what they
    are worth in tokens.
    """
    guesses = sorted(((s, slot) for slot, own in survivals.items() for s in own), reverse=True)
    value, length = prices.best([survival for survival, _ in guesses])
    return value, Counter(slot for _, slot in guesses[:length])


def passes(
    slots: Many[int],
    survivals: Survivals,
    rate: float,
    of_pass: Callable[[int], float],
    overhead: float,
) -> tuple[float, Lengths]:
    """Of sequences in cells of their own: all guess up to the same length, or one alone, whatever
    is worth most by the passes that it takes; and what that is, in tokens.

    `slots` are those of all who decode, a pass of n rows takes `of_pass(n)` seconds, looking at
    guesses `overhead` more, and a second is worth `rate` tokens.
    """
    plain: dict[int, int] = dict.fromkeys(slots, 1)
    without, best, lengths = seconds(plain, of_pass), 0.0, dict[int, int]()
    for cut in _ways(survivals):
        gain, guesses = sum(map(sum, cut.values())), sum(map(len, cut.values()))
        if gain - rate * (of_pass(len(plain) + guesses) - without) <= best:
            continue  # not even in one pass
        guessed = {slot: 1 + len(own) for slot, own in cut.items()}
        value = gain - rate * (seconds(plain | guessed, of_pass) - without + overhead)
        if value > best:
            best, lengths = value, {slot: len(own) for slot, own in cut.items()}
    return best, lengths


def _ways(survivals: Survivals) -> Iterator[Survivals]:
    """The guesses of all up to each length, and those of the one alone who gains most by so many:
    among neighbours it takes the same passes whoever it is.
    """
    for n in range(1, 1 + max(map(len, survivals.values()), default=0)):
        yield {slot: own[:n] for slot, own in survivals.items()}
        long_enough = [slot for slot, own in survivals.items() if len(own) >= n]
        best = max(long_enough, key=lambda slot: sum(survivals[slot][:n]))
        yield {best: survivals[best][:n]}
