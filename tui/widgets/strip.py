"""The one line that makes speculation visible while an answer comes."""

from localspec.tui.figures import Meter, live, spark
from localspec.tui.widgets.message import line_of
from textual.content import Content
from textual.widgets import Static

__all__ = ["Strip"]

_SPARK = 16
_FRAMES = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"


class Strip(Static):
    """A sparkline and figures; or what is being waited for."""

    def __init__(self) -> None:
        super().__init__()
        self._frame = 0

    def show(self, meter: Meter) -> None:
        """Figures of an answer on its way, or of the last one."""
        bars = spark(meter.history, _SPARK)
        rest = line_of(live(meter), self.size.width - len(bars) - 4)
        self.update(Content.assemble((bars, "$primary"), "  " if bars else "", rest))

    def wait(self, what: str) -> None:
        """A sign of life."""
        self._frame += 1
        self.update(Content.assemble((_FRAMES[self._frame % len(_FRAMES)], "$primary"), " ", what))

    def say(self, what: str) -> None:
        """A quiet sentence."""
        self.update(Content(what))
