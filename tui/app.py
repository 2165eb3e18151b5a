"""The chat: a session on a screen. Here its parts meet; each does its own work."""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from functools import partial
from typing import Any, ClassVar, Literal

from textual import events
from textual.app import App, ComposeResult, SystemCommand
from textual.binding import BindingType
from textual.filter import LineFilter
from textual.message import Message as Event
from textual.screen import Screen
from textual.widgets import Markdown

from localspec.console import harmless
from localspec.errors import LocalspecError
from localspec.tui import commands, deeds, themes
from localspec.tui.backend import Backend, Source
from localspec.tui.keeping import Keeping
from localspec.tui.keys import KEYS
from localspec.tui.loader import Loader
from localspec.tui.outside import heed_signals
from localspec.tui.plain import PLAIN
from localspec.tui.progress import Progress
from localspec.tui.session import Session
from localspec.tui.store import Store, Summary
from localspec.tui.turns import Turns
from localspec.tui.widgets.conversation import Conversation
from localspec.tui.widgets.message import MessageView
from localspec.tui.widgets.prompt import Prompt
from localspec.tui.widgets.welcome import Welcome
from localspec.tui.window import Window

__all__ = ["Chat"]

_IDLE_SECONDS = 1.0
_LATELY = 3  # conversations that are named where none is open
Severity = Literal["information", "warning", "error"]


