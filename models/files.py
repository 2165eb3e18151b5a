"""Which files are models: those of a folder, where parts of one are one; all of a model's own.

What must not be looked at is not there: Path's own questions would raise.
"""

import os
from pathlib import Path

from localspec.models.naming import models_of, part_of

__all__ = ["files_of", "models_in", "size_of"]


def models_in(folder: Path, *, deep: bool = False) -> dict[str, tuple[Path, ...]]:
    """The files of each model in a folder, in order, by the path of the first of them there.

    `deep` looks into folders below too. Where a folder cannot be read, there are none.
    """
    found = folder.rglob("*") if deep else folder.glob("*")
    files = [path for path in found if path.suffix.lower() == ".gguf" and os.path.isfile(path)]
    paths = sorted(path.relative_to(folder).as_posix() for path in files)
    return {
        first: tuple(folder / path for path in parts) for first, parts in models_of(paths).items()
    }


def files_of(path: Path) -> list[Path]:
    """The file at `path` and, where its name says that it is a part, the others that are there."""
    part = part_of(path.name)
    parts = [path.with_name(name) for name in part.siblings] if part else []
    return [file for file in parts if os.path.exists(file)] or [path]


def size_of(path: Path) -> int:
    """Bytes of all its files. Raises OSError."""
    return sum(file.stat().st_size for file in files_of(path))
