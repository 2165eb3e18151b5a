"""Where a person types: lines that grow, what was asked before, and commands that complete."""

from collections.abc import Callable
from typing import ClassVar, NamedTuple

from textual import events
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message as Event
from textual.widgets import OptionList, TextArea
from textual.widgets.option_list import Option

from localspec.tui.keys import PROMPT_KEYS
from localspec.tui.text import shorten

__all__ = ["Prompt", "Suggestion"]


class Suggestion(NamedTuple):
    """How a line that begins with / can go on: the whole line then, and what it would do."""

    line: str
    meaning: str
    finished: bool = True
    """Whether it can be sent as it is."""


class Typing(TextArea):
    """The text. Enter sends it; the arrow keys leave it for what was typed before."""

    BINDINGS: ClassVar[list[BindingType]] = [*PROMPT_KEYS]

    def __init__(self, prompt: "Prompt") -> None:
        super().__init__(
            id="typing",
            compact=True,
            highlight_cursor_line=False,
            placeholder="Ask, or / for commands",
        )
        self._prompt = prompt  # called, not told by messages: the next key may be on its way

    async def _on_key(self, event: events.Key) -> None:
        if event.key == "enter":
            event.stop()
            event.prevent_default()
            self._prompt.enter()
            return
        active = None if event.is_printable else self.screen.active_bindings.get(event.key)
        if active and active.node is self:  # done at once, else the next key may overtake it
            event.stop()
            event.prevent_default()
            await self.run_action(active.binding.action)
            return
        await super()._on_key(event)

    def action_line(self) -> None:
        """Begin a new line."""
        self.insert("\n")

    def action_complete(self) -> None:
        """Take the suggestion."""
        self._prompt.complete()

    def action_cursor_up(self, select: bool = False) -> None:
        """Up, and beyond the first line to what was typed before."""
        if self.cursor_at_first_line and not select:
            self._prompt.move(-1)
        else:
            super().action_cursor_up(select)

    def action_cursor_down(self, select: bool = False) -> None:
        """Down, and beyond the last line to what was typed after."""
        if self.cursor_at_last_line and not select:
            self._prompt.move(1)
        else:
            super().action_cursor_down(select)

    def action_cursor_page_up(self) -> None:
        """Up by a page: of the text, or where all of it is seen, of the conversation."""
        if self.max_scroll_y:
            super().action_cursor_page_up()
        else:
            self._prompt.post_message(Prompt.Paged(-1))

    def action_cursor_page_down(self) -> None:
        """Down by a page."""
        if self.max_scroll_y:
            super().action_cursor_page_down()
        else:
            self._prompt.post_message(Prompt.Paged(1))


class Prompt(Vertical):
    """The text being typed, and above it how a command may go on."""

    class Sent(Event):
        """A text is finished."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    class Changed(Event):
        """Something was typed."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    class Paged(Event):
        """Somebody wants to see what is further up, or down."""

        def __init__(self, step: int) -> None:
            super().__init__()
            self.step = step

    def __init__(self, suggest: Callable[[str], list[Suggestion]]) -> None:
        super().__init__()
        self.past: list[str] = []
        """What was asked before, as it is typed, the oldest first; none of it is a command."""
        self.typing = Typing(self)
        self._suggest = suggest
        self._suggestions: list[Suggestion] = []
        self._at: int | None = None
        self._edited: dict[int | None, str] = {}  # what stood there, by place in the past

    def compose(self) -> ComposeResult:
        """Suggestions, then the text."""
        yield OptionList(id="suggestions")
        yield self.typing

    def on_mount(self) -> None:
        """Suggestions are looked at from here; the keys stay with the text."""
        self._list.can_focus = False
        self._list.display = False

    @property
    def _list(self) -> OptionList:
        return self.query_one("#suggestions", OptionList)

    @property
    def text(self) -> str:
        """What is typed."""
        return self.typing.text

    def put(self, text: str) -> None:
        """Have something stand there, the cursor at its end."""
        self.typing.text = text
        self.typing.move_cursor(self.typing.document.end)

    def give_back(self, text: str) -> None:
        """A text that was sent could not be taken: it stands there again, before what followed."""
        self.put(f"{text}\n{self.text}" if self.text else text)

    def on_text_area_changed(self, event: TextArea.Changed) -> None:
        """Suggest what fits."""
        event.stop()
        self._look()
        self.post_message(self.Changed(self.text))

    def _look(self) -> None:
        """Bring the suggestions up to date with the text."""
        suggestions = self._suggest(self.text)
        if suggestions != self._suggestions:
            self._offer(suggestions)

    def _offer(self, suggestions: list[Suggestion]) -> None:
        self._suggestions = suggestions
        shown = self._list
        shown.display = bool(suggestions)
        shown.clear_options()
        width = max((len(s.line) for s in suggestions), default=0) + 3
        room = max(4, self.content_size.width - width - 1)
        shown.add_options(
            Option(
                Content.assemble(
                    f"{s.line:<{width}}", (shorten(s.meaning, room), "$foreground-muted")
                )
            )
            for s in suggestions
        )
        shown.highlighted = 0 if suggestions else None

    @property
    def _chosen(self) -> Suggestion | None:
        at = self._list.highlighted
        return self._suggestions[at] if self._suggestions and at is not None else None

    def complete(self) -> None:
        """Tab takes the suggestion, or leaves the prompt."""
        self._look()
        chosen = self._chosen
        if chosen:
            self.put(f"{chosen.line} ")
        else:
            self.screen.focus_next()

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """A click takes a suggestion too."""
        event.stop()
        self._take(self._suggestions[event.option_index])

    def _take(self, suggestion: Suggestion) -> None:
        self.put(suggestion.line + ("" if suggestion.finished else " "))
        self.typing.focus()

    def enter(self) -> None:
        """Enter sends, or takes a suggestion first that is not what stands there."""
        self._look()
        chosen = self._chosen
        if chosen and chosen.line != self.text.rstrip():
            self._take(chosen)
            if not chosen.finished:
                return
        text = self.text
        if text.strip():
            self._at, self._edited = None, {}
            self.put("")  # at once: what is typed from now on is another text
            self.post_message(self.Sent(text))

    def move(self, step: int) -> None:
        """Arrow keys: among suggestions, else among what was asked before."""
        self._look()
        if self._suggestions:
            at = (self._list.highlighted or 0) + step
            self._list.highlighted = at % len(self._suggestions)
            return
        end = len(self.past)
        to = (end if self._at is None else self._at) + step
        if 0 <= to <= end:
            self._edited[self._at] = self.text
            self._at = to if to < end else None
            self.put(self._edited.get(self._at, self.past[to] if to < end else ""))
