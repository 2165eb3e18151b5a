"""One message on the screen: what a person said, or an answer with its thoughts and figures."""

import asyncio
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message as Event
from textual.widgets import Static

from localspec.console import harmless
from localspec.tui import tint
from localspec.tui.figures import Figures
from localspec.tui.keys import ANSWER_KEYS, MESSAGE_KEYS, QUESTION_KEYS
from localspec.tui.store import Message
from localspec.tui.telling import SEPARATOR, Part, fit, footnote
from localspec.tui.thinking import split_thoughts
from localspec.tui.widgets.prose import Prose, Tinted

__all__ = ["Answer", "MessageView", "Question", "line_of"]

_LONG = 24  # lines of a question that are shown at once


def line_of(parts: list[Part], width: int) -> Content:
    """Figures as one line, in the styles of their names."""
    pieces: list[Content | str | tuple[str, str]] = []
    for part in fit(parts, width):
        pieces += [SEPARATOR] if pieces else []
        pieces.append((part.text, _STYLES[part.name]) if _STYLES[part.name] else part.text)
    return Content.assemble(*pieces)


_STYLES = {
    "quiet": "",
    "speed": "$foreground bold",
    "gain": "$text-success",
    "warning": "$text-warning",
}


class MessageView(Vertical, can_focus=True):
    """A message that can be chosen, and what can then be done with it.

    It is chosen by keys only: who clicks, perhaps to copy a word, goes on typing in the prompt.
    """

    FOCUS_ON_CLICK = False
    BINDINGS: ClassVar[list[BindingType]] = [*MESSAGE_KEYS]

    class Wanted(Event):
        """Somebody wants something done with a message: edit, branch-left, …"""

        def __init__(self, view: "MessageView", what: str) -> None:
            super().__init__()
            self.view, self.what = view, what

    def __init__(self, message: Message, place: tuple[int, int] = (1, 1)) -> None:
        super().__init__(id=f"message-{message.id}")
        self.message = message
        self.place = place
        """Which of how many branches this is."""

    @property
    def branches(self) -> str:
        """A mark where there are other branches."""
        at, count = self.place
        return f"← {at} of {count} →" if count > 1 else ""

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Only what can be done is offered."""
        if action == "branch":
            return self.place[1] > 1
        return True

    def action_neighbour(self, step: int) -> None:
        """Go to the message before or after."""
        self.post_message(self.Wanted(self, "previous" if step < 0 else "next"))

    def action_branch(self, step: int) -> None:
        """Show the branch beside this one."""
        self.post_message(self.Wanted(self, "branch-left" if step < 0 else "branch-right"))

    def action_copy(self) -> None:
        """Copy the whole text."""
        self.post_message(self.Wanted(self, "copy"))


class Question(MessageView):
    """What a person said."""

    BINDINGS: ClassVar[list[BindingType]] = [*QUESTION_KEYS]

    def compose(self) -> ComposeResult:
        """The text, as it was typed."""
        yield Static(self._text(whole=False), classes="said", markup=False)
        if self.branches:
            yield Static(self.branches, classes="foot", markup=False)

    def _text(self, *, whole: bool) -> str:
        lines = harmless(self.message.content).split("\n")
        if whole or len(lines) <= _LONG:
            return "\n".join(lines)
        more = len(lines) - _LONG // 2
        return "\n".join([*lines[: _LONG // 2], f"… {more:,} more lines; enter shows them"])

    def action_unfold(self) -> None:
        """Show a long text whole."""
        self.query_one(".said", Static).update(Content(self._text(whole=True)))

    def action_edit(self) -> None:
        """Say something else in its place."""
        self.post_message(self.Wanted(self, "edit"))


class Thoughts(Vertical):
    """What a model thought before it spoke; one line until somebody wants to read it."""

    def compose(self) -> ComposeResult:
        """A line, and the text below it."""
        yield Static(classes="head", markup=False)
        yield Static(classes="text", markup=False)

    def show(self, text: str, *, thinking: bool, folded: bool) -> None:
        """Show thoughts as far as they have come."""
        mark = "▸" if folded else "▾"
        words = f"{len(text.split()):,} words"
        self.query_one(".head", Static).update(
            f"{mark} thinking, {words} so far" if thinking else f"{mark} thought for {words}"
        )
        body = self.query_one(".text", Static)
        body.display = not folded
        if not folded:
            body.update(harmless(text))

    async def on_click(self) -> None:
        """Fold or unfold."""
        if isinstance(self.parent, Answer):
            await self.parent.action_thoughts()


class Answer(MessageView):
    """An answer, on its way or whole."""

    BINDINGS: ClassVar[list[BindingType]] = [*ANSWER_KEYS]

    def __init__(
        self, message: Message, place: tuple[int, int], *, tinted: bool, running: bool
    ) -> None:
        super().__init__(message, place)
        self.tinted, self.running = tinted, running
        self._thoughts, self._prose, self._tokens = Thoughts(), Prose(), Tinted()
        self._foot = Static(classes="foot")
        self._unfolded = False
        self._drawing = asyncio.Lock()

    def compose(self) -> ComposeResult:
        """Thoughts, text, figures; what there is not is not shown."""
        yield from (self._thoughts, self._prose, self._tokens, self._foot)

    async def on_mount(self) -> None:
        """Show what there is."""
        await self.draw()

    async def grow(self, message: Message) -> None:
        """Show more of an answer on its way."""
        self.message = message
        await self.draw()

    async def finish(self, message: Message) -> None:
        """Show an answer that has ended, drawn once as a whole."""
        self.message, self.running = message, False
        await self.draw()

    async def set_tinted(self, tinted: bool) -> None:
        """Show guesses in colour, or well set text."""
        self.tinted = tinted
        await self.draw()

    async def draw(self) -> None:
        """Bring the screen up to date with the message."""
        if self._foot.is_attached:  # else it is too early, and `on_mount` will
            async with self._drawing:
                await self._draw()

    async def _draw(self) -> None:
        message = self.message
        parts = split_thoughts(message.content)
        thoughts, prose, tinted = self._thoughts, self._prose, self._tokens
        showing_tint = self.tinted and bool(message.origins)  # all of it, thoughts too
        thoughts.display = bool(parts.thoughts or parts.thinking) and not showing_tint
        if thoughts.display:
            thoughts.show(parts.thoughts, thinking=parts.thinking, folded=not self._unfolded)
        tinted.display, prose.display = showing_tint, not showing_tint and bool(parts.answer)
        if showing_tint:
            text = harmless(message.content)
            whole = len(text) == len(message.content)
            await tinted.show(
                tint.blocks(text, message.origins if whole else (), colour=self._colour)
            )
        elif parts.answer:
            draw = prose.grow if self.running else prose.show
            await draw(harmless(parts.answer))
        self._draw_foot()

    @property
    def _colour(self) -> bool:
        """Whether there are colours that can be mixed with the background."""
        return not (self.app.no_color or self.app.native_ansi_color)

    def _draw_foot(self) -> None:
        foot, message = self._foot, self.message
        if self.running:
            foot.display = self.tinted and message.figures is not None
            if message.figures and self.tinted:
                foot.update(tint.legend(message.figures, colour=self._colour))
            return
        width = self.content_size.width or self.app.size.width - 8
        figures = message.figures
        foot.display = True
        if figures and self.tinted and message.origins:
            foot.update(tint.legend(figures, colour=self._colour))
        else:
            parts = footnote(figures or Figures(), message.finish_reason, message.seed)
            mark = [Part(self.branches, 0)] if self.branches else []
            foot.update(line_of([*mark, *parts], width))

    def on_resize(self) -> None:
        """The line of figures fits the new width."""
        if not self.running and self._foot.is_attached:
            self._draw_foot()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Only what can be done is offered."""
        if action == "copy_code":
            return "```" in self.message.content or "~~~" in self.message.content
        if action == "thoughts":
            return bool(split_thoughts(self.message.content).thoughts)
        return super().check_action(action, parameters)

    def action_copy_code(self) -> None:
        """Copy the code of the answer."""
        self.post_message(self.Wanted(self, "copy-code"))

    def action_again(self) -> None:
        """Have the question answered once more."""
        self.post_message(self.Wanted(self, "again"))

    async def action_thoughts(self) -> None:
        """Fold or unfold the thoughts."""
        self._unfolded = not self._unfolded
        await self.draw()
