"""The chat: a session on a screen."""

import contextlib
from collections.abc import Awaitable, Callable, Iterable, Sequence
from functools import partial
from typing import Any, ClassVar, Literal

from textual.app import App, ComposeResult, SystemCommand
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.filter import LineFilter
from textual.message import Message as Event
from textual.screen import Screen
from textual.widgets import Footer, Markdown, Static

from localspec.console import harmless
from localspec.errors import LocalspecError, UsageError
from localspec.tui import commands, deeds, themes
from localspec.tui.backend import Backend, Choice, Source
from localspec.tui.figures import Part
from localspec.tui.keeping import Keeping
from localspec.tui.keys import KEYS
from localspec.tui.loader import Loader
from localspec.tui.plain import PLAIN
from localspec.tui.progress import Progress
from localspec.tui.screens.chats import Chats
from localspec.tui.screens.help import Help
from localspec.tui.screens.settings import Settings
from localspec.tui.session import Session
from localspec.tui.store import Message, Store, Summary
from localspec.tui.text import code_blocks, shorten
from localspec.tui.thinking import split_thoughts
from localspec.tui.widgets.conversation import Conversation
from localspec.tui.widgets.message import MessageView
from localspec.tui.widgets.panel import Panel
from localspec.tui.widgets.prompt import Prompt
from localspec.tui.widgets.strip import Strip
from localspec.tui.widgets.welcome import Welcome

__all__ = ["Chat"]

_IDLE_SECONDS = 1.0
Severity = Literal["information", "warning", "error"]


