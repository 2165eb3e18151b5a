"""Which characters of a text were guessed, and by whom, in colour."""

from collections.abc import Iterable, Iterator
from itertools import accumulate

from textual.content import Content, Span

from localspec.tui.figures import Figures
from localspec.tui.store.tree import Origins

__all__ = ["blocks", "legend", "tint"]

_LOOKUP = "lookup"  # what was said before is told from what a model guessed
_BLOCK = 1000  # characters; a block ends with the first line that ends after so many


def tint(drafter: str, *, colour: bool) -> str:
    """The style of a drafter's guesses."""
    if colour:
        return "on $warning 28%" if drafter == _LOOKUP else "on $primary 30%"
    return "bold" if drafter == _LOOKUP else "underline"


def blocks(text: str, origins: Origins, *, colour: bool = True) -> list[Content]:
    """`text` in blocks of whole lines, so that only the last one changes while it grows."""
    spans = list(_spans(origins, colour))
    found, start, first = [], 0, 0
    for end in _ends(text):
        while first < len(spans) and spans[first].end <= start:
            first += 1
        inside = _within(spans[first:], start, end)
        found.append(Content(text[start:end].removesuffix("\n"), spans=inside))
        start = end
    return found


def _spans(origins: Origins, colour: bool) -> Iterator[Span]:
    ends = accumulate(length for length, _ in origins)
    for (length, drafter), end in zip(origins, ends, strict=True):
        if drafter:
            yield Span(end - length, end, tint(drafter, colour=colour))


def _ends(text: str) -> Iterator[int]:
    end = 0
    while end < len(text):
        line = text.find("\n", end + _BLOCK)
        end = len(text) if line < 0 else line + 1
        yield end


def _within(spans: Iterable[Span], start: int, end: int) -> list[Span]:
    inside = []
    for span in spans:
        if span.start >= end:
            break
        inside.append(Span(max(span.start, start) - start, min(span.end, end) - start, span.style))
    return inside


def legend(figures: Figures, *, colour: bool = True) -> Content:
    """Who said how much, in the colours of the tint."""
    s = figures.statistics
    parts: list[tuple[str, str] | str] = []
    for drafter, held in s.accepted_by_drafter.items():
        parts += [(f" {drafter} {held:,} ", tint(drafter, colour=colour)), " "]
    own = s.completion_tokens - s.accepted_tokens
    return Content.assemble(*parts, f" target {own:,}")
