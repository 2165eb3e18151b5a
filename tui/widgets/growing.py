"""Blocks of Markdown that grow at their end: however long one is, only its end is drawn again.

What stands so far up that nothing which still comes can change it is settled: it stays on the
screen as it is, and is left out of the source that is read again (see `Prose`).
"""

from collections.abc import Sequence
from typing import Any

from markdown_it.token import Token
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static
from textual.widgets.markdown import MarkdownBlock

__all__ = ["OPEN", "Growing", "redraw", "renew"]

OPEN = 2
"""Parts of a text that are not settled: the last may yet turn out to belong to the one before."""


class Growing(MarkdownBlock):
    """A block that may be long, or hold one that is."""

    async def become(self, block: Any) -> None:
        """Look like a block of the same kind, which was read from what is not settled."""
        raise NotImplementedError

    def settle(self, tokens: Sequence[Token]) -> tuple[int, int]:
        """Settle what can be of the block's source, which was read as `tokens`.

        Of its lines the first few are needed still, and all from another on: how many, and which.
        """
        return 0, 0


async def renew(parent: Widget, old: Sequence[Widget], blocks: list[MarkdownBlock]) -> None:
    """Have `parent` hold `blocks` in the place of `old`, which it holds last."""
    alike = 0
    for view, block in zip(old, blocks, strict=False):
        if type(view) is not type(block):
            break
        if isinstance(view, Growing):
            await view.become(block)
        elif not view._content.is_same(block._content):
            break
        alike += 1
    for view in old[alike:]:
        await view.remove()
    await parent.mount_all(blocks[alike:])


def redraw(view: Static, content: Content) -> None:
    """Show something else; all is laid out again only where that has another height."""
    before, width = view.visual, view.content_size.width
    rules: Any = view.styles
    if width and isinstance(before, Content):
        heights = {each.get_height(rules, width) for each in (before, content)}
        view.update(content, layout=len(heights) > 1)
    else:
        view.update(content)
