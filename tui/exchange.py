"""Conversations as files: Markdown to read, JSON to keep and to bring back.

JSON holds the whole tree. What other programs write, a list of messages with role and content, is
read as a conversation of one branch.
"""

import json
import math
import re
import time
from pathlib import Path
from typing import Any

from localspec.errors import LocalspecError, UsageError
from localspec.folders import write_atomically
from localspec.tui.store import Message, Tree
from localspec.tui.text import title as title_of
from localspec.tui.thinking import split_thoughts

__all__ = ["as_json", "as_markdown", "free_path", "read", "write"]

_FORMAT = "localspec-chat"
_VERSION = 1
_MOST_MESSAGES = 100_000


def write(path: Path, title: str, system: str, tree: Tree) -> Path:
    """Write a conversation in the form that the file's name asks for; never over another file."""
    if path.suffix.lower() not in (".md", ".json"):
        raise UsageError(f"{path.name} must end in .md or in .json.")
    form = as_json if path.suffix.lower() == ".json" else as_markdown
    try:
        if path.exists():
            raise UsageError(f"{path} exists already; choose another name.")
        write_atomically(path, form(title, system, tree))
    except OSError as error:
        raise LocalspecError(f"{path} cannot be written: {error.strerror}.") from None
    return path


def free_path(folder: Path, title: str) -> Path:
    """A name for a Markdown file that is not taken yet."""
    stem = re.sub(r"[^\w]+", "-", title.lower()).strip("-")[:50] or "chat"
    names = (stem if n == 1 else f"{stem}-{n}" for n in range(1, 10_000))
    return next(path for name in names if not (path := folder / f"{name}.md").exists())


def as_markdown(title: str, system: str, tree: Tree) -> str:
    """The branch that is shown, to be read."""
    parts = [f"# {title}"]
    if system:
        parts.append("\n".join(f"> {line}" for line in system.splitlines()))
    for message in tree.path():
        if message.role == "user":
            parts.append(f"## You\n\n{message.content}")
        else:
            answer = split_thoughts(message.content).answer.strip()
            parts.append(f"## {message.model or 'Answer'}\n\n{answer}")
    return "\n\n".join(parts) + "\n"


def as_json(title: str, system: str, tree: Tree) -> str:
    """All branches."""
    document = {
        "format": _FORMAT,
        "version": _VERSION,
        "title": title,
        "system": system,
        "head": tree.head,
        "messages": [
            {
                "id": m.id,
                "parent": m.parent,
                "role": m.role,
                "content": m.content,
                "created": m.created,
                "finish_reason": m.finish_reason,
                "model": m.model,
                "seed": m.seed,
            }
            for m in sorted(tree.messages.values(), key=lambda m: m.id)
        ],
    }
    return json.dumps(document, ensure_ascii=False, indent=1) + "\n"


def read(path: Path) -> tuple[str, str, Tree]:
    """Title, instructions and messages from a JSON file. Raises LocalspecError."""
    try:
        document = json.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}.") from None
    except (ValueError, RecursionError):
        raise UsageError(f"{path} is not JSON; only JSON can be imported.") from None
    if isinstance(document, list):
        document = {"messages": document}
    entries = document.get("messages") if isinstance(document, dict) else None
    if not isinstance(entries, list) or len(entries) > _MOST_MESSAGES:
        raise UsageError(f"{path} holds no conversation: there is no list of messages in it.")
    try:
        tree, system = _tree(entries)
        title = _text(str(document.get("title") or ""))
        system = _text(str(document.get("system") or system))
    except (ArithmeticError, AttributeError, KeyError, TypeError, ValueError):
        raise UsageError(
            f"{path} holds messages that make no sense; it was not imported."
        ) from None
    if not tree.messages:
        raise UsageError(f"{path} holds an empty conversation.")
    head = document.get("head")
    if isinstance(head, int) and head in tree.messages:
        tree.head = head
    first = next(iter(tree.messages.values())).content
    return title_of(title or first), system, tree


def _tree(entries: list[Any]) -> tuple[Tree, str]:
    """Messages, each after its parent; without parents, one after the other."""
    tree, system = Tree(), ""
    last: int | None = None
    for number, entry in enumerate(entries, start=1):
        role, content = entry["role"], _text(entry["content"])
        if role in ("system", "developer"):
            system = content
            continue
        parent = entry.get("parent") if "id" in entry else last
        if role not in ("user", "assistant") or (
            parent is not None and parent not in tree.messages
        ):
            raise ValueError
        last = _whole(entry.get("id", number))
        if last in tree.messages:
            raise ValueError
        tree.add(
            Message(
                last,
                parent,
                role,
                content,
                _time(entry.get("created") or time.time()),
                finish_reason=_name(entry.get("finish_reason")) or _whole_answer(role),
                model=_name(entry.get("model")),
                seed=_seed(entry.get("seed")),
            )
        )
    tree.head = last
    return tree, system


def _whole_answer(role: str) -> str | None:
    """Files that do not say why an answer ended hold whole answers."""
    return "stop" if role == "assistant" else None


def _text(content: object) -> str:
    """Content, which some write as a list of parts."""
    if isinstance(content, list):
        content = "\n".join(part["text"] for part in content if part.get("type") == "text")
    if not isinstance(content, str):
        raise TypeError
    content.encode("utf-8")  # lone surrogates could not be kept
    return content


def _whole(id: object) -> int:
    if not isinstance(id, int):
        raise TypeError
    return id


def _time(value: Any) -> float:
    seconds = float(value)
    if not math.isfinite(seconds):
        raise ValueError
    return seconds


def _seed(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _name(value: object) -> str | None:
    return _text(value) if isinstance(value, str) and value else None
