"""Choosing: models, drafts, colours, settings; from a list where no name is given.

Each raises LocalspecError where what was named is not there.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING

from localspec.errors import UsageError
from localspec.tui import knobs, themes
from localspec.tui.backend import Choice
from localspec.tui.screens.picker import Picker
from localspec.tui.screens.settings import Settings

if TYPE_CHECKING:
    from localspec.tui.app import Chat

__all__ = ["draft", "model", "setting", "speculation", "theme"]


def model(chat: "Chat", name: str) -> Awaitable[None] | None:
    """Load another model, with the draft that was made for it."""
    if name:
        return _load(chat, name, "auto")
    hint = "The path of any GGUF file can be typed too."
    explain = chat.source.explain
    _pick(chat, "Which model shall answer?", chat.loader.models, model, hint, explain)
    return None


def draft(chat: "Chat", name: str) -> Awaitable[None] | None:
    """Have another model guess."""
    if name:
        return _load(chat, chat.loader.model, name)
    _pick(chat, "Which model shall guess?", chat.loader.drafts, draft)
    return None


async def _load(chat: "Chat", model: str, draft: str) -> None:
    """Load these; the model that is there goes only when it is clear that there is another."""
    await asyncio.to_thread(chat.source.check, model, draft)
    chat.load(model, draft)


def theme(chat: "Chat", name: str) -> None:
    """Change the colours."""
    if not name:
        _pick(chat, "Which colours?", themes.choices(chat.available_themes), theme)
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


def setting(chat: "Chat", argument: str) -> None:
    """Change a setting, `name value`; without a value it goes back to its default."""
    name, _, value = argument.partition(" ")
    choices = chat.session.choices
    if not name:
        chat.push_screen(Settings(choices), lambda _: _settled(chat))
        return
    known = knobs.knob(name)
    if value.strip() in ("", "default"):
        choices.pop(known.name, None)
        chat.say(f"{known.name} is as by default.")
    else:
        choices[known.name] = knobs.parse(known.name, value)
        chat.say(f"{known.name} is {value.strip()}.")
    _settled(chat)


def speculation(chat: "Chat", value: str) -> None:
    """Change how far is guessed ahead."""
    setting(chat, f"speculation {value}")


def _settled(chat: "Chat") -> None:
    chat.progress.rest()
    chat.keeping.prefer(choices=chat.session.choices)
