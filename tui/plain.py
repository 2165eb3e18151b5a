"""The last look at what is drawn: nothing in it may speak to the terminal.

Textual passes control characters on, and not all that it draws passes through our own hands: what
is typed or edited, names that servers give their models, notices.
"""

from rich.segment import Segment
from textual.color import Color
from textual.filter import LineFilter

from localspec.console import harmless

__all__ = ["PLAIN"]


class _Plain(LineFilter):
    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        return [
            segment
            if segment.control or segment.text.isprintable()
            else segment._replace(text=harmless(segment.text))
            for segment in segments
        ]


PLAIN = _Plain()
