"""The pairs that come with localspec, so that everything runs at once and offline."""

from pathlib import Path
from typing import NamedTuple

from localspec.errors import UsageError

__all__ = ["EMBEDDED", "Pair", "embedded"]

EMBEDDED = ("shell",)
"""Names of embedded pairs; each is a folder beside this file."""


class Pair(NamedTuple):
    """A target and the draft that was made for it."""

    target: Path
    draft: Path


def embedded(name: str) -> Pair:
    """The files of an embedded pair. Raises UsageError for a name that is none."""
    folder = Path(__file__).with_name(name)
    if name not in EMBEDDED:
        raise UsageError(f"There is no embedded model {name!r}; there is {', '.join(EMBEDDED)}.")
    files = sorted(folder.glob("*.gguf"))
    drafts = [file for file in files if "-draft-" in file.name]
    targets = [file for file in files if file not in drafts]
    if len(targets) != 1 or len(drafts) != 1:
        raise UsageError(f"The embedded pair {name!r} is missing from {folder}; reinstall it.")
    return Pair(targets[0], drafts[0])
