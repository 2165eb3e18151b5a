"""Fetches models: all or nothing under a final name, whatever happens on the way.

Bytes gather in `.incoming` under the sha256 they are to have, so that an interrupted pull goes on
where it stopped, whichever process takes it up. One process at a time works on a file. The files of
a model get their names once the sha256 of all has been found right and they are on the disk.
"""

import difflib
import functools
import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple, Protocol

import filelock

from localspec import spoken
from localspec.errors import LocalspecError, UsageError
from localspec.models import catalogue, hub, shelf
from localspec.models.fingerprint import sha256
from localspec.models.hub import RemoteFile, Snapshot
from localspec.models.naming import Reference
from localspec.models.variants import Variant, choose, variants

__all__ = ["Listener", "Pulled", "pull"]

_SPARE_DISK = 64 << 20
_ABANDONED_SECONDS = 30 * 86400.0


class Listener(Protocol):
    """Who is told how a pull goes on."""

    def at(self, done: int, total: int, what: str) -> None:
        """So many bytes of all are there."""

    def note(self, sentence: str) -> None:
        """Something worth knowing."""


@dataclass(frozen=True)
class Pulled:
    """What was asked for, now on this computer."""

    name: str
    path: Path
    commit: str
    fetched: int
    """Bytes that had to come over the network."""


def pull(name: str, listener: Listener, *, draft: bool = True) -> list[Pulled]:
    """Fetch a model, and a draft where the catalogue or the repository knows one.

    Raises UsageError for what does not exist, LocalspecError where it could not be fetched whole;
    what has come is kept for the next time.
    """
    reference = catalogue.reference(name)
    if reference is None:
        near = difflib.get_close_matches(name.lower(), catalogue.catalogue(), n=1)
        hint = f"did you mean {near[0]!r}?" if near else "give user/repo[:quant]."
        raise UsageError(f"{name!r} is not in the catalogue; {hint}")
    try:
        source = hub.snapshot(reference.repository)
    except UsageError:
        raise
    except LocalspecError as error:
        here = shelf.find(reference)
        if len(here) != 1:
            raise
        listener.note(f"{error} What is here could not be compared with it.")
        return [_as_it_is(here[0])]
    wanted = choose(source, reference)
    drafts = _drafts_for(source, wanted, listener) if draft else []
    return _obtain_all([_Job(source, wanted), *drafts], listener)


class _Job(NamedTuple):
    """A model to fetch from a repository."""

    source: Snapshot
    variant: Variant


def _obtain_all(jobs: list[_Job], listener: Listener) -> list[Pulled]:
    """Fetch what is missing of all of them, if the disk has room for it."""
    _clean_up()
    missing = [
        (source, [file for file in variant.files if not _is_here(source, file)])
        for source, variant in jobs
    ]
    every = [file for _, files in missing for file in files]
    _check_room(every)
    total, done = sum(file.size for file in every), 0
    come: dict[RemoteFile, int] = {}
    for source, files in missing:
        for file in files:
            progress = functools.partial(_report, listener, done, total)
            come[file] = _obtain(source, file, progress, listener)
            done += file.size
        _put_in_place(source, files, listener)
    return [
        Pulled(
            name=str(Reference(source.repository, variant.quantization)),
            path=_place(source, variant.files[0]),
            commit=source.commit,
            fetched=sum(come.get(file, 0) for file in variant.files),
        )
        for source, variant in jobs
    ]


def _as_it_is(model: shelf.Shelved) -> Pulled:
    origin = shelf.origin(model.path)
    return Pulled(model.name, model.path, origin.commit if origin else "", fetched=0)


def _report(listener: Listener, before: int, total: int, what: str, done: int) -> None:
    listener.at(before + done, total, what)


def _drafts_for(source: Snapshot, target: Variant, listener: Listener) -> list[_Job]:
    """The draft to fetch with a target, where one is known; whatever fails, the target comes."""
    if target.is_draft:
        return []
    beside = [variant for variant in variants(source) if variant.is_draft]
    if beside:
        return [_Job(source, beside[0])]
    entry = catalogue.entry_of(source.repository)
    for suggestion in entry.drafts if entry else ():
        reference = catalogue.reference(suggestion.model)
        if suggestion.kind == "small model" and reference:
            try:
                theirs = hub.snapshot(reference.repository)
                return [_Job(theirs, choose(theirs, reference))]
            except LocalspecError as error:
                listener.note(f"Its draft {suggestion.model} was left out: {error}")
    return []


def _place(source: Snapshot, file: RemoteFile) -> Path:
    return shelf.folder(source.repository) / file.path


