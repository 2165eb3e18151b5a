"""The text of an answer: as Markdown, or token by token. Both grow at their end."""

import re
from collections.abc import Iterable
from itertools import pairwise

from markdown_it import MarkdownIt
from markdown_it.token import Token
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Markdown, Static
from textual.widgets.markdown import MarkdownBlock

from localspec.tui.widgets.blocks import BLOCKS
from localspec.tui.widgets.code import Code
from localspec.tui.widgets.growing import OPEN, Growing, renew

__all__ = ["Prose", "Tinted"]

_DEFINITION = re.compile(r"^ {0,3}\[[^\]\n]+\]:", re.MULTILINE)  # of a link, used further up
_RULE = "rule"


class Prose(Markdown):
    """An answer's Markdown. Links are told to the app, which does not open them by itself."""

    BLOCKS = {**Markdown.BLOCKS, **BLOCKS}  # noqa: RUF012

    def __init__(self) -> None:
        # HTML is shown as it was written: what a model said must not vanish.
        self._parser = MarkdownIt("gfm-like", {"html": False})
        super().__init__(open_links=False, parser_factory=lambda: self._parser)
        self._shown = ""
        self._open = ""
        """The source of what may still change: of the blocks after the first `_settled`."""
        self._settled = 0
        self._grown = False

    async def grow(self, text: str) -> None:
        """Show a text on its way: of what was shown before, only the end is drawn again."""
        if not self._grown or not text.startswith(self._shown):
            self._shown = self._open = ""
            self._settled, self._grown = 0, True
            await self.update("")
        added, self._shown = text[len(self._shown) :], text
        if added:
            async with self.lock:
                await self._add(added)

    async def _add(self, text: str) -> None:
        source = self._open + text
        tokens = self._parser.parse(source)
        with self.app.batch_update():
            open = list(self.children)[self._settled :]
            await renew(self, open, list(self._parse_markdown(tokens)))
        self._open = self._settle(source.split("\n"), tokens)

    def _parse_markdown(self, tokens: Iterable[Token]) -> Iterable[MarkdownBlock]:
        """Rules stand where they were said; Textual puts one of an item before the whole list."""
        renamed = (token.copy(type=_RULE) if token.type == "hr" else token for token in tokens)
        return super()._parse_markdown(renamed)

    def unhandled_token(self, token: Token) -> MarkdownBlock | None:
        """Of the names that Textual does not know."""
        return self.get_block_class("hr")(self, token) if token.type == _RULE else None

    def _settle(self, lines: list[str], tokens: list[Token]) -> str:
        """The source without what nothing that comes can change."""
        tops = [at for at, token in enumerate(tokens) if token.level == 0 and token.map]
        blocks = [tokens[at:end] for at, end in pairwise([*tops, len(tokens)])][-OPEN:]
        begins = [block[0].map[0] for block in blocks if block[0].map]
        self._settled = len(self.children) - len(blocks)
        if not blocks:
            return "\n".join(lines)
        source = list[str]()
        views = self.children[self._settled :]
        for view, block, (begin, end) in zip(
            views, blocks, pairwise([*begins, len(lines)]), strict=True
        ):
            kept, rest = view.settle(block) if isinstance(view, Growing) else (0, 0)
            source += lines[begin : begin + kept] + lines[begin + rest : end]
        return "\n".join(source)

    async def show(self, text: str) -> None:
        """Show a whole text. One that has grown is drawn again only where its end may have
        changed what stands further up.
        """
        if text != self._shown or (self._grown and _DEFINITION.search(text)):
            self._shown, self._grown = text, False
            await self.update(text)
        elif self._grown:
            for code in self.query(Code):
                code.finish()


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
