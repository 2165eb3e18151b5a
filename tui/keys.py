"""The chat's own keys, as data. Their ids are what config.toml calls them, see `start.keymap`."""

from textual.binding import Binding

__all__ = ["KEYS"]


def _key(key: str, name: str, meaning: str, label: str = "", *, shown: bool = True) -> Binding:
    return Binding(key, name, label or name, show=shown, tooltip=meaning, id=name)


KEYS = (
    Binding(
        "escape", "escape", "stop", tooltip="stop the answer and keep what has come", id="stop"
    ),
    _key("ctrl+r", "again", "answer the last question once more"),
    _key("ctrl+n", "new", "begin a conversation"),
    _key("ctrl+o", "chats", "all conversations"),
    _key("ctrl+t", "tint", "show who guessed which tokens"),
    _key("ctrl+g", "figures", "open or close the panel of figures"),
    _key("ctrl+l", "models", "choose the model", "model", shown=False),
    _key("ctrl+s", "settings", "temperature, seed and other settings", shown=False),
    _key("f1", "help", "commands and keys"),
    Binding("ctrl+c", "interrupt", show=False, system=True),
)
