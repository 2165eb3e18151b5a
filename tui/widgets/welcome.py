"""What stands where no conversation has begun."""

from collections.abc import Sequence

from textual.content import Content
from textual.widgets import Static

from localspec.tui.store import Summary

__all__ = ["Welcome"]


class Welcome(Static):
    """A few words, and what was talked about lately."""

    def __init__(self, promise: str, latest: Sequence[Summary]) -> None:
        lines = [
            Content.styled("What would you like to know?", "$foreground bold"),
            Content(promise),
        ]
        if latest:
            lines += [Content(""), Content("Lately:")]
            lines += [Content(f"  {summary.title}") for summary in latest]
        super().__init__(Content("\n").join(lines))
