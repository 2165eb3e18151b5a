"""How wide the text of a sheet is; chat.tcss says the same of the sheet itself."""

from textual.app import App

__all__ = ["room"]


def room(app: App[object]) -> int:
    """Cells from edge to edge, without the padding."""
    return min(84, int(0.96 * app.size.width)) - 4
