"""What a tuning means: a chart of what passes cost, and sentences computed from it."""

import textwrap
from collections.abc import Iterator
from typing import Any

from localspec.bench.chart import Bar, bars
from localspec.bench.payoff import Cliff, Payoff, best_length, cliffs
from localspec.bench.tuning import Curve, Tuning

__all__ = ["document", "page", "sentences"]

_NARROWEST, _WIDEST = 60, 84
_NAMED = (1, 3, 7, 15)
"""Lengths of guesses that sentences speak of, where they were measured."""


def page(tuning: Tuning, device: str, columns: int) -> str:
    """Chart and sentences, in at most `columns` (60 at the least)."""
    columns = max(_NARROWEST, min(_WIDEST, columns))
    head = (
        f"{tuning.model} on {device} takes {_time(tuning.curves[0].seconds[1])} for a token. By "
        "number of tokens looked at in one pass: its time, and what share of the guesses among "
        "them (all but the first) must hold for that to pay."
    )
    lines = [*textwrap.wrap(head, columns), "", *_chart(tuning, columns), ""]
    for sentence in sentences(tuning):
        lines += textwrap.wrap(sentence, columns)
    return "\n".join(lines)


def _chart(tuning: Tuning, columns: int) -> list[str]:
    needs = {payoff.length + 1: _percent(payoff.acceptance) for payoff in tuning.payoffs}
    curve = tuning.curves[0].relative
    lines = [
        Bar(str(n), curve[n], f"{curve[n]:5.2f}× {needs.get(n, ''):>5}") for n in sorted(curve)
    ]
    return bars(lines, columns)


def sentences(tuning: Tuning) -> Iterator[str]:
    """What one should know about this computer, one thing at a time."""
    yield _worth(tuning.payoffs)
    yield from (_describe(cliff) for cliff in cliffs(tuning.curves[0].relative))
    yield from (_deeper(tuning.curves[0], curve) for curve in tuning.curves[1:])
    yield _forecast(tuning)
    if tuning.kept:
        yield "All commands decide by these figures from now on."
    else:
        yield "These figures could not be kept; localspec doctor says what to do about it."


def _worth(payoffs: list[Payoff]) -> str:
    known = [(p.length, p.acceptance) for p in payoffs if p.acceptance is not None]
    if not known:
        return "On this computer guesses are never worth it, even if all of them hold."
    named = [(n, least) for n, least in known if n in _NAMED] or known[:1]
    (length, least), *others = named
    first = f"guesses of {length} are worth it when at least {_percent(least)} hold"
    rest = [f"of {n} when {_percent(needed)} do" for n, needed in others]
    return f"On this computer {_listed([first, *rest])}."


def _describe(cliff: Cliff) -> str:
    if cliff.cheaper:
        return f"Looking at {cliff.last} costs less than looking at {cliff.first}."
    return f"Looking at {cliff.last} costs no more than looking at {cliff.first}."


def _deeper(near: Curve, deep: Curve) -> str:
    widest = max(near.seconds.keys() & deep.seconds.keys())
    return (
        f"After {deep.depth} tokens of text a token takes {_time(deep.seconds[1])}, and looking "
        f"at {widest} takes {deep.relative[widest]:.2f} times that instead of "
        f"{near.relative[widest]:.2f} times."
    )


def _forecast(tuning: Tuning) -> str:
    draft = tuning.draft
    if draft is None:
        return "There is no draft; guesses from text already seen cost next to nothing."
    length, speedup = best_length(tuning.payoffs, draft.held)
    seen = (
        f"{draft.name} takes {_time(draft.seconds)} for a guess, and in {draft.answers} short "
        f"answers {_percent(draft.held)} of its first guesses held:"
    )
    if not length:
        return f"{seen} on average, guessing does not pay, and is left to the surest moments."
    return f"{seen} on average, guesses of {length} are best, {speedup:.2f} times as fast as plain."


def document(tuning: Tuning, device: str) -> dict[str, Any]:
    """The JSON document. Times in milliseconds; shares and factors as they are."""
    measured = tuning.draft
    best, speedup = best_length(tuning.payoffs, measured.held) if measured else (None, None)
    return {
        "model": tuning.model,
        "draft": measured and measured.name,
        "device": device,
        "curves": [_curve(curve) for curve in tuning.curves],
        "draft_ms": measured and round(measured.seconds * 1000, 4),
        "first_guesses_held": measured and round(measured.held, 4),
        "lengths": [
            {
                "length": payoff.length,
                "cost": round(payoff.cost, 3),
                "least_acceptance": payoff.acceptance and round(payoff.acceptance, 4),
            }
            for payoff in tuning.payoffs
        ],
        "best_length": best,
        "expected_speedup": speedup and round(speedup, 3),
        "cliffs": [cliff._asdict() for cliff in cliffs(tuning.curves[0].relative)],
        "kept": tuning.kept,
        "words": list(sentences(tuning)),
        "notes": tuning.notes,
    }


def _curve(curve: Curve) -> dict[str, Any]:
    return {
        "depth": curve.depth,
        "ms": {str(n): round(seconds * 1000, 4) for n, seconds in curve.seconds.items()},
        "relative": {str(n): round(ratio, 3) for n, ratio in curve.relative.items()},
    }


def _listed(parts: list[str]) -> str:
    *others, last = parts
    return f"{', '.join(others)} and {last}" if others else last


def _percent(share: float | None) -> str:
    return "never" if share is None else f"{share:.0%}"


def _time(seconds: float) -> str:
    return f"{seconds * 1000:.3g} ms" if seconds < 1 else f"{seconds:.2f} s"
