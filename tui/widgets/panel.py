"""The panel of figures: everything that is known of the answer that is looked at."""

from textual.content import Content
from textual.widgets import Static

from localspec.tui.figures import Figures
from localspec.tui.telling import detail

__all__ = ["Panel"]

_NAME_WIDTH = 13


class Panel(Static):
    """Sections of names and values."""

    def show(self, figures: Figures | None) -> None:
        """Show the figures of an answer."""
        if figures is None:
            self.update(Content("Figures come with the first answer."))
            return
        lines: list[Content] = []
        for title, rows in detail(figures):
            lines += [Content(""), Content.styled(title, "$foreground bold")]
            lines += [
                Content.assemble(f"{name:<{_NAME_WIDTH}}", (value, "$foreground"))
                for name, value in rows
            ]
        self.update(Content("\n").join(lines[1:]))