def _is_here(source: Snapshot, file: RemoteFile) -> bool:
    """Whether just this file is on the shelf; one whose record was lost is read to find out."""
    path = _place(source, file)
    if not path.is_file() or path.stat().st_size != file.size:
        return False
    known = shelf.origin(path)
    if known is None and sha256(path) == file.sha256:
        _record(source, file)
        return True
    return known is not None and known.sha256 == file.sha256


def _record(source: Snapshot, file: RemoteFile) -> None:
    now = datetime.now(UTC).isoformat(timespec="seconds")
    origin = shelf.Origin(source.repository, source.commit, file.sha256, now)
    shelf.record(_place(source, file), origin)


def _incoming() -> Path:
    return shelf.folder() / ".incoming"


def _unfinished(file: RemoteFile) -> Path:
    return _incoming() / f"{file.sha256}.part"


def _check_room(files: list[RemoteFile]) -> None:
    """Whether the disk will do, before the first byte is fetched."""
    if not files:
        return
    with _disk_errors():
        _incoming().mkdir(parents=True, exist_ok=True)
        here = (_unfinished(file) for file in files)
        there = sum(part.stat().st_size for part in here if part.exists())
        free = shutil.disk_usage(_incoming()).free
    needed = sum(file.size for file in files) - there + _SPARE_DISK
    if free < needed:
        raise LocalspecError(
            f"This needs {spoken.size(needed)} of disk space and {shelf.folder()} has "
            f"{spoken.size(free)}; make room there, or set LOCALSPEC_HOME to a folder elsewhere."
        )


def _obtain(
    source: Snapshot, file: RemoteFile, progress: Callable[[str, int], None], listener: Listener
) -> int:
    """Fetch and check one file; returns how many bytes came over the network.

    `progress` hears what is going on, and how many bytes of the file are there.
    """
    with _disk_errors(), _alone_with(file, listener):
        if _is_here(source, file):  # somebody else was faster
            return 0
        part, come, checking = _unfinished(file), 0, f"checking {file.path}"
        resumed = part.stat().st_size if part.exists() else 0
        if resumed > file.size:
            part.unlink()
        while True:
            come += _fetch(source, file, functools.partial(progress, file.path))
            if sha256(part, lambda _: progress(checking, file.size)) == file.sha256:
                return come
            part.unlink()
            if not resumed:
                raise LocalspecError(
                    f"{file.path} came with another sha256 than {source.repository} says it has, "
                    "so it was thrown away; pull it again."
                )
            resumed = 0  # what an earlier pull left was wrong, perhaps


def _put_in_place(source: Snapshot, files: list[RemoteFile], listener: Listener) -> None:
    """Name the files of a model that have come; none ever lies beside an older one."""
    for file in files[1:]:  # without these, what lies there is no model until the last is named
        with _disk_errors(), _alone_with(file, listener):
            if not _is_here(source, file):
                shelf.discard(_place(source, file))
    for file in files:
        with _disk_errors(), _alone_with(file, listener):
            if _is_here(source, file):  # somebody else was faster
                continue
            place = _place(source, file)
            place.parent.mkdir(parents=True, exist_ok=True)
            shelf.forget(place)
            os.replace(_unfinished(file), place)
            _record(source, file)


def _fetch(source: Snapshot, file: RemoteFile, progress: Callable[[int], None]) -> int:
    """Add to what has come of a file, until all has; returns how much that was."""
    with _unfinished(file).open("ab") as part:
        before = part.tell()
        hub.fetch(source, file, part, progress)
        part.flush()
        os.fsync(part.fileno())
        return part.tell() - before


@contextmanager
def _alone_with(file: RemoteFile, listener: Listener) -> Iterator[None]:
    """Wait for other processes that fetch the same file; a killed one does not hold it."""
    lock = filelock.FileLock(_incoming() / f"{file.sha256}.lock")
    try:
        lock.acquire(timeout=0)
    except filelock.Timeout:
        listener.note(f"Another pull is fetching {file.path}; waiting for it.")
        lock.acquire(poll_interval=0.2)
    try:
        yield
    finally:
        lock.release()


@contextmanager
def _disk_errors() -> Iterator[None]:
    """Say in a sentence what the disk has against it."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error).partition("\n")[0].rstrip(".")
        raise LocalspecError(
            f"The model could not be stored below {shelf.folder()}: {reason}; what has come is "
            "kept, pull again to go on."
        ) from error


def _clean_up() -> None:
    """Remove what nobody has gone on with for a month."""
    for left in _incoming().glob("*"):
        try:
            if time.time() - left.stat().st_mtime > _ABANDONED_SECONDS:
                left.unlink()
        except OSError:
            continue
