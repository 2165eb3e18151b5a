"""How many answers to decode at once: as many as make this computer faster, by measured costs."""

import json
from collections.abc import Callable, Iterable

from localspec.batch.request import Task

__all__ = ["LARGEST", "longest", "widest"]

LARGEST = 32
"""More at once than this gain little anywhere, and each takes memory."""
_GAIN = 0.03  # by which more at once must be faster than fewer

_ROUND_A_PROMPT = 1024  # tokens a chat template may add to what a body says


def widest(rate: Callable[[int], float], most: int) -> int:
    """The number of sequences to decode at once, up to `most`.

    `rate` gives tokens a second by number of sequences, as it was measured; the smallest number
    that is nearly as fast as the fastest is best, as answers then come sooner.
    """
    rates = {n: rate(n) for n in range(1, most + 1)}
    enough = max(rates.values()) * (1 - _GAIN)
    return next(n for n, tokens in rates.items() if tokens >= enough)


def longest(tasks: Iterable[Task]) -> int | None:
    """Tokens of context that are enough for all tasks; None where one sets no limit.

    No token is shorter than a byte, so what is written is never more tokens than bytes.
    """
    most = 0
    for task in tasks:
        body = json.loads(task.body)
        limit = body.get("max_completion_tokens", body.get("max_tokens"))
        if not isinstance(limit, int):
            return None
        most = max(most, len(task.body.encode()) + _ROUND_A_PROMPT + limit)
    return most
