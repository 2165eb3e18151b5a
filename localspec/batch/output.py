"""The output file: there whole, or not there yet."""

import os
import stat
from collections.abc import Callable, Iterable
from pathlib import Path

from localspec.errors import LocalspecError

__all__ = ["Opener", "opener", "replace", "sync_folder"]

Opener = Callable[[str, int], int]
"""Opens a file by its path and flags, as `open` wants it."""


def replace(path: Path, lines: Iterable[bytes]) -> None:
    """Put `lines` under `path`; a power cut leaves what was there before, or all of them.

    Only one process may do this for a path at a time. Raises LocalspecError where it cannot be
    written; nothing of it stays then.
    """
    unfinished = path.with_name(f"{path.name}.tmp")
    try:
        unfinished.unlink(missing_ok=True)  # of a run that was killed, or a link that somebody laid
        with open(unfinished, "xb", opener=opener(path)) as file:
            for line in lines:
                file.write(line + b"\n")
            file.flush()
            os.fsync(file.fileno())
        if path.exists():
            unfinished.chmod(stat.S_IMODE(path.stat().st_mode))
        unfinished.replace(path)
        sync_folder(path.parent)
    except OSError as error:
        unfinished.unlink(missing_ok=True)
        raise LocalspecError(
            f"{path} cannot be written: {error.strerror}; all answers are safe in the journal, so "
            "see to that and run the same command again."
        ) from error


def opener(path: Path) -> Opener:
    """How to make files that hold what an output does: where that is private, they are."""
    mode = stat.S_IMODE(path.stat().st_mode) & 0o666 | 0o600 if path.exists() else 0o666
    return lambda name, flags: os.open(name, flags, mode)


def sync_folder(folder: Path) -> None:
    """Make sure that a file made, renamed or removed in `folder` stays so after a power cut."""
    if os.name == "nt":  # folders cannot be opened there; NTFS keeps a log of its own
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError:  # some network file systems have no such thing
        pass
    finally:
        os.close(descriptor)
