"""What the commands do with the chat. Each raises LocalspecError where it cannot be done."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from localspec.console import harmless
from localspec.errors import UsageError
from localspec.tui import exchange, knobs, themes
from localspec.tui.backend import Choice
from localspec.tui.screens.picker import Picker
from localspec.tui.text import shorten
from localspec.tui.thinking import split_thoughts

if TYPE_CHECKING:
    from localspec.tui.app import Chat

__all__ = [
    "choose",
    "choose_draft",
    "choose_model",
    "choose_theme",
    "copy",
    "copy_last",
    "export",
    "import_file",
    "instruct",
    "rename",
]


def copy(chat: "Chat", text: str) -> None:
    """Put a text into the clipboard, through the terminal; it may be pasted into one."""
    text = harmless(text)
    if not text:
        raise UsageError("There is nothing to copy.")
    chat.copy_to_clipboard(text)
    chat.say(f"Copied: {shorten(text, 40)}")


def copy_last(chat: "Chat") -> None:
    """Copy the last answer."""
    answers = [m for m in chat.session.tree.path() if m.role == "assistant"]
    copy(chat, split_thoughts(answers[-1].content).answer if answers else "")


def choose(chat: "Chat", name: str, value: str) -> None:
    """Change a setting; without a value it goes back to its default."""
    known = knobs.knob(name)
    if value.strip() in ("", "default"):
        chat.session.choices.pop(known.name, None)
        chat.say(f"{known.name} is as by default.")
    else:
        chat.session.choices[known.name] = knobs.parse(known.name, value)
        chat.say(f"{known.name} is {value.strip()}.")
    chat.settled()


def choose_model(chat: "Chat", name: str) -> Awaitable[None] | None:
    """Load another model, with the draft that was made for it."""
    if name:
        return _load(chat, name, "auto")
    hint = "The path of any GGUF file can be typed too."
    explain = chat.source.explain
    _pick(chat, "Which model shall answer?", chat.models, choose_model, hint, explain)
    return None


def choose_draft(chat: "Chat", name: str) -> Awaitable[None] | None:
    """Have another model guess."""
    if name:
        return _load(chat, chat.model, name)
    _pick(chat, "Which model shall guess?", chat.drafts, choose_draft)
    return None


async def _load(chat: "Chat", model: str, draft: str) -> None:
    """Load these; the model that is there goes only when it is clear that there is another."""
    await asyncio.to_thread(chat.source.check, model, draft)
    chat.load(model, draft)


def choose_theme(chat: "Chat", name: str) -> None:
    """Change the colours."""
    if not name:
        _pick(chat, "Which colours?", themes.choices(chat.available_themes), choose_theme)
    elif name == themes.AUTO or name in chat.available_themes:
        chat.paint(name)
        chat.keeping.prefer(theme=name)
    else:
        raise UsageError(f"There is no theme {name!r}; /theme lists them.")


def _pick(
    chat: "Chat",
    question: str,
    choices: Sequence[Choice],
    deed: Callable[["Chat", str], Awaitable[None] | None],
    hint: str = "",
    explain: Callable[[str], str] | None = None,
) -> None:
    """Have a person choose, and do it with what was chosen."""

    async def chosen(name: str | None) -> None:
        if name:
            await chat.attempt(lambda: deed(chat, name))

    chat.push_screen(Picker(question, choices, hint, explain), chosen)


def instruct(chat: "Chat", text: str) -> None:
    """Set the instructions of this conversation, or say what they are."""
    if text:
        chat.session.instruct("" if text == "none" else text)
        chat.say("The next answer follows these instructions." if text != "none" else "None now.")
    else:
        system = chat.session.system
        chat.say(
            f"Instructions: {system}" if system else "No instructions; /system TEXT sets them."
        )


def rename(chat: "Chat", title: str) -> None:
    """Call the conversation otherwise."""
    if chat.session.conversation is None:
        raise UsageError("This conversation has not begun yet; ask something first.")
    chat.session.store.rename(chat.session.conversation, shorten(title, 200))
    chat.show_title()


def export(chat: "Chat", file: str) -> None:
    """Write the conversation to a file: Markdown the branch that is shown, JSON all of it."""
    session = chat.session
    if session.conversation is None:
        raise UsageError("This conversation is empty; there is nothing to export.")
    title = session.store.title(session.conversation)
    path = Path(file).expanduser() if file else exchange.free_path(Path.cwd(), title)
    written = exchange.write(path, title, session.system, session.tree)
    chat.say(f"Written to {written}.")


async def import_file(chat: "Chat", file: str) -> None:
    """Read a conversation from a JSON file, and show it."""
    title, system, tree = exchange.read(Path(file).expanduser())
    await chat.open(chat.session.store.import_tree(title, system, tree))
