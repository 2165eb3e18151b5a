"""The one line that makes speculation visible while an answer comes."""

from collections.abc import Sequence

from textual.content import Content
from textual.widgets import Static

from localspec.progress import FRAMES
from localspec.tui.figures import Meter
from localspec.tui.telling import Part, live, spark
from localspec.tui.widgets.message import line_of

__all__ = ["Strip"]

_SPARK = 16


class Strip(Static):
    """A sparkline and figures; or what is being waited for."""

    def __init__(self) -> None:
        super().__init__()
        self._frame = 0
        self._bars = ""
        self._parts: list[Part] = []

    def show(self, meter: Meter, quiet: list[Part]) -> None:
        """Figures of an answer on its way, or `quiet`: why nothing is guessed."""
        self._bars, self._parts = spark(meter.history, _SPARK), quiet or live(meter)
        self._draw()

    def rest(self, parts: Sequence[Part]) -> None:
        """What holds between answers."""
        self._bars, self._parts = "", list(parts)
        self._draw()

    def wait(self, what: str) -> None:
        """A sign of life."""
        self._frame += 1
        self._bars = FRAMES[self._frame % len(FRAMES)]
        self._parts = [Part(what, 0)]
        self._draw()

    def _draw(self) -> None:
        width, bars = self.content_size.width, f"{self._bars}  " if self._bars else ""
        foremost = min(self._parts, key=lambda part: part.rank, default=Part("", 0))
        if len(bars) + len(foremost.text) > width:
            bars = ""
        rest = line_of(self._parts, width - len(bars))
        self.update(Content.assemble((bars, "$primary"), rest), layout=False)

    def on_resize(self) -> None:
        """As many figures as fit the new width."""
        self._draw()
