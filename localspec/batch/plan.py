"""Which lines there are, which of them are answered and where: an index on disk.

It is made anew from input and journal whenever a run begins, and thrown away at its end, so it
need not survive anything. It is there because memory must not grow with the input: SQLite keeps a
few megabytes of it in memory, whatever its size. To be used from one thread.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple, Self

from localspec.batch.identity import NAME_DIGITS, identity
from localspec.batch.journal import Place
from localspec.batch.output import Opener
from localspec.batch.request import Task
from localspec.errors import LocalspecError

__all__ = ["Counts", "Plan"]

_SCHEMA = """
pragma journal_mode = off;
pragma synchronous = off;
pragma cache_size = -4000;
create table answers (
    identity text primary key, start integer, length integer, failed integer
) without rowid;
create table lines (
    number integer primary key, name text, identity text, url text, body text, fault text
);
create index names on lines (name);
create index identities on lines (identity);
begin;
"""
_SQLITE = b"SQLite format 3\0"
_PENDING = "lines left join answers using (identity) where answers.identity is null"
# An identity begins with the hash of its line's name, and no digit comes after f.
_NAME = f"substr(lines.identity, 1, {NAME_DIGITS})"
_SAME_NAME = f"""
exists (select 1 from answers where answers.identity between {_NAME} and {_NAME} || 'g')
"""


class Counts(NamedTuple):
    """Lines of the input; how many have an answer; how many of those are failures."""

    lines: int
    answered: int
    failed: int


class Plan:
    """The index, at `path` while it is needed. Raises LocalspecError where the disk is full."""

    def __init__(self, path: Path, opener: Opener | None = None) -> None:
        self._path = path
        with self._trouble(), ExitStack() as on_failure:
            if path.exists() and not _is_index(path):
                raise LocalspecError(f"{path} is no index of localspec; move it away.")
            path.unlink(missing_ok=True)  # of a run that was killed
            open(path, "xb", opener=opener).close()
            self._database = sqlite3.connect(path, isolation_level=None)
            on_failure.push(self.__exit__)
            self._database.executescript(_SCHEMA)
            on_failure.pop_all()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._database.close()
        self._path.unlink(missing_ok=True)

    def expect(self, task: Task) -> None:
        """The next line. One whose name an earlier line has becomes a line with that fault."""
        with self._trouble():
            earlier = self._first("select number from lines where name = ? limit 1", task.name)
            if earlier is not None:
                task = _second(task, earlier)
            self._database.execute("insert into lines values (?, ?, ?, ?, ?, ?)", task)

    def expects(self, identity: str) -> bool:
        """Whether a task is that of a line, and has no answer yet."""
        with self._trouble():
            return bool(
                self._first(f"select exists (select 1 from {_PENDING} and identity = ?)", identity)
            )

    def answered(self, identity: str, place: Place, *, failed: bool) -> None:
        """The answer of a task stands at `place`; the one told last counts."""
        self._tell("replace", identity, *place, failed)

    def left_over(self, identity: str, *, failed: bool) -> None:
        """An answer that no line asks for, and that is kept nowhere."""
        self._tell("ignore", identity, None, None, failed)

    def _tell(self, conflict: str, *row: object) -> None:
        with self._trouble():
            self._database.execute(f"insert or {conflict} into answers values (?, ?, ?, ?)", row)

    def pending(self, *, faulty: bool) -> Iterator[Task]:
        """Tasks without an answer, with a fault or without, in the order of their lines."""
        with self._trouble():
            yield from map(
                Task._make,
                self._database.execute(
                    f"select lines.* from {_PENDING} and (fault != '') = ? order by number",
                    (faulty,),
                ),
            )

    def changed(self) -> Iterator[int]:
        """Numbers of lines without an answer whose names had one, for another content."""
        with self._trouble():
            for (number,) in self._database.execute(
                f"select number from {_PENDING} and {_SAME_NAME} order by number"
            ):
                yield number

    @property
    def is_foreign(self) -> bool:
        """Whether there are answers, and lines, and no answer is one of these lines'.

        Failures count for nothing: a line that asks nothing fails alike whoever is asked.
        """
        with self._trouble():
            return all(
                self._first(f"select exists (select 1 from {some})") == wanted
                for some, wanted in (
                    ("answers where not failed", 1),
                    ("lines", 1),
                    ("lines join answers using (identity) where not failed", 0),
                )
            )

    def counts(self) -> Counts:
        """How far the run has come."""
        with self._trouble():
            row = self._database.execute(
                "select count(*), count(answers.identity), ifnull(sum(failed), 0) "
                "from lines left join answers using (identity)"
            ).fetchone()
        return Counts(*row)

    def places(self, *, as_completed: bool) -> Iterator[Place]:
        """Where the lines' answers stand, in the order of lines or in that of the journal."""
        order = "start" if as_completed else "number"
        with self._trouble():
            yield from map(
                Place._make,
                self._database.execute(
                    "select start, length from lines join answers using (identity) "
                    f"order by {order}"
                ),
            )

    def _first(self, query: str, *values: object) -> int | None:
        row = self._database.execute(query, values).fetchone()
        return None if row is None else int(row[0])

    @contextmanager
    def _trouble(self) -> Iterator[None]:
        try:
            yield
        except (OSError, sqlite3.Error) as error:
            raise LocalspecError(
                f"The index {self._path} cannot be written ({error}); what was answered is safe, "
                "so see to that and run the same command again."
            ) from error


def _is_index(path: Path) -> bool:
    """Whether a file was made by a run that was killed, and not by somebody else."""
    with path.open("rb") as file:
        return file.read(len(_SQLITE)) in (b"", _SQLITE)


def _second(task: Task, earlier: int) -> Task:
    """A line whose name is taken: it gets an answer that says so."""
    fault = f"Line {task.number} has the custom_id {task.name!r} of line {earlier}."
    sign = identity(f"line-{task.number}", "", fault + task.identity)
    return Task(task.number, task.name, sign, fault=fault)
