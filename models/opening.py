"""Opens model files, and says in words why one cannot be opened or read."""

import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from localspec.errors import ModelError

__all__ = ["opened"]


@contextmanager
def opened(path: Path) -> Iterator[BinaryIO]:
    """The file for reading. What goes wrong inside on its account is a ModelError too."""
    try:
        mode = path.stat().st_mode  # first, as opening a pipe would wait for somebody to write
        if stat.S_ISDIR(mode):
            raise ModelError(f"{path} is a folder; name the GGUF file in it.")
        if not stat.S_ISREG(mode):
            raise ModelError(f"{path} is not a file; name a GGUF file.")
        with path.open("rb") as file:
            yield file
    except FileNotFoundError:
        raise ModelError(f"There is no file {path}; check the path.") from None
    except OSError as error:
        raise ModelError(f"{path} cannot be read: {error.strerror}.") from error
