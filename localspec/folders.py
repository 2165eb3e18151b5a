"""Where localspec keeps things. `LOCALSPEC_HOME` puts all four folders below one.

Folders are made when something is first written to them, by `write_atomically`.
"""

import os
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import platformdirs

__all__ = ["cache", "config", "data", "keep_latest", "state", "write_atomically"]


def config() -> Path:
    """Settings a person writes."""
    return _folder("config", platformdirs.user_config_path)


def data() -> Path:
    """What must not be lost: chats, models."""
    return _folder("data", platformdirs.user_data_path)


def state() -> Path:
    """What is good to have the next time: histories, records."""
    return _folder("state", platformdirs.user_state_path)


def cache() -> Path:
    """What can be measured or fetched again."""
    return _folder("cache", platformdirs.user_cache_path)


def _folder(name: str, default: Callable[..., Path]) -> Path:
    home = os.environ.get("LOCALSPEC_HOME")
    return Path(home).expanduser() / name if home else default("localspec", appauthor=False)


def write_atomically(path: Path, text: str) -> None:
    """Put `text` under `path` whole or not at all, whoever else writes it at the same time.

    Raises OSError where the folder cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=path.name, suffix=".tmp")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def keep_latest(folder: Path, most: int) -> None:
    """Remove all files of a folder but the `most` that were written last, as far as one may."""
    with suppress(OSError):
        written = [(file.stat().st_mtime, file) for file in folder.iterdir()]
        for _, file in sorted(written)[:-most]:
            file.unlink(missing_ok=True)
