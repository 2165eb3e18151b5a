"""What speculation gives here and why, in one or two sentences made of the figures."""

from collections.abc import Mapping

from localspec.bench.benchmark import Benchmark
from localspec.bench.guesses import Guesses

__all__ = ["breakdown", "verdict"]

_PLACES = 8  # of a guess, the first ones
_NOTHING = 0.03  # a difference of speed below this share is called none


def verdict(benchmark: Benchmark) -> str:
    """For a benchmark with at least one task."""
    mean, guesses = benchmark.geomean_speedup, benchmark.guesses
    assert mean is not None
    if not guesses.by_drafter:
        return f"No guess was worth making here{_why_not(benchmark)}: answers come plainly."
    if mean >= 1 + _NOTHING:
        gain = f"Guessing ahead makes answers {mean:.2f} times as fast here"
    elif mean > 1 - _NOTHING:
        gain = f"Guessing ahead gains next to nothing here ({mean:.2f}×)"
    else:
        gain = f"Guessing ahead costs speed here ({mean:.2f}×)"
    return f"{gain}: {_because(benchmark)}."


def breakdown(guesses: Guesses) -> str:
    """Who guessed, which places of a guess held, and where the time went."""
    share = guesses.time_share
    who = [f"{name} {n} ({held / n:.0%} held)" for name, (n, held) in guesses.by_drafter.items()]
    places = [f"{held:.0%}" for held in guesses.acceptance_per_position[:_PLACES]]
    return (
        f"Guesses: {', '.join(who)}; by place {', '.join(places)}. Time: {share['verify']:.0%} "
        f"in the model's passes, {share['draft']:.0%} in guessing, {share['overhead']:.0%} in "
        "all else."
    )


def _because(benchmark: Benchmark) -> str:
    guesses = benchmark.guesses
    rows = 1 + guesses.length
    held = f"{guesses.acceptance_rate:.0%} of the guesses hold"
    gives = f"so that a pass gives {guesses.tokens_per_step:.2f} tokens on average"
    cost = _cost_of(benchmark.curve, rows)
    if cost is None:
        return f"{held}, {gives}"
    return (
        f"{held}, {gives}, and a pass over {rows:.1f} tokens takes {cost:.2f} times as long as "
        "one over a single token"
    )


def _why_not(benchmark: Benchmark) -> str:
    if benchmark.draft is None:
        return " (there is no draft)"
    cost = _cost_of(benchmark.curve, 2)
    if cost is None:
        return ""
    return f" (a pass over two tokens takes {cost:.2f} times as long as one over a single token)"


def _cost_of(curve: Mapping[int, float], rows: float) -> float | None:
    """V(rows) / V(1), between measured numbers of rows along a line; None beyond them."""
    below = max((n for n in curve if n <= rows), default=None)
    above = min((n for n in curve if n >= rows), default=None)
    if below is None or above is None:
        return None
    if below == above:
        return curve[below]
    share = (rows - below) / (above - below)
    return curve[below] * (1 - share) + curve[above] * share
