"""What can be typed after a slash, as data: name, argument, what it does, how it may go on.

The command palette and the help are made of the same table.
"""

from collections.abc import Awaitable, Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from localspec.errors import UsageError
from localspec.tui import choosing, deeds, themes
from localspec.tui.backend import Choice
from localspec.tui.knobs import KNOBS
from localspec.tui.screens.help import Help
from localspec.tui.widgets.prompt import Suggestion

if TYPE_CHECKING:
    from localspec.tui.app import Chat

__all__ = ["COMMANDS", "Command", "is_command", "palette", "question", "run", "suggest", "typed"]

Run = Callable[["Chat", str], Awaitable[None] | None]
Endings = Callable[["Chat"], Iterable[Choice]]


def _nothing(chat: "Chat") -> Iterable[Choice]:
    return ()


@dataclass(frozen=True)
class Command:
    """`argument` is how its argument is written in help: [optional], or in capitals; or empty.

    `endings` are arguments that make sense now, each with its meaning.
    """

    name: str
    argument: str
    meaning: str
    run: Run
    endings: Endings = _nothing

    @property
    def needs_argument(self) -> bool:
        """Whether it makes no sense alone."""
        return bool(self.argument) and not self.argument.startswith("[")


def _knobs(chat: "Chat") -> Iterable[Choice]:
    return [Choice(knob.name, knob.meaning) for knob in KNOBS]


def _modes(chat: "Chat") -> Iterable[Choice]:
    modes = (
        ("auto", "guess where it pays"),
        ("off", "never guess"),
        ("4", "always guess 4 tokens"),
    )
    return [Choice(*mode) for mode in modes]


def _themes(chat: "Chat") -> Iterable[Choice]:
    return themes.choices(chat.available_themes)


def _help(chat: "Chat", _: str) -> None:
    chat.push_screen(Help(COMMANDS, chat.keys))


COMMANDS = (
    Command("new", "", "begin a conversation", deeds.new),
    Command("chats", "", "open, search or delete conversations", deeds.chats),
    Command("again", "", "answer the last question once more", deeds.again),
    Command("copy", "", "copy the last answer", deeds.copy_last),
    Command("model", "[NAME]", "choose the model that answers",
            choosing.model, lambda chat: chat.loader.models),
    Command("draft", "[NAME]", "choose the model that guesses",
            choosing.draft, lambda chat: chat.loader.drafts),
    Command("system", "[TEXT]", "instructions that come before the conversation",
            deeds.instruct),
    Command("set", "[NAME VALUE]", "temperature, seed and other settings",
            choosing.setting, _knobs),
    Command("speculation", "auto|off|N", "how far to guess ahead",
            choosing.speculation, _modes),
    Command("tint", "", "show who guessed which tokens", deeds.tint),
    Command("figures", "", "open or close the panel of figures", deeds.figures),
    Command("title", "TEXT", "rename this conversation", deeds.rename),
    Command("export", "[FILE]", "write this conversation to FILE (.md or .json)", deeds.export),
    Command("import", "FILE", "read a conversation from a JSON file", deeds.import_file),
    Command("theme", "[NAME]", "choose colours", choosing.theme, _themes),
    Command("help", "", "commands and keys", _help),
    Command("quit", "", "leave; everything is kept", deeds.leave),
)  # fmt: skip


def is_command(text: str) -> bool:
    """Whether a text is meant for the chat itself: `//` at the beginning is not."""
    return text.startswith("/") and not text.startswith("//")


def question(text: str) -> str:
    """What is asked where `text` is typed, which is no command."""
    return text.removeprefix("/") if text.startswith("//") else text


def typed(question: str) -> str:
    """What has to be typed to ask a question."""
    return f"/{question}" if question.startswith("/") else question


def run(chat: "Chat", line: str) -> Awaitable[None] | None:
    """Do what `/name argument` says. Raises UsageError where there is no such command."""
    name, _, argument = line[1:].strip().partition(" ")
    matches = [c for c in COMMANDS if c.name == name] or [
        c for c in COMMANDS if name and c.name.startswith(name)
    ]
    if len(matches) != 1:
        raise UsageError(f"There is no command /{name}; /help lists them.")
    command = matches[0]
    if command.needs_argument and not argument.strip():
        raise UsageError(f"/{command.name} needs {command.argument} after it.")
    return command.run(chat, argument.strip())


def palette(chat: "Chat") -> Iterator[tuple[str, str, Callable[[], Awaitable[None] | None]]]:
    """Name, meaning and deed of what needs no argument, and of all colours."""
    for command in COMMANDS:
        if not command.needs_argument:
            yield command.name.capitalize(), command.meaning, partial(command.run, chat, "")
    for name, meaning, *_ in _themes(chat):
        yield f"Theme {name}", meaning, partial(choosing.theme, chat, name)


def suggest(chat: "Chat", text: str) -> list[Suggestion]:
    """How a line may go on; nothing where it is not a command."""
    if not is_command(text) or "\n" in text:
        return []
    name, space, argument = text[1:].partition(" ")
    if not space:
        return [
            Suggestion(f"/{c.name}", c.meaning, not c.argument or not list(c.endings(chat)))
            for c in COMMANDS
            if c.name.startswith(name.lower())
        ]
    return [
        Suggestion(f"/{c.name} {ending}", meaning, c.name != "set")
        for c in COMMANDS
        if c.name == name.lower()
        for ending, meaning, *_ in c.endings(chat)
        if ending.lower().startswith(argument.lower())
    ]
