"""The chat's keys, as data: key, action, id, words for the footer and for help.

By their ids they are changed in config.toml, see `arguments.settings.keys`.
"""

from textual.binding import Binding

__all__ = [
    "ANSWER_KEYS",
    "CHATS_KEYS",
    "COMMAND_KEYS",
    "KEYS",
    "MESSAGE_KEYS",
    "NAMED_KEYS",
    "PROMPT_KEYS",
    "QUESTION_KEYS",
]


def _shown(key: str, action: str, id: str, label: str, meaning: str, display: str = "") -> Binding:
    return Binding(key, action, label, key_display=display or None, tooltip=meaning, id=id)


def _quiet(key: str, action: str, id: str, meaning: str) -> Binding:
    """One that the footer has no room for."""
    return Binding(key, action, id, show=False, tooltip=meaning, id=id)


def _command(key: str, name: str, id: str = "", *, show: bool = True) -> Binding:
    """One that does what a command does; what that is, the command says."""
    id = id or name
    return Binding(key, f"command('{name}')", id, show=show, id=id)


COMMAND_KEYS = {
    "again": _command("ctrl+r", "again"),
    "new": _command("ctrl+n", "new"),
    "chats": _command("ctrl+o", "chats"),
    "tint": _command("ctrl+t", "tint"),
    "figures": _command("ctrl+g", "figures"),
    "model": _command("ctrl+l", "model", "models", show=False),
    "set": _command("ctrl+s", "set", "settings", show=False),
    "help": _command("f1", "help"),
}
"""Keys by the commands that they stand for."""
KEYS = (
    _shown("escape", "escape", "stop", "stop", "stop the answer and keep what has come"),
    *COMMAND_KEYS.values(),
    Binding("ctrl+c", "interrupt", show=False, system=True),
)
PROMPT_KEYS = (
    _quiet("ctrl+j", "line", "prompt.line", "begin a new line"),
    Binding("shift+enter,alt+enter", "line", show=False),  # which few terminals tell from enter
    _quiet("pageup", "cursor_page_up", "prompt.page-up", "look further up"),
    _quiet("pagedown", "cursor_page_down", "prompt.page-down", "look further down"),
    _quiet("tab", "complete", "prompt.complete", "take the suggestion"),
)
MESSAGE_KEYS = (
    _quiet("up", "neighbour(-1)", "message.previous", "go to the message before"),
    _quiet("down", "neighbour(1)", "message.next", "go to the message after"),
    _shown(
        "left", "branch(-1)", "message.branch-left", "branch", "show the branch to the left", "←→"
    ),
    _quiet("right", "branch(1)", "message.branch-right", "show the branch to the right"),
    _shown("c", "copy", "message.copy", "copy", "copy the message"),
)
QUESTION_KEYS = (
    _shown("e", "edit", "message.edit", "edit", "ask otherwise, on a branch of its own"),
    _quiet("enter", "unfold", "message.unfold", "show a long question whole"),
)
ANSWER_KEYS = (
    _shown("y", "copy_code", "message.copy-code", "copy code", "copy the code in it"),
    _shown("r", "again", "message.again", "again", "answer once more, on a branch of its own"),
    _shown("space", "thoughts", "message.thoughts", "thoughts", "fold or unfold thoughts"),
)
CHATS_KEYS = (
    Binding("ctrl+r", "rename", "rename", id="chats.rename", priority=True),
    Binding("ctrl+d", "delete", "delete", id="chats.delete", priority=True),
    Binding("ctrl+z", "undo", "undo", id="chats.undo", priority=True),
)
NAMED_KEYS = {
    binding.id: binding.key
    for keys in (KEYS, PROMPT_KEYS, MESSAGE_KEYS, QUESTION_KEYS, ANSWER_KEYS, CHATS_KEYS)
    for binding in keys
    if binding.id
}
"""All that can be changed: what it is called in config.toml, and the key it is if nobody does."""
