"""The database file: how it is opened, and how an older one is brought up to date.

Version n of the schema is what the first n migrations give; it is kept in `user_version`. Before
an older file is changed, a copy of it is laid beside it.
"""

import contextlib
import sqlite3
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from localspec.errors import LocalspecError

__all__ = ["MIGRATIONS", "StoreError", "connect", "faults"]

MIGRATIONS: tuple[tuple[str, ...], ...] = (
    (
        """
        CREATE TABLE conversation (
            id INTEGER PRIMARY KEY,
            title TEXT NOT NULL,
            system TEXT NOT NULL DEFAULT '',
            head INTEGER REFERENCES message ON DELETE SET NULL,
            created REAL NOT NULL,
            updated REAL NOT NULL,
            deleted REAL
        )
        """,
        """
        CREATE TABLE message (
            id INTEGER PRIMARY KEY,
            conversation INTEGER NOT NULL REFERENCES conversation ON DELETE CASCADE,
            parent INTEGER REFERENCES message ON DELETE CASCADE,
            role TEXT NOT NULL CHECK (role IN ('user', 'assistant')),
            content TEXT NOT NULL,
            created REAL NOT NULL,
            finish_reason TEXT,
            model TEXT,
            seed TEXT,
            figures TEXT,
            origins TEXT
        )
        """,
        "CREATE INDEX message_conversation ON message (conversation)",
        "CREATE INDEX message_parent ON message (parent)",
        "CREATE INDEX conversation_updated ON conversation (updated)",
        # What is typed and not sent yet, by conversation; 0 is the one that has not begun.
        "CREATE TABLE draft (conversation INTEGER PRIMARY KEY, text TEXT NOT NULL)",
        "CREATE TABLE preference (name TEXT PRIMARY KEY, value TEXT NOT NULL)",
    ),
)

_PATIENCE_SECONDS = 2.0  # how long another program may hold the file
_LOOK_AGAIN_SECONDS = 0.01


class StoreError(LocalspecError):
    """Conversations cannot be read or kept."""


@contextlib.contextmanager
def faults(path: Path | None) -> Iterator[None]:
    """What SQLite complains about, as sentences."""
    try:
        yield
    except sqlite3.Error as error:
        raise StoreError(_sentence(path, error)) from error
    except OSError as error:
        raise StoreError(f"The chats in {path} cannot be opened: {error.strerror}.") from error


def _sentence(path: Path | None, error: sqlite3.Error) -> str:
    where = f"The chats in {path}" if path else "The chats in memory"
    if is_damage(error):
        return f"{where} are damaged ({error}); move the file away to begin anew."
    if "locked" in str(error):
        return f"{where} are locked by another program; close it and try again."
    if "full" in str(error):
        return f"{where} cannot be written, the disk is full; make room and try again."
    if "readonly" in str(error):
        return f"{where} cannot be written; allow this user to write the file and its folder."
    return f"{where} cannot be used ({error})."


def is_damage(error: BaseException | None) -> bool:
    """Whether the file itself is broken, or no database at all."""
    return type(error) is sqlite3.DatabaseError


def connect(
    path: Path | None, migrations: Sequence[Sequence[str]] = MIGRATIONS
) -> sqlite3.Connection:
    """The database at `path` (None: in memory), made or brought up to date where needed.

    Raises StoreError where it is damaged, locked, or of a newer localspec.
    """
    with faults(path):
        if path:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch(mode=0o600)  # what people say to a model is nobody else's business
        connection = sqlite3.connect(
            path or ":memory:", timeout=_PATIENCE_SECONDS, isolation_level=None
        )
        try:
            _prepare(connection, path, migrations)
        except BaseException:
            connection.close()
            raise
    return connection


def _prepare(
    connection: sqlite3.Connection, path: Path | None, migrations: Sequence[Sequence[str]]
) -> None:
    version = _version(connection)
    if version > len(migrations):
        raise StoreError(
            f"The chats in {path} are of a newer localspec (version {version}, this one knows "
            f"{len(migrations)}); update localspec to read them."
        )
    _write_ahead(connection)
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA secure_delete = ON")
    connection.create_function("folded", 1, str.casefold, deterministic=True)
    if version < len(migrations):
        if version and path:
            _back_up(connection, path.with_name(f"{path.stem}-version-{version}{path.suffix}"))
        _migrate(connection, migrations)


def _write_ahead(connection: sqlite3.Connection) -> None:
    """SQLite waits for other programs by itself, but not where they open the file as well."""
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > deadline:
                raise
        time.sleep(_LOOK_AGAIN_SECONDS)


def _version(connection: sqlite3.Connection) -> int:
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    return int(version)


def _back_up(connection: sqlite3.Connection, path: Path) -> None:
    path.unlink(missing_ok=True)  # half a copy, of an attempt that was interrupted
    path.touch(mode=0o600)
    copy = sqlite3.connect(path)
    with contextlib.closing(copy):
        connection.backup(copy)


def _migrate(connection: sqlite3.Connection, migrations: Sequence[Sequence[str]]) -> None:
    """All steps that are missing, or none."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        for statements in migrations[_version(connection) :]:  # another process may have been here
            for statement in statements:
                connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {len(migrations)}")
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")
