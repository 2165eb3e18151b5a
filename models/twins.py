"""Twins on this computer: large files that `bench --shape` makes, see `bench.twins`.

They are made once and kept in the cache folder until somebody wants the room.
"""

from pathlib import Path

from localspec import folders

__all__ = ["NAME", "folder", "remove", "size"]

NAME = "twins"
"""What `models rm` calls all of them."""


def folder() -> Path:
    """Where they are."""
    return folders.cache() / "twins"


def size() -> int:
    """Bytes that they take."""
    return sum(file.stat().st_size for file in folder().glob("*"))


def remove() -> None:
    """Delete them all, and what is left of those that were never finished. Raises OSError."""
    for file in folder().glob("*"):
        file.unlink()
