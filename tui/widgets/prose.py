"""The text of an answer: as Markdown, or token by token. Both grow at their end."""

import re

from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Markdown, Static

__all__ = ["Prose", "Tinted"]

_DEFINITION = re.compile(r"^ {0,3}\[[^\]\n]+\]:", re.MULTILINE)  # of a link, used further up


class Prose(Markdown):
    """An answer's Markdown. Links are told to the app, which does not open them by itself."""

    def __init__(self) -> None:
        super().__init__(open_links=False)
        self._shown = ""
        self._grown = False

    async def grow(self, text: str) -> None:
        """Show a text on its way: of what was shown before, only the end is drawn again."""
        if not self._grown or not text.startswith(self._shown):
            self._shown, self._grown = "", True
            await self.update("")  # Textual appends to what was appended, and to nothing else
        added, self._shown = text[len(self._shown) :], text
        if added:
            await self.append(added)

    async def show(self, text: str) -> None:
        """Show a whole text. One that has grown is drawn again only where its end may have
        changed what stands further up.
        """
        if text != self._shown or (self._grown and _DEFINITION.search(text)):
            self._shown, self._grown = text, False
            await self.update(text)


class Tinted(Vertical):
    """An answer as it was said, token by token, with the guesses in colour."""

    def __init__(self) -> None:
        super().__init__()
        self._blocks: list[Content] = []

    async def show(self, blocks: list[Content]) -> None:
        """Show blocks, of which most are as before."""
        views = list(self.query(Static))
        for i, block in enumerate(blocks):
            if i >= len(views):
                await self.mount(Static(block))
            elif i >= len(self._blocks) or not block.is_same(self._blocks[i]):
                views[i].update(block)
        for view in views[len(blocks) :]:
            await view.remove()
        self._blocks = blocks
