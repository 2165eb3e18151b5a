"""From a command to a chat on the screen: the store, the keys, where models come from."""

from pathlib import Path

from localspec import folders
from localspec.arguments import settings
from localspec.errors import LocalspecError
from localspec.loading import Loading
from localspec.tui.app import Chat
from localspec.tui.backend import Source
from localspec.tui.here import Here
from localspec.tui.keys import NAMED_KEYS
from localspec.tui.outside import outlive_terminal, take_all_bytes
from localspec.tui.store import Store
from localspec.tui.terminal import Terminal

__all__ = ["open_store", "start"]


def start(
    model: str | None,
    draft: str,
    terminal: Terminal,
    *,
    endpoint: str | None = None,
    api_key: str | None = None,
    resume: bool = False,
    loading: Loading,
) -> int:
    """Talk until the person leaves; an exit code. Raises UsageError on a bad address or config.

    `loading` is how models of this computer are loaded.
    """
    source: Source = Here(loading)
    if endpoint:
        from localspec.tui.server import There  # most chats need no client of servers

        source = There(endpoint, api_key)
    keys = {setting.name: setting.value for setting in settings.keys(NAMED_KEYS)}
    store, trouble = open_store(folders.data() / "chats.db")
    with store:
        chat = Chat(
            store, source, model=model or source.default, draft=draft, resume=resume,
            keys=keys, trouble=trouble, dark=terminal.dark, typed=terminal.typed,
        )  # fmt: skip
        take_all_bytes()
        outlive_terminal()
        try:
            chat.run()
        finally:
            chat.loader.close()
        if chat.keeping.lost:
            raise chat.keeping.lost
        return chat.return_code or 0


def open_store(path: Path) -> tuple[Store, str | None]:
    """The store, or one in memory and why: a chat that cannot be kept is better than none."""
    try:
        return Store(path), None
    except LocalspecError as error:
        return Store(None), f"Nothing is being kept. {error}"
