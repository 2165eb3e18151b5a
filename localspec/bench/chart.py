"""Horizontal bars in a terminal, of Unicode blocks, an eighth of a column fine."""

from collections.abc import Sequence
from typing import NamedTuple

__all__ = ["Bar", "bars"]

_EIGHTHS = " ▏▎▍▌▋▊▉█"
_LEAST = 8  # columns of the longest bar, however narrow the terminal
_MARK, _MARK_IN_BAR = "┊", "▓"


class Bar(NamedTuple):
    """A line of a chart: a label, a value of at least 0, and what is written after the bar."""

    label: str
    value: float
    text: str


def bars(lines: Sequence[Bar], columns: int, mark: float | None = None) -> list[str]:
    """The chart, line by line, at most `columns` wide; a `mark` is drawn at its value in all.

    A bar is as long as its value says, from 0 on; the largest (or the mark) fills the width.
    """
    if not lines:
        return []
    left = max(len(line.label) for line in lines)
    right = max(len(line.text) for line in lines)
    width = max(_LEAST, columns - left - right - 2)
    most = max(*(line.value for line in lines), mark or 0.0, 0.0) or 1.0
    at = None if mark is None else min(width - 1, round(width * mark / most))
    return [
        f"{line.label:>{left}} {_bar(line.value / most, width, at)} {line.text}".rstrip()
        for line in lines
    ]


def _bar(share: float, width: int, mark: int | None) -> str:
    eighths = round(share * width * 8)
    whole, rest = divmod(eighths, 8)
    bar = "█" * whole + (_EIGHTHS[rest] if rest else "")
    bar = bar.ljust(width)
    if mark is None:
        return bar
    return bar[:mark] + (_MARK_IN_BAR if bar[mark] == "█" else _MARK) + bar[mark + 1 :]
