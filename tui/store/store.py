"""What the chat keeps and finds again. A method is one transaction; `transaction` joins several.

What a person wrote is on the disk when `say` returns. An answer on its way is kept every now and
then by `keep`, which survives the death of the program, though perhaps not that of the computer.
"""

import json
import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple, Self, TypeVar

from localspec.tui.figures import Figures
from localspec.tui.store.schema import StoreError, connect, faults
from localspec.tui.store.tree import Message, Origins, Role, Tree

__all__ = ["Store", "Summary"]

_COLUMNS = "id, parent, role, content, created, finish_reason, model, seed, figures, origins"
_REGRET_SECONDS = 24 * 3600.0  # how long a deleted conversation can be brought back

T = TypeVar("T")


class Summary(NamedTuple):
    """A conversation in a list."""

    id: int
    title: str
    updated: float


class Store:
    """The conversations in a file, for one thread; `path` None keeps them in memory only."""

    def __init__(self, path: Path | None) -> None:
        """Raises StoreError, see `schema.connect`."""
        self.path = path
        self._connection = connect(path)
        self._forget_deleted()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Give the file back."""
        self._connection.close()

    # Conversations --------------------------------------------------------------------------

    def begin(self, title: str, system: str = "") -> int:
        """A new conversation.

        Its id, the time in nanoseconds, is not that of an earlier one, though that be forgotten:
        another window may still show it, and keep there what is typed.
        """
        now = time.time()
        return self._insert(
            "INSERT INTO conversation (id, title, system, created, updated) "
            "SELECT max(coalesce(max(id), 0) + 1, ?), ?, ?, ?, ? FROM conversation",
            (time.time_ns(), title, system, now, now),
        )

    def summaries(self, search: str = "", limit: int = -1) -> list[Summary]:
        """The latest conversations that hold all words of `search`, in title or text; -1: all."""
        words = search.casefold().split()
        text = (
            "folded(c.title || char(10) || coalesce("
            "(SELECT group_concat(content, char(10)) FROM message WHERE conversation = c.id), ''))"
        )
        rows = self._rows(
            "SELECT c.id, c.title, c.updated FROM conversation c WHERE c.deleted IS NULL "
            + f"AND instr({text}, ?) > 0 " * len(words)
            + "ORDER BY c.updated DESC, c.id DESC LIMIT ?",
            [*words, limit],
        )
        return [Summary(*row) for row in rows]

    def exists(self, conversation: int) -> bool:
        """Whether a conversation is there, and not deleted."""
        query = "SELECT 1 FROM conversation WHERE id = ? AND deleted IS NULL"
        return bool(self._rows(query, [conversation]))

    def title(self, conversation: int) -> str:
        """What a conversation is called."""
        return str(self._value("SELECT title FROM conversation WHERE id = ?", conversation))

    def rename(self, conversation: int, title: str) -> None:
        """Call a conversation otherwise."""
        self._write("UPDATE conversation SET title = ? WHERE id = ?", (title, conversation))

    def system(self, conversation: int) -> str:
        """The instructions that come before a conversation; may be empty."""
        return str(self._value("SELECT system FROM conversation WHERE id = ?", conversation))

    def instruct(self, conversation: int, system: str) -> None:
        """Change the instructions of a conversation."""
        self._write("UPDATE conversation SET system = ? WHERE id = ?", (system, conversation))

    def delete(self, conversation: int) -> None:
        """Take a conversation from the lists; for a day it can be brought back."""
        self._write("UPDATE conversation SET deleted = ? WHERE id = ?", (time.time(), conversation))

    def restore(self, conversation: int) -> None:
        """Bring a deleted conversation back."""
        self._write("UPDATE conversation SET deleted = NULL WHERE id = ?", (conversation,))

    def last_deleted(self) -> int | None:
        """The conversation that was deleted last, of those that can be brought back."""
        query = "SELECT id FROM conversation WHERE deleted > ? ORDER BY deleted DESC LIMIT 1"
        rows = self._rows(query, [time.time() - _REGRET_SECONDS])
        return rows[0][0] if rows else None

    def _forget_deleted(self) -> None:
        """What was deleted a day ago, and what was typed there; 0 is the one that begins next."""
        self._forget("conversation WHERE deleted < ?", time.time() - _REGRET_SECONDS)
        self._forget("draft WHERE conversation NOT IN (SELECT id FROM conversation UNION SELECT 0)")

    def _forget(self, rows: str, *values: float) -> None:
        if self._rows(f"SELECT 1 FROM {rows} LIMIT 1", list(values)):  # writing may have to wait
            self._write(f"DELETE FROM {rows}", values)

    # Messages -------------------------------------------------------------------------------

    def tree(self, conversation: int) -> Tree:
        """All that was said in a conversation."""
        head = self._value("SELECT head FROM conversation WHERE id = ?", conversation)
        # after the head: what another window says in between is one message more, and not one less
        rows = self._rows(f"SELECT {_COLUMNS} FROM message WHERE conversation = ?", [conversation])
        return Tree({row[0]: _message(row) for row in rows}, head)

    def say(
        self,
        conversation: int,
        parent: int | None,
        role: Role,
        content: str,
        *,
        model: str | None = None,
        seed: int | None = None,
    ) -> Message:
        """Put a message after `parent` and make it the head. A conversation that was deleted
        meanwhile, in another window, is back.
        """
        now = time.time()
        with self.transaction():
            id = self._insert(
                "INSERT INTO message (conversation, parent, role, content, created, model, seed) "
                "VALUES (?, ?, ?, ?, ?, ?, ?)",
                (conversation, parent, role, content, now, model, _text(seed)),
            )
            self._write(
                "UPDATE conversation SET head = ?, updated = ?, deleted = NULL WHERE id = ?",
                (id, now, conversation),
            )
        return Message(id, parent, role, content, now, model=model, seed=seed)

    def keep(self, answer: Message) -> None:
        """Keep an answer as far as it has come; to the disk where it has ended."""
        figures = answer.figures and json.dumps(answer.figures.as_json())
        if not answer.finish_reason:
            self._pragma("synchronous = NORMAL")
        try:
            self._write(
                "UPDATE message SET content = ?, finish_reason = ?, seed = ?, figures = ?, "
                "origins = ? WHERE id = ?",
                (
                    answer.content,
                    answer.finish_reason,
                    _text(answer.seed),
                    figures,
                    json.dumps(answer.origins),
                    answer.id,
                ),
            )
        finally:
            self._pragma("synchronous = FULL")

    def show(self, conversation: int, head: int | None) -> None:
        """Make `head` the end of the branch that is shown."""
        self._write("UPDATE conversation SET head = ? WHERE id = ?", (head, conversation))

    def import_tree(self, title: str, system: str, tree: Tree) -> int:
        """A conversation made elsewhere; returns its id here. All of it is taken, or nothing."""
        with self.transaction():
            conversation = self.begin(title, system)
            ids: dict[int | None, int | None] = {None: None}
            for message in tree.messages.values():
                said = self.say(
                    conversation,
                    ids[message.parent],
                    message.role,
                    message.content,
                    model=message.model,
                    seed=message.seed,
                )
                ids[message.id] = said.id
                self._write(
                    "UPDATE message SET created = ?, finish_reason = ? WHERE id = ?",
                    (message.created, message.finish_reason, said.id),
                )
            self.show(conversation, ids[tree.head])
        return conversation

    # What is typed --------------------------------------------------------------------------

    def prompts(self, limit: int = 200) -> list[str]:
        """What was asked lately, in all conversations, the oldest first, each once."""
        rows = self._rows(
            "SELECT content FROM message WHERE role = 'user' GROUP BY content "
            "ORDER BY max(id) DESC LIMIT ?",
            [limit],
        )
        return [str(content) for (content,) in rows][::-1]

    def draft(self, conversation: int | None) -> str:
        """What was typed in a conversation and not sent."""
        rows = self._rows("SELECT text FROM draft WHERE conversation = ?", [conversation or 0])
        return str(rows[0][0]) if rows else ""

    def keep_draft(self, conversation: int | None, text: str) -> None:
        """Keep what is typed; it may be empty."""
        if text:
            statement = "INSERT OR REPLACE INTO draft (conversation, text) VALUES (?, ?)"
            self._write(statement, (conversation or 0, text))
        else:
            self._write("DELETE FROM draft WHERE conversation = ?", (conversation or 0,))

    # Preferences ----------------------------------------------------------------------------

    def preferences(self) -> dict[str, Any]:
        """What was chosen in the app, by name."""
        rows = self._rows("SELECT name, value FROM preference", [])
        known = {name: _known(value, lambda kept: kept) for name, value in rows}
        return {name: value for name, value in known.items() if value is not None}

    def prefer(self, choices: Mapping[str, object]) -> None:
        """Remember choices for the next time."""
        with self.transaction():
            for name, value in choices.items():
                self._write(
                    "INSERT OR REPLACE INTO preference (name, value) VALUES (?, ?)",
                    (name, json.dumps(value)),
                )

    # SQLite ---------------------------------------------------------------------------------

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All of what is written within, or nothing; may be nested."""
        if self._connection.in_transaction:
            yield
            return
        with faults(self.path):
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._connection.execute("COMMIT")
            except BaseException:
                self._connection.rollback()  # nothing where SQLite has done it already
                raise

    def _rows(self, query: str, values: list[Any]) -> list[tuple[Any, ...]]:
        with faults(self.path):
            return self._connection.execute(query, values).fetchall()

    def _value(self, query: str, conversation: int) -> Any:
        rows = self._rows(query, [conversation])
        if not rows:
            raise StoreError("This conversation is gone; another window has deleted it.")
        return rows[0][0]

    def _write(self, statement: str, values: tuple[object, ...]) -> sqlite3.Cursor:
        with faults(self.path):
            return self._connection.execute(statement, values)

    def _insert(self, statement: str, values: tuple[object, ...]) -> int:
        id = self._write(statement, values).lastrowid
        assert id is not None
        return id

    def _pragma(self, setting: str) -> None:
        with faults(self.path):
            self._connection.execute(f"PRAGMA {setting}")


def _text(number: int | None) -> str | None:
    """A seed may need 64 bits without a sign, which SQLite's integers do not have."""
    return None if number is None else str(number)


def _message(row: tuple[Any, ...]) -> Message:
    id, parent, role, content, created, finish_reason, model, seed, figures, origins = row
    return Message(
        id,
        parent,
        role,
        content,
        created,
        finish_reason,
        model,
        _known(seed, int),
        _known(figures, Figures.from_json),
        _known(origins, _origins) or (),
    )


def _origins(kept: Any) -> Origins:
    return tuple((int(n), name) for n, name in kept)


def _known(kept: str | None, form: Callable[[Any], T]) -> T | None:
    """What was kept as JSON, in its form; where that is damaged, as if nothing were known."""
    try:
        return None if kept is None else form(json.loads(kept))
    except (AttributeError, TypeError, ValueError):
        return None