class Chat(App[None]):
    """Talks to a model of `source`, and keeps everything in `store`.

    `dark` is what the terminal is, `typed` what was typed before there was a prompt.
    """

    CSS_PATH = "chat.tcss"
    TITLE = "localspec"
    ENABLE_COMMAND_PALETTE = True
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (100, "-wide")]  # noqa: RUF012
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
        self.session = Session(store)
        self.source = source
        self.model, self.draft = model, draft
        self._resume = resume
        self._keys = keys or {}
        self.keeping = Keeping(self.session, self.notice, trouble or "")
        self._loader = Loader(source, self._tell)
        self.progress = Progress(self, self.session, self._loader)
        self._editing: int | None = None
        self.models: list[Choice] = []
        self.drafts: list[Choice] = []

    # The screen -----------------------------------------------------------------------------

    def compose(self) -> ComposeResult:
        """Title, conversation, prompt, figures, keys."""
        with Horizontal(id="top"):
            yield Static(id="title", markup=False)
            yield Static(id="model", markup=False)
        with Horizontal(id="middle"):
            with Vertical(id="column"):
                yield Conversation()
                with Vertical(id="below"):
                    yield Static(id="notice", markup=False)
                    yield Prompt(lambda text: commands.suggest(self, text))
                    yield Strip()
            yield Panel(id="figures")
        yield Footer(compact=True, show_command_palette=False)

    async def on_mount(self) -> None:
        """Show what was there the last time, and load the model beside it."""
        self.register_theme(themes.DARK)
        self.register_theme(themes.LIGHT)
        self.set_keymap(self._keys)
        unknown: dict[str, Any] = {}
        preferences = self.keeping.known(self.session.store.preferences, unknown)
        self.paint(str(preferences.get("theme")))
        self.session.choices = dict(preferences.get("choices", {}))
        self.conversation.tinted = bool(preferences.get("tint", False))
        self._main.set_class(bool(preferences.get("figures", False)), "-figures")
        self.notice(self.keeping.trouble)
        latest = self._latest() if self._resume else []
        if latest:
            await self.attempt(lambda: self.session.open(latest[0].id))
        self.prompt.past = self.keeping.known(self.session.store.prompts, [])
        await self._go_there()
        if self._typed:
            self.prompt.put(self.prompt.text + harmless(self._typed))
        self.load(self.model, self.draft)
        self.set_interval(_IDLE_SECONDS, self._retry)

    def get_line_filters(self) -> Sequence[LineFilter]:
        """Whatever is drawn, and by whichever widget, is made harmless last."""
        return [*super().get_line_filters(), PLAIN]

    @property
    def _main(self) -> Screen[object]:
        """The chat itself, whatever lies over it."""
        return self.screen_stack[0]

    @property
    def conversation(self) -> Conversation:
        """The messages."""
        return self._main.query_one(Conversation)

    @property
    def prompt(self) -> Prompt:
        """Where one types."""
        return self._main.query_one(Prompt)

    @property
    def strip(self) -> Strip:
        """The line of figures."""
        return self._main.query_one(Strip)

    def notice(self, sentence: str = "") -> None:
        """A sentence above the prompt that stays until there is another, or none."""
        line = self._main.query_one("#notice", Static)
        line.update(sentence)
        line.set_class(bool(sentence), "-shown")

    async def show_conversation(self) -> None:
        """Draw the session's conversation."""
        self.progress.lose()
        running = self.session.running
        self.conversation.running = running.message.id if running else None
        await self.conversation.show(
            self.session.tree, [Welcome(self.source.promise, self._latest()[:3])]
        )
        self.show_title()
        self.show_figures()
        self.refresh_bindings()
        self.progress.rest()
        self.prompt.typing.focus()

    def show_title(self) -> None:
        """What the conversation is called, and who answers."""
        conversation = self.session.conversation
        title = "localspec"
        if conversation is not None:
            title = self.keeping.known(lambda: self.session.store.title(conversation), title)
        self._main.query_one("#title", Static).update(title)
        backend = self.session.backend
        model = backend.name if backend else f"{self.model} …" if self._loader.what else "no model"
        self._main.query_one("#model", Static).update(shorten(model, 32))

    def show_figures(self) -> None:
        """Bring the panel up to date, where it is open."""
        if self._main.has_class("-figures"):
            self._main.query_one(Panel).show(self.progress.figures())

    # The model ------------------------------------------------------------------------------

    def load(self, model: str, draft: str) -> None:
        """Have another model answer from now on."""
        self.model, self.draft = model, draft
        self.session.leave()
        old, self.session.backend = self.session.backend, None
        self._loader.load(model, draft, old)
        self.show_title()
        self.progress.wake()

    def _tell(self, backend: Backend | None, failure: LocalspecError | None) -> None:
        with contextlib.suppress(OSError):  # what cannot be listed cannot be chosen
            self.models = list(self.source.models())
        self.post_message(self.Loaded(backend, failure))
        with contextlib.suppress(OSError):
            self.drafts = list(self.source.drafts(self.model))

    async def on_chat_loaded(self, event: Loaded) -> None:
        """There is a model, or a reason why not."""
        backend = event.backend
        if backend is None:
            self.notice(f"{event.failure} Choose another model with /model.")
        else:
            self.notice(" ".join(backend.notes) or self.keeping.trouble)
        with contextlib.suppress(LocalspecError):  # `_retry` tries again
            self.session.attach(backend)
        self.show_title()
        self.progress.rest()
        await self.progress.follow()

    # Turns ----------------------------------------------------------------------------------

    async def on_prompt_sent(self, event: Prompt.Sent) -> None:
        """A command, a question, or an edited question."""
        text = event.text
        if commands.is_command(text):
            await self.attempt(lambda: commands.run(self, text))
        elif self.session.running:
            self.prompt.give_back(text)
            self.say("The answer is still coming; esc stops it.")
        else:
            question = text.removeprefix("/") if text.startswith("//") else text
            if not await self.attempt(lambda: self._send(question)):
                self.prompt.give_back(text)

    async def _send(self, text: str) -> None:
        editing, before = self._editing, self.session.conversation
        if editing is not None:
            message = self.session.edit(editing, text)
            self._end_editing()
        else:
            message = self.session.send(text)
            self.keeping.sent(before)
            self.keeping.typed(self.prompt.text)
        self.prompt.past.append(text)
        if self.session.backend or self._loader.what:  # else it says why there is no model
            self.notice(self.keeping.trouble)
        if before is None or editing is not None:
            await self.show_conversation()
        else:
            await self.conversation.add(message)
        await self.progress.follow()

    async def _retry(self) -> None:
        """Once a second."""
        self.keeping.catch_up()
        if self.session.awaiting is not None and self.session.backend:
            with contextlib.suppress(LocalspecError):
                self.session.attach(self.session.backend)
                await self.progress.follow()

    def on_prompt_changed(self, event: Prompt.Changed) -> None:
        """What is typed is kept within a second."""
        if self._editing is None and not commands.is_command(event.text):
            self.keeping.typed(event.text)

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

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Only what can be done now is offered."""
        if action == "escape":
            return self.session.running is not None or self._editing is not None
        if action == "again":
            return self.session.running is None and bool(self.session.tree.messages)
        return True

    # Keys -----------------------------------------------------------------------------------

    async def action_escape(self) -> None:
        """Stop the answer; else give up editing; else go back to the prompt."""
        if self.session.running:
            self.session.stop()
        elif self._editing is not None:
            self._end_editing()
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

    async def action_again(self) -> None:
        """Answer the last question once more, on a branch of its own."""
        await self.attempt(self._again)

    async def _again(self) -> None:
        if not self.session.again():
            raise UsageError("There is nothing to answer again yet.")
        await self.show_conversation()
        await self.progress.follow()

    async def action_new(self) -> None:
        """Begin a conversation."""
        self.keeping.catch_up()
        await self.attempt(self.session.new)
        await self._go_there()

    async def _go_there(self) -> None:
        """Another conversation is open: draw it, and what is typed in it."""
        self._end_editing()
        await self.show_conversation()

    async def open(self, conversation: int) -> None:
        """Show another conversation."""
        self.keeping.catch_up()
        await self.attempt(lambda: self.session.open(conversation))
        await self._go_there()

    def action_chats(self) -> None:
        """All conversations."""
        self.push_screen(Chats(self.session.store), self._chosen_chat)

    async def _chosen_chat(self, chosen: int | None) -> None:
        open_now = self.session.conversation
        if chosen is not None:
            await self.open(chosen)
        elif open_now is not None and not self.session.store.exists(open_now):
            await self.action_new()
        else:
            self.show_title()

    async def action_tint(self) -> None:
        """Show who guessed which tokens, or not."""
        tinted = not self.conversation.tinted
        await self.conversation.set_tinted(tinted)
        self.keeping.prefer(tint=tinted)

    def action_figures(self) -> None:
        """Open or close the panel of figures."""
        self._main.toggle_class("-figures")
        self.show_figures()
        self.keeping.prefer(figures=self._main.has_class("-figures"))

    def action_models(self) -> None:
        """Choose a model."""
        deeds.choose_model(self, "")

    def action_settings(self) -> None:
        """Sampling and guessing."""
        self.push_screen(Settings(self.session.choices), lambda _: self.settled())

    def settled(self) -> None:
        """Settings were changed."""
        self.progress.rest()
        self.keeping.prefer(choices=self.session.choices)

    def action_help(self) -> None:
        """Commands and keys."""
        self.push_screen(Help(self._keys))

    def get_system_commands(self, screen: Screen[Any]) -> Iterable[SystemCommand]:
        """What the palette offers."""
        return (
            SystemCommand(name, meaning, partial(self.attempt, deed))
            for name, meaning, deed in commands.palette(self)
        )

    # What is done with a message ------------------------------------------------------------

    async def on_message_view_wanted(self, event: MessageView.Wanted) -> None:
        """Something is to be done with a message."""
        await self.attempt(lambda: self._fulfil(event))

    async def _fulfil(self, event: MessageView.Wanted) -> None:
        view, message = event.view, event.view.message
        match event.what:
            case "previous" | "next":
                step = -1 if event.what == "previous" else 1
                neighbour = self.conversation.neighbour(view, step)
                (neighbour or self.prompt.typing if step > 0 else neighbour or view).focus()
            case "branch-left" | "branch-right":
                if self.session.switch(message.id, -1 if event.what == "branch-left" else 1):
                    await self._show_branch(message)
            case "copy":
                deeds.copy(self, split_thoughts(message.content).answer)
            case "copy-code":
                deeds.copy(self, "\n\n".join(code_blocks(message.content)))
            case "again":
                self.session.tree.head = message.id
                await self.action_again()
            case "edit":
                self._begin_edit(message)

    async def _show_branch(self, before: Message) -> None:
        """The branch that was switched to, with the place in focus where it parted."""
        await self.show_conversation()
        for view in self.conversation.views:
            if view.message.parent == before.parent:
                view.focus()

    def _begin_edit(self, message: Message) -> None:
        if self.session.running:
            self.say("The answer is still coming; esc stops it.")
            return
        self.keeping.catch_up()
        self._editing = message.id
        self.prompt.add_class("-editing")
        self.refresh_bindings()
        self.prompt.put(message.content)
        self.prompt.typing.focus()
        self.strip.rest([Part("editing: enter asks anew, on a branch of its own", 0)])

    def _end_editing(self) -> None:
        """What was typed before comes back."""
        self._editing = None
        self.prompt.remove_class("-editing")
        self.prompt.put(self.keeping.draft())
        self.refresh_bindings()

    # Preferences ----------------------------------------------------------------------------

    def _latest(self) -> list[Summary]:
        return self.keeping.known(self.session.store.summaries, [])

    def paint(self, theme: str) -> None:
        """Take the colours of that name; those that fit the terminal where there are none."""
        known = theme in self.available_themes
        self.theme = theme if known else themes.fitting(self._dark).name

    async def on_markdown_link_clicked(self, event: Markdown.LinkClicked) -> None:
        """A model's links are shown, never followed by themselves."""
        address = "".join(event.href.split())  # Textual has decoded %0a in it
        await self.attempt(lambda: deeds.copy(self, address))

    def on_unmount(self) -> None:
        """Keep everything."""
        self.keeping.leave()
