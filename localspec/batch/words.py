"""A tally in words for people, and in JSON for programs."""

from typing import Any

from localspec import spoken
from localspec.batch.tally import Tally
from localspec.progress import bar

__all__ = ["document", "line", "summary"]

_BAR = 16


def line(tally: Tally) -> str:
    """The line that is shown while a run goes on."""
    share = tally.answered / tally.lines if tally.lines else 1.0
    parts = [f"{bar(share, _BAR)} {tally.answered:,}/{tally.lines:,}"]
    if tally.effort.completion:
        parts += _speed(tally)
    if tally.failed:
        parts.append(f"{tally.failed:,} failed")
    left = tally.seconds_left if tally.effort.completion else None
    parts.append(
        "waiting for the first answers" if left is None else f"{spoken.duration(left)} left"
    )
    return " · ".join(parts)


def summary(tally: Tally) -> str:
    """What a run came to, in the end: lines, tokens and time, energy where it can be read."""
    lines = f"{tally.answered:,} of {tally.lines:,} lines answered"
    if tally.failed:
        lines += f", {tally.failed:,} of them failed"
    earlier = tally.answered - tally.replies
    if earlier and tally.replies:
        lines += f" ({earlier:,} by an earlier run)"
    if not tally.replies:
        return f"{lines}; there was nothing to do." if tally.lines else "The input has no lines."
    if not tally.effort.completion:
        return f"{lines}."
    effort = tally.effort
    cost = [
        f"{effort.completion:,} tokens from {effort.prompt:,} of prompts in "
        f"{spoken.duration(tally.seconds)}, {tally.parallel} at a time",
        *_speed(tally),
    ]
    energy = tally.joules_per_1000_tokens
    if energy is not None:
        cost.append(f"{energy:,.0f} J per 1,000 tokens")
    return f"{lines}.\n{' · '.join(cost)}"


def _speed(tally: Tally) -> list[str]:
    parts = [f"{tally.tokens_per_second:,.0f} tokens/s"]
    if tally.speedup is not None:
        parts.append(f"{tally.speedup:.1f}× one at a time")
    if tally.acceptance_rate is not None:
        parts.append(f"{tally.acceptance_rate:.0%} of guesses held")
    return parts


def document(tally: Tally) -> dict[str, Any]:
    """The same as JSON. Times in seconds, energy in joules; null is what cannot be known."""
    return {
        "lines": tally.lines,
        "answered": tally.answered,
        "failed": tally.failed,
        "answered_now": tally.replies,
        "parallel": tally.parallel,
        "prompt_tokens": tally.effort.prompt,
        "completion_tokens": tally.effort.completion,
        "draft_tokens": tally.effort.drafted,
        "accepted_tokens": tally.effort.accepted,
        "seconds": round(tally.seconds, 3),
        "tokens_per_second": round(tally.tokens_per_second, 2),
        "acceptance_rate": _rounded(tally.acceptance_rate, 4),
        "speedup": _rounded(tally.speedup, 3),
        "seconds_left": _rounded(tally.seconds_left, 1),
        "joules": _rounded(tally.joules, 1),
        "joules_per_1000_tokens": _rounded(tally.joules_per_1000_tokens, 1),
    }


def _rounded(value: float | None, digits: int) -> float | None:
    return None if value is None else round(value, digits)