class Chat(App[None]):
    """Talks to a model of `source`, and keeps everything in `store`.

    `dark` is what the terminal is, `typed` what was typed before there was a prompt.
    """

    CSS_PATH = "chat.tcss"
    TITLE = "localspec"
    ENABLE_COMMAND_PALETTE = True
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (100, "-wide")]  # noqa: RUF012
    VERTICAL_BREAKPOINTS = [(0, "-short"), (20, "-low"), (36, "-high")]  # noqa: RUF012
    BINDINGS: ClassVar[list[BindingType]] = [*KEYS]

    class Loaded(Event):
        """A model is there, or why it is not."""

        def __init__(self, backend: Backend | None, failure: LocalspecError | None) -> None:
            super().__init__()
            self.backend, self.failure = backend, failure

    def __init__(
        self,
        store: Store,
        source: Source,
        *,
        model: str = "shell",
        draft: str = "auto",
        resume: bool = False,
        keys: dict[str, str] | None = None,
        trouble: str | None = None,
        dark: bool | None = None,
        typed: str = "",
    ) -> None:
        super().__init__()
        self._dark, self._typed = dark, typed
        self._first, self._resume = (model, draft), resume
        self.source, self.keys = source, keys or {}
        self.session = Session(store)
        self.window = Window(partial(commands.suggest, self))
        self.keeping = Keeping(self.session, self.window.notice, trouble or "")
        self.loader: Loader = Loader(source, self._tell)
        self.progress = Progress(self, self.session, self.loader)
        self.turns = Turns(self)

    # The screen -----------------------------------------------------------------------------

    def compose(self) -> ComposeResult:
        """What lies below all sheets."""
        yield self.window

    @property
    def conversation(self) -> Conversation:
        """The messages."""
        return self.window.conversation

    @property
    def prompt(self) -> Prompt:
        """Where one types."""
        return self.window.prompt

    async def on_mount(self) -> None:
        """Show what was there the last time, and load the model beside it."""
        heed_signals(self._end)
        self.register_theme(themes.DARK)
        self.register_theme(themes.LIGHT)
        self.set_keymap(self.keys)
        self.keeping.notice()
        self._prefer(self.keeping.known(self.session.store.preferences, {}))
        latest = self._latest() if self._resume else []
        if latest:
            await self.attempt(lambda: self.session.open(latest[0].id))
        asked: list[str] = self.keeping.known(self.session.store.prompts, [])
        self.prompt.past = [commands.typed(question) for question in asked]
        self.turns.end_editing()
        await self.show_conversation()
        if self._typed:
            self.prompt.put(self.prompt.text + harmless(self._typed))
        self.load(*self._first)
        self.set_interval(_IDLE_SECONDS, self.turns.retry)

    def _prefer(self, preferences: dict[str, Any]) -> None:
        """Be as a person had it the last time."""
        self.paint(str(preferences.get("theme")))
        self.session.choices = dict(preferences.get("choices", {}))
        self.conversation.tinted = bool(preferences.get("tint", False))
        self.window.figures_open = bool(preferences.get("figures", False))

    def paint(self, theme: str) -> None:
        """Take the colours of that name; those that fit the terminal where there are none."""
        known = theme in self.available_themes
        self.theme = theme if known else themes.fitting(self._dark).name

    def get_line_filters(self) -> Sequence[LineFilter]:
        """Whatever is drawn, and by whichever widget, is made harmless last."""
        return [*super().get_line_filters(), PLAIN]

    async def show_conversation(self) -> None:
        """Draw the session's conversation."""
        self.progress.lose()
        running = self.session.running
        self.conversation.running = running.message.id if running else None
        await self.conversation.show(
            self.session.tree, [Welcome(self.source.promise, self._latest())]
        )
        self.show_title()
        self.show_figures()
        self.refresh_bindings()
        self.progress.rest()
        self.prompt.typing.focus()

    def _latest(self) -> list[Summary]:
        return self.keeping.known(lambda: self.session.store.summaries(limit=_LATELY), [])

    def show_title(self) -> None:
        """What the conversation is called, and who answers."""
        conversation, title = self.session.conversation, "localspec"
        if conversation is not None:
            title = self.keeping.known(lambda: self.session.store.title(conversation), title)
        backend, loading = self.session.backend, self.loader.loading
        model = backend.name if backend else f"{self.loader.model} …" if loading else "no model"
        self.window.show_title(title, model)

    def show_figures(self) -> None:
        """Bring the panel up to date."""
        self.window.show_figures(self.progress.figures())

    # Models and conversations ---------------------------------------------------------------

    def load(self, model: str, draft: str) -> None:
        """Have another model answer from now on."""
        self.session.leave()
        self.session.backend = None
        self.loader.load(model, draft)
        self.call_later(self.progress.settle)
        self.show_title()
        self.progress.wake()

    def _tell(self, backend: Backend | None, failure: LocalspecError | None) -> None:
        self.post_message(self.Loaded(backend, failure))

    async def on_chat_loaded(self, event: Loaded) -> None:
        """There is a model, or a reason why not."""
        if self.loader.loading:  # another one was asked for since
            return
        backend = event.backend
        if backend is None:
            self.keeping.notice(f"{event.failure} Choose another model with /model.")
        else:
            self.keeping.notice(" ".join(backend.notes))
        self.session.backend = backend
        self.show_title()
        self.progress.rest()
        await self.turns.retry()

    async def go(self, deed: Callable[[], None]) -> None:
        """Do what opens another conversation; draw it, and what is typed in it."""
        self.keeping.catch_up()
        await self.attempt(deed)
        self.turns.end_editing()
        await self.show_conversation()

    # What people do -------------------------------------------------------------------------

    async def attempt(self, deed: Callable[[], Awaitable[None] | None]) -> bool:
        """Do something a person asked for; what goes wrong is told in a sentence."""
        try:
            result = deed()
            if isinstance(result, Awaitable):
                await result
        except LocalspecError as error:
            self.say(str(error), "warning")
            return False
        return True

    def say(self, sentence: str, severity: Severity = "information") -> None:
        """A sentence that goes away by itself."""
        self.notify(sentence, severity=severity, markup=False)

    async def on_prompt_sent(self, event: Prompt.Sent) -> None:
        """A text is finished."""
        await self.turns.sent(event.text)

    def on_prompt_paged(self, event: Prompt.Paged) -> None:
        """Somebody looks further up, or down again."""
        if event.step < 0:
            self.conversation.scroll_page_up()
        else:
            self.conversation.scroll_page_down()

    def on_prompt_changed(self, event: Prompt.Changed) -> None:
        """Something was typed."""
        self.turns.typed(event.text)

    def on_key(self, event: events.Key) -> None:
        """What is typed while a message is chosen belongs to the prompt."""
        free = event.is_printable and event.key not in self.screen.active_bindings
        if free and event.character and isinstance(self.focused, MessageView):
            self.prompt.typing.focus()
            self.prompt.typing.insert(event.character)

    async def on_markdown_link_clicked(self, event: Markdown.LinkClicked) -> None:
        """A model's links are shown, never followed by themselves."""
        address = "".join(event.href.split())  # Textual has decoded %0a in it
        await self.attempt(lambda: deeds.copy(self, address))

    async def on_message_view_wanted(self, event: MessageView.Wanted) -> None:
        """Something is to be done with a message."""
        await self.attempt(lambda: deeds.fulfil(self, event.view, event.what))

    # Keys -----------------------------------------------------------------------------------

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Only what can be done now is offered."""
        if action == "escape":
            return self.session.running is not None or self.turns.editing
        if (action, *parameters) == ("command", "again"):
            return self.session.running is None and bool(self.session.tree.messages)
        return True

    async def action_command(self, name: str) -> None:
        """Do what a command does."""
        await self.attempt(lambda: commands.run(self, f"/{name}"))

    def action_escape(self) -> None:
        """Stop the answer; else give up editing; else go back to the prompt."""
        if self.session.running:
            self.session.stop()
        elif self.turns.editing:
            self.turns.end_editing()
            self.progress.rest()
        self.prompt.typing.focus()

    def action_interrupt(self) -> None:
        """Ctrl-C copies what is selected, stops an answer, and says how to leave."""
        selected = self.screen.get_selected_text()
        if selected:
            self.copy_to_clipboard(harmless(selected))
            self.say("Copied.")
        elif self.session.running:
            self.session.stop()
        else:
            self.say("Press ctrl+q to leave; everything is kept.")

    def get_system_commands(self, screen: Screen[Any]) -> Iterable[SystemCommand]:
        """What the palette offers."""
        return (
            SystemCommand(name, meaning, partial(self.attempt, deed))
            for name, meaning, deed in commands.palette(self)
        )

    def _end(self, code: int) -> None:
        self.exit(return_code=code)

    def on_unmount(self) -> None:
        """Keep everything, also what was typed last of all."""
        self.turns.typed(self.prompt.text)
        self.keeping.leave()
