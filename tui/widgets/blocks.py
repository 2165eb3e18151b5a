"""Paragraphs, quotes, lists and tables that grow: see `growing`."""

from collections.abc import Sequence

from markdown_it.token import Token
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Static
from textual.widgets._markdown import (
    MarkdownBlockQuote,
    MarkdownBullet,
    MarkdownBulletList,
    MarkdownList,
    MarkdownListItem,
    MarkdownOrderedList,
    MarkdownParagraph,
    MarkdownTable,
    MarkdownTableCellContents,
    MarkdownTableContent,
)
from textual.widgets.markdown import MarkdownBlock

from localspec.tui.widgets.code import Code
from localspec.tui.widgets.growing import OPEN, Growing, redraw, renew

__all__ = ["BLOCKS"]

_HEADER = 2  # lines of a table: names, and the rule below them


class Paragraph(MarkdownParagraph, Growing):
    """Text."""

    async def become(self, block: "Paragraph") -> None:
        """Show other text."""
        before, self._content = self._content, block._content
        if not before.is_same(self._content):
            redraw(self, self._content)


class Quote(MarkdownBlockQuote, Growing):
    """Blocks that somebody else said."""

    async def become(self, block: "Quote") -> None:
        """Hold other blocks."""
        await renew(self, list(self.children), block._blocks)


class Items(MarkdownList, Growing):
    """Items, each in a row of its bullet and what stands beside it."""

    _settled = 0

    def settle(self, tokens: Sequence[Token]) -> tuple[int, int]:
        """An item is read alone as it is read among others."""
        items = [token for token in tokens if token.type == "list_item_open" and token.level == 1]
        self._settled += len(items[:-OPEN])
        return 0, _first_line(items[-OPEN:]) - _first_line(tokens)

    async def become(self, block: "Items") -> None:
        """Have other items in the place of those that are not settled."""
        items = [item for item in block._blocks if isinstance(item, MarkdownListItem)]
        rows = list(self.children)[self._settled :]
        for row, item in zip(rows, items, strict=False):
            beside = row.query_one(Vertical)
            await renew(beside, list(beside.children), item._blocks)
        for row in rows[len(items) :]:
            await row.remove()
        block._blocks = list(items[len(rows) :])
        if block._blocks:
            await self.mount_all(list(block.compose()))
        self._number()

    def _number(self) -> None:
        """Have all bullets as if they had come at once."""


class Bullets(MarkdownBulletList, Items):
    """Items with the same bullet."""


class Numbers(MarkdownOrderedList, Items):
    """Items whose numbers stand flush right, so that one with more digits moves all others."""

    def _number(self) -> None:
        bullets = [row.query_one(MarkdownBullet) for row in self.children]
        first = int(bullets[0].symbol.strip(" ."))
        width = len(f"{first + len(bullets) - 1}. ") + 1
        for number, bullet in enumerate(bullets, start=first):
            symbol = f"{number}. ".rjust(width)
            if bullet.symbol != symbol:
                bullet.symbol = symbol
                bullet.refresh(layout=True)


class Table(MarkdownTable, Growing):
    """Rows under a header."""

    _settled = 0

    def settle(self, tokens: Sequence[Token]) -> tuple[int, int]:
        """Rows are read under their header."""
        first, end = tokens[0].map or (0, 0)
        settled = max(0, end - first - _HEADER - OPEN)
        self._settled += settled
        return _HEADER, _HEADER + settled

    async def become(self, block: "Table") -> None:
        """Have other rows in the place of those that are not settled."""
        table = self.query_one(MarkdownTableContent)
        old, fresh = self._rows, block._get_headers_and_rows()[1]
        self._rows = rows = [*old[: self._settled], *fresh]
        for at in range(self._settled, max(len(old), len(rows))):
            cells = table.query_children(f".row{at + 1}")
            if at >= len(rows):
                await cells.remove()
            elif at >= len(old):
                await table.mount_all(_cells(rows[at], at))
            else:
                for cell, before, now in zip(cells.results(Static), old[at], rows[at], strict=True):
                    if not before.is_same(now):
                        cell.with_tooltip(now.plain).update(now)


def _cells(row: Sequence[Content], at: int) -> list[Static]:
    return [
        MarkdownTableCellContents(cell, classes=f"row{at + 1} cell").with_tooltip(cell.plain)
        for cell in row
    ]


def _first_line(tokens: Sequence[Token]) -> int:
    return tokens[0].map[0] if tokens and tokens[0].map else 0


BLOCKS: dict[str, type[MarkdownBlock]] = {
    "paragraph_open": Paragraph,
    "blockquote_open": Quote,
    "bullet_list_open": Bullets,
    "ordered_list_open": Numbers,
    "table_open": Table,
    "fence": Code,
    "code_block": Code,
}
"""By the names that Textual knows them by."""
