"""Do the logits of a token depend on how many are evaluated with it?

Kernels differ between widths. Where their sums do too, widths fall into classes, and a text can
change with the number of guesses (docs/decisions/0002).
"""

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np

from localspec.llama.rows import Evaluator, Logits, Run

__all__ = ["WIDTHS", "Widths", "compare"]

WIDTHS = (1, 2, 3, 4, 5, 6, 7, 8, 12, 16)
_ROWS = WIDTHS[-1]
_DEPTHS = (8, 640)  # attention is split in another way beyond 512 cells


@dataclass(frozen=True)
class Widths:
    """Widths with logits that are equal to the bit stand in one class.

    `difference` is the largest of a logit from what width 1 gives.
    """

    classes: tuple[tuple[int, ...], ...]
    difference: float


def compare(target: Evaluator, text: list[int], progress: Callable[[float, str], None]) -> Widths:
    """Evaluate the same rows in passes of each width that a step may have. The cache is empty,
    before and after.
    """
    widths = [width for width in WIDTHS if width <= min(target.outputs, target.even)]
    known: dict[int, str] = dict.fromkeys(widths, "")
    difference = 0.0
    for turn, depth in enumerate(_DEPTHS):
        if depth + _ROWS > target.length:
            continue
        tokens = [text[i % len(text)] for i in range(depth + _ROWS)]
        for start in range(0, depth, target.batch):
            part = tokens[start : min(start + target.batch, depth)]
            target.decode([Run(0, part, start, 0)])
        alone = _rows(target, tokens, depth, 1)
        for i, width in enumerate(widths):
            progress((turn + i / len(widths)) / len(_DEPTHS), "comparing logits at all widths")
            rows = alone if width == 1 else _rows(target, tokens, depth, width)
            known[width] += hashlib.sha256(rows.tobytes()).hexdigest()
            difference = max(difference, float(np.abs(rows - alone).max()))
        target.truncate(0, 0)
    return Widths(tuple(_classes(known.items())), difference)


def _rows(target: Evaluator, tokens: list[int], depth: int, width: int) -> Logits:
    """Logits of the last rows of `tokens`, `width` of them a pass; the last pass is as wide."""
    found: list[Logits] = [np.empty(0, dtype=np.float32)] * _ROWS
    for start in (*range(0, _ROWS - width, width), _ROWS - width):
        target.truncate(0, depth + start)
        part = tokens[depth + start : depth + start + width]
        found[start : start + width] = target.decode([Run(0, part, depth + start, width)]).copy()
    target.truncate(0, depth)
    return np.stack(found)


def _classes(known: Iterable[tuple[int, str]]) -> list[tuple[int, ...]]:
    classes: dict[str, list[int]] = {}
    for width, mark in known:
        classes.setdefault(mark, []).append(width)
    return [tuple(widths) for widths in classes.values()]
