"""Answers as they come, in a file that is only ever added to.

A line of text each: checksum, identity, `+` or `-` (failed), the line for the output. A record is
written with one call and never changed; it is on disk for good a second later, or 64 records later.
What a crash or a full disk leaves half-written at the end is cut off when the journal is opened
again; a record damaged in the middle is passed over, and its line is answered anew.

The open journal is locked, so that no two runs write one output.
"""

import os
import time
import zlib
from collections.abc import Iterator
from contextlib import ExitStack
from io import FileIO
from pathlib import Path
from typing import NamedTuple, Self

from localspec.batch.identity import DIGITS
from localspec.batch.lock import lock
from localspec.batch.output import Opener, sync_folder
from localspec.errors import LocalspecError

__all__ = ["Entry", "Journal", "JournalError", "Place"]

_HEADER = b"localspec batch journal 1\n"
_SYNC_SECONDS, _SYNC_RECORDS = 1.0, 64
_FAILED, _GOOD = b"-", b"+"
_CHECKSUM = 8
_PREFIX = _CHECKSUM + 1 + DIGITS + 1 + 1 + 1


class JournalError(LocalspecError):
    """The journal cannot be written or is not one. What it held before is safe."""


class Entry(NamedTuple):
    """An answer: the output's line, in UTF-8 without its newline."""

    identity: str
    failed: bool
    line: bytes


class Place(NamedTuple):
    """Where a line lies in the journal, in bytes."""

    start: int
    length: int


class Journal:
    """The journal at `path`, made by `opener` where there is none, locked until `close`.

    `damaged` is how many records `recover` had to pass over.
    """

    def __init__(self, path: Path, opener: Opener | None = None) -> None:
        """Raises JournalError where it cannot be written, is in use, or is not a journal."""
        self.path = path
        self.damaged = 0
        self._end = self._found = 0
        self._unsynced, self._synced = 0, time.monotonic()
        with ExitStack() as on_failure:
            try:
                self._file = on_failure.enter_context(_locked(path, opener))
                self._begin()
            except OSError as error:
                raise JournalError(
                    f"{path} cannot be written: {error.strerror}; choose another output."
                ) from None
            on_failure.pop_all()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Make sure of what was written, and let go of the lock. An empty journal goes away."""
        if self._file.closed:
            return
        try:
            if self._end == len(_HEADER):
                self.remove()
            else:
                self.sync()
        finally:
            self._file.close()

    def remove(self) -> None:
        """Nobody needs it any more: its answers stand in the output."""
        if os.name == "nt":  # an open file cannot be removed there
            self._file.close()
        self.path.unlink(missing_ok=True)
        self._file.close()  # the lock goes last

    def recover(self) -> Iterator[tuple[Entry, Place]]:
        """All whole records, oldest first; then the rest of the file is cut off.

        To be called before the first `append`, and read to its end.
        """
        with self.path.open("rb") as file:
            start = end = len(file.readline())
            unsure = 0
            for line in file:
                entry = _entry(line)
                if entry:
                    self.damaged += unsure
                    yield entry, Place(start + _PREFIX, len(entry.line))
                    unsure, end = 0, start + len(line)
                else:
                    unsure += 1
                start += len(line)
        self._cut(end)
        self._found = end

    def forget(self) -> None:
        """Have nothing in it but what `recover` found."""
        self._cut(self._found)

    def append(self, entry: Entry, *, anew: bool = True) -> Place:
        """Add a record; one that is not `anew` is safe elsewhere, and nobody waits for the disk.

        Raises JournalError where there is no room; nothing of it stays then.
        """
        start = self._end
        try:
            self._write(_record(entry))
            self._unsynced += anew
            late = time.monotonic() - self._synced >= _SYNC_SECONDS
            if anew and (late or self._unsynced >= _SYNC_RECORDS):
                self.sync()
        except OSError as error:
            self._cut(start)
            raise JournalError(
                f"{self.path} cannot be written: {error.strerror}; what it holds is safe, so see "
                "to that and run the same command again."
            ) from error
        return Place(start + _PREFIX, len(entry.line))

    def sync(self) -> None:
        """Have everything on disk."""
        if self._unsynced:
            os.fsync(self._file.fileno())
        self._unsynced, self._synced = 0, time.monotonic()

    def read(self, place: Place) -> bytes:
        """The line at `place`."""
        self._file.seek(place.start)
        return self._file.read(place.length)

    def _begin(self) -> None:
        self._file.seek(0)
        header = self._file.read(len(_HEADER))
        if header == _HEADER:
            return
        if not _HEADER.startswith(header):
            raise JournalError(f"{self.path} is no journal of localspec; move it away.")
        self._cut(0)  # new, or its maker died while writing this line
        self._write(_HEADER)
        os.fsync(self._file.fileno())
        sync_folder(self.path.parent)

    def _write(self, data: bytes) -> None:
        left = memoryview(data)
        while left:
            left = left[self._file.write(left) :]
        self._end += len(data)

    def _cut(self, length: int) -> None:
        self._file.truncate(length)
        self._end = length


def _locked(path: Path, opener: Opener | None) -> FileIO:
    """The file, open and ours. Raises JournalError where it is another's."""
    while True:
        file = FileIO(path, "a+", opener=opener)
        if not lock(file):
            file.close()
            raise JournalError(
                f"Another run is writing {path}; wait for it, or choose another output."
            )
        if os.fstat(file.fileno()).st_nlink:
            return file
        file.close()  # whoever had it has finished and removed it meanwhile


def _record(entry: Entry) -> bytes:
    mark = _FAILED if entry.failed else _GOOD
    content = b"%b %b %b" % (entry.identity.encode(), mark, entry.line)
    return b"%08x %b\n" % (zlib.crc32(content), content)


def _entry(record: bytes) -> Entry | None:
    """What a line of the journal says, or None where it is not whole."""
    content = record[_CHECKSUM + 1 : -1]
    if record[-1:] != b"\n" or record[: _CHECKSUM + 1] != b"%08x " % zlib.crc32(content):
        return None
    identity, mark, line = content.split(b" ", 2)
    return Entry(identity.decode(), mark == _FAILED, line)
