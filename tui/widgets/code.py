"""Code in an answer, highlighted and drawn in pieces; how it grows: see `growing`."""

from collections.abc import Iterable, Sequence
from typing import Any

from markdown_it.token import Token
from textual.app import ComposeResult
from textual.content import Content
from textual.widgets import Label
from textual.widgets.markdown import MarkdownFence

from localspec.tui.widgets.growing import OPEN, Growing, redraw

__all__ = ["Code"]

_LINES = 24  # of a piece
_TAB = 8


class Code(MarkdownFence, Growing):
    """Code, of which only the pieces that have changed are drawn again."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._pieces = _cut(self._highlighted_code)
        self._settled, self._above = 0, ""  # pieces, and their code
        self._tried = 0
        self._look = self._colours

    @classmethod
    def highlight(cls, code: str, language: str, ansi: bool = False, dark: bool = False) -> Content:
        """In colours, whose places Textual reckons as if there were no tabs."""
        return super().highlight(code.expandtabs(_TAB), language, ansi, dark)

    @property
    def _colours(self) -> dict[str, bool]:
        return {"ansi": self.app.native_ansi_color, "dark": self.app.current_theme.dark}

    def compose(self) -> ComposeResult:
        """A view of each piece."""
        yield from _views(self._pieces)

    def set_content(self, content: Content) -> None:
        """Show code in other colours."""
        self._show(_cut(content))

    def notify_style_update(self) -> None:
        """Colours change with the theme, and with nothing else."""
        if self._look == self._colours:
            super(MarkdownFence, self).notify_style_update()
        else:
            self._look = self._colours
            super().notify_style_update()

    async def become(self, block: "Code") -> None:
        """Have other code in the place of that which is not settled."""
        self.lexer, self.code = block.lexer, self._above + block.code
        self._show([*self._pieces[: self._settled], *block._pieces])

    def _show(self, pieces: list[Content]) -> None:
        views = list(self.query_children(Label).results(Label))
        self._pieces, old = pieces, self._pieces
        if not views:  # `compose` will
            return
        for view, before, piece in zip(views, old, pieces, strict=False):
            if not before.is_same(piece):
                redraw(view, piece)
        for view in views[len(pieces) :]:
            view.remove()
        self.mount_all(_views(pieces[len(views) :]))

    def settle(self, tokens: Sequence[Token]) -> tuple[int, int]:
        """Lines are settled where those below them have the same colours alone."""
        count = len(self._pieces) - self._settled - OPEN
        if tokens[0].type != "fence" or count <= self._tried:
            return 0, 0
        self._tried = count
        lines, code = count * _LINES, self.code.removeprefix(self._above).split("\n")
        below = "\n".join(code[lines:])
        alone = _cut(self.highlight(below, self.lexer, **self._look))
        if len(alone) != OPEN or not all(map(Content.is_same, alone, self._pieces[-OPEN:])):
            return 0, 0
        self._settled += count
        self._above = self.code.removesuffix(below)
        self._tried = 0
        return 1, 1 + lines

    def finish(self) -> None:
        """No more comes: the colours are those of the whole."""
        if self._settled:
            self._settled, self._above = 0, ""
            self._show(_cut(self.highlight(self.code, self.lexer, **self._look)))


def _views(pieces: Iterable[Content]) -> Iterable[Label]:
    return (Label(piece, expand=True) for piece in pieces)


def _cut(code: Content) -> list[Content]:
    """`code` in pieces, each without the end of its last line."""
    ends, at = [], -1
    for number, character in enumerate(code.plain.split("\n")):
        at += len(character) + 1
        if number % _LINES == _LINES - 1:
            ends.append(at + 1)
    if ends and ends[-1] > len(code.plain):
        ends.pop()
    *pieces, last = code.divide(ends)
    return [*(piece[:-1] for piece in pieces), last]
