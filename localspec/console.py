"""Small manners for the terminal: text that reads well, and nothing in it that can harm."""

import os
import shutil
import sys
import textwrap
from collections.abc import Iterable, Iterator, Sequence
from typing import Literal, TextIO, TypeAlias

from localspec import streams

__all__ = [
    "State",
    "columns",
    "dim",
    "drawable",
    "finding",
    "fitted",
    "harmless",
    "mark",
    "note",
    "paragraph",
    "printable",
    "ranges",
    "strong",
    "table",
    "tell",
    "width",
]

State: TypeAlias = Literal["ok", "warning", "failed"]
_SUBJECT = 14  # columns for the name of a finding
_WIDEST = 100  # columns: longer lines read badly
_USUAL = 80  # columns of terminals that do not say

_MARKS = {"ok": ("✓", 32), "warning": ("!", 33), "failed": ("✗", 31)}
# Escape sequences in an answer must not reach a terminal: they move cursors and set titles.
_HARMFUL = dict.fromkeys({*range(0x20), *range(0x7F, 0xA0)} - {ord("\n"), ord("\t")})


def harmless(text: str) -> str:
    """`text` without control characters."""
    return text.translate(_HARMFUL)


def printable(text: str) -> str:
    """`text` without control characters where standard output is a terminal."""
    return harmless(text) if sys.stdout.isatty() else text


def strong(text: str) -> str:
    """`text` in bold where standard output is a terminal."""
    return _styled(text, 1)


def dim(text: str) -> str:
    """`text` in grey where standard output is a terminal."""
    return _styled(text, 2)


def mark(state: State) -> str:
    """A sign for how something is, in its colour where standard output is a terminal."""
    sign, colour = _MARKS[state]
    return _styled(sign, colour)


def _styled(text: str, code: int) -> str:
    """In another look, unless whoever reads it is no terminal or wants none (no-color.org)."""
    plain = not drawable(sys.stdout) or os.environ.get("NO_COLOR")
    return text if plain else f"\x1b[{code}m{text}\x1b[0m"


def drawable(stream: TextIO) -> bool:
    """Whether `stream` is a terminal that knows escape sequences (Emacs' shell, say, does not)."""
    return stream.isatty() and os.environ.get("TERM") != "dumb"


def paragraph(text: str, columns: int, indent: str = "", further: str | None = None) -> list[str]:
    """Lines of at most `columns`, the first after `indent` and others after `further`."""
    return textwrap.wrap(
        text,
        columns,
        initial_indent=indent,
        subsequent_indent=indent if further is None else further,
        break_long_words=False,
        break_on_hyphens=False,
    )


def fitted(line: str, stream: TextIO) -> str:
    """`line`, broken between words where `stream` is a terminal, which would tear them."""
    return "\n".join(paragraph(line, columns(stream))) if stream.isatty() else line


def finding(state: State, subject: str, detail: str, columns: int, advice: str = "") -> list[str]:
    """How one thing is: its mark, its name, and words beside it that wrap at `columns`."""
    indent = " " * (_SUBJECT + 2)
    first, *more = paragraph(printable(detail), columns, indent) or [indent]
    head = f"{mark(state)} {subject:<{_SUBJECT}}{first[len(indent) :]}"
    return [head.rstrip(), *more, *paragraph(advice, columns, indent)]


def table(rows: Sequence[Sequence[str]]) -> list[str]:
    """Rows of cells below a first row of headings; the first column stands to the left."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    return [
        "  ".join(
            cell.rjust(width) if i else cell.ljust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]


def ranges(numbers: Iterable[int]) -> Iterator[str]:
    """Ascending numbers in words: 2, 5-7."""
    first = last = None
    for number in numbers:
        if last is not None and number == last + 1:
            last = number
            continue
        if first is not None:
            yield _range(first, last)
        first = last = number
    if first is not None:
        yield _range(first, last)


def _range(first: int, last: int | None) -> str:
    return str(first) if first == last else f"{first}-{last}"


def columns(stream: TextIO | None = None) -> int:
    """Columns to write in: those of standard output or `stream`, and no more than read well."""
    return min(_WIDEST, width(stream or sys.stdout))


def width(stream: TextIO) -> int:
    """Columns of the terminal that `stream` is; others may lead elsewhere."""
    try:
        return os.get_terminal_size(stream.fileno()).columns or _USUAL
    except (OSError, ValueError):  # it is none
        return shutil.get_terminal_size().columns


def note(sentence: str) -> None:
    """Something a person should know, on standard error."""
    print(fitted(f"localspec: {harmless(sentence)}", sys.stderr), file=sys.stderr, flush=True)


def tell(line: str) -> None:
    """Print a line at once. A reader who has gone has seen enough; the work goes on without."""
    try:
        print(line, flush=True)
    except OSError as error:
        if not streams.has_no_reader(error):
            raise
        streams.drop(sys.stdout)
