"""What the commands do with the chat. Each raises LocalspecError where it cannot be done.

What a command does takes its argument, which is empty where it has none.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from localspec.console import harmless
from localspec.errors import UsageError
from localspec.tui import exchange
from localspec.tui.screens.chats import Chats
from localspec.tui.text import code_blocks, shorten
from localspec.tui.thinking import split_thoughts
from localspec.tui.widgets.message import MessageView

if TYPE_CHECKING:
    from localspec.tui.app import Chat

__all__ = [
    "again",
    "chats",
    "copy",
    "copy_last",
    "export",
    "figures",
    "fulfil",
    "import_file",
    "instruct",
    "leave",
    "new",
    "rename",
    "tint",
]


async def new(chat: "Chat", _: str) -> None:
    """Begin a conversation."""
    await chat.go(chat.session.new)


async def again(chat: "Chat", _: str) -> None:
    """Have the last question answered once more."""
    await chat.turns.again()


def chats(chat: "Chat", _: str) -> None:
    """All conversations; the one that is chosen is opened."""
    store = chat.session.store

    async def chosen(conversation: int | None) -> None:
        before = chat.session.conversation
        if conversation is not None:
            await chat.go(lambda: chat.session.open(conversation))
        elif before is not None and not store.exists(before):
            await chat.go(chat.session.new)
        else:
            chat.show_title()

    chat.push_screen(Chats(store), chosen)


def copy(chat: "Chat", text: str) -> None:
    """Put a text into the clipboard, through the terminal; it may be pasted into one."""
    text = harmless(text)
    if not text:
        raise UsageError("There is nothing to copy.")
    chat.copy_to_clipboard(text)
    chat.say(f"Copied: {shorten(text, 40)}")


def copy_last(chat: "Chat", _: str) -> None:
    """Copy the last answer."""
    answers = [m for m in chat.session.tree.path() if m.role == "assistant"]
    copy(chat, split_thoughts(answers[-1].content).answer if answers else "")


async def fulfil(chat: "Chat", view: MessageView, what: str) -> None:
    """Do with a message what was wanted at it."""
    message, conversation = view.message, chat.conversation
    match what:
        case "previous":
            (conversation.neighbour(view, -1) or view).focus()
        case "next":
            (conversation.neighbour(view, 1) or chat.prompt.typing).focus()
        case "branch-left":
            await chat.turns.switch(message, -1)
        case "branch-right":
            await chat.turns.switch(message, 1)
        case "copy":
            copy(chat, split_thoughts(message.content).answer)
        case "copy-code":
            copy(chat, "\n\n".join(code_blocks(message.content)))
        case "again":
            await chat.turns.again(message.id)
        case "edit":
            chat.turns.edit(message)


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


async def tint(chat: "Chat", _: str) -> None:
    """Show who guessed which tokens, or not."""
    tinted = not chat.conversation.tinted
    await chat.conversation.set_tinted(tinted)
    chat.keeping.prefer(tint=tinted)


def figures(chat: "Chat", _: str) -> None:
    """Open or close the panel of figures."""
    chat.window.figures_open = is_open = not chat.window.figures_open
    chat.show_figures()
    chat.keeping.prefer(figures=is_open)


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
    path = _path(file) if file else exchange.free_path(Path.cwd(), title)
    written = exchange.write(path, title, session.system, session.tree)
    chat.say(f"Written to {written}.")


async def import_file(chat: "Chat", file: str) -> None:
    """Read a conversation from a JSON file, and show it."""
    title, system, tree = exchange.read(_path(file))
    conversation = chat.session.store.import_tree(title, system, tree)
    await chat.go(lambda: chat.session.open(conversation))


def leave(chat: "Chat", _: str) -> None:
    """End the chat."""
    chat.exit()


def _path(file: str) -> Path:
    """A path as a person types it."""
    try:
        return Path(file).expanduser()
    except RuntimeError:
        raise UsageError(f"Nobody here has the folder {file} begins with; write it out.") from None
