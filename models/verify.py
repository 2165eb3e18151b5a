"""Is a model file what it should be? One look after another, from cheap to thorough."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Literal, NamedTuple

from localspec import spoken
from localspec.errors import ModelError
from localspec.models import shelf
from localspec.models.description import describe
from localspec.models.fingerprint import sha256

__all__ = ["Check", "verify"]

Progress = Callable[[float, str], None]


class Check(NamedTuple):
    """One thing looked at, and what was found."""

    subject: Literal["structure", "content", "load"]
    state: Literal["ok", "warning", "failed"]
    detail: str


def verify(path: Path, load: Callable[[Path], object], progress: Progress) -> Iterator[Check]:
    """Structure, content and a short load by `load`, which raises ModelError where it fails.

    Ends with the first check that fails.
    """
    try:
        description = describe(path)
    except ModelError as error:
        yield Check("structure", "failed", str(error))
        return
    count = len(description.files)
    parts = f"{count} files, " if count > 1 else ""
    yield Check("structure", "ok", f"{parts}{spoken.size(description.size)}, nothing missing")
    for file in description.files:
        check = _content(file, progress)
        yield check
        if check.state == "failed":
            return
    progress(1.0, "loading it")
    try:
        load(path)
    except ModelError as error:
        yield Check("load", "failed", str(error))
        return
    yield Check("load", "ok", "llama.cpp loads it and decodes")


def _content(file: Path, progress: Progress) -> Check:
    size = file.stat().st_size
    source = shelf.origin(file)
    try:
        found = sha256(file, lambda done: progress(done / size, f"reading {file.name}"))
    except ModelError as error:
        return Check("content", "failed", str(error))
    if source is None:
        return Check(
            "content", "warning", f"nothing is recorded to compare with its sha256, {found}"
        )
    if found != source.sha256:
        return Check(
            "content",
            "failed",
            f"{file.name} has changed since it was pulled: its sha256 is {found} and was "
            f"{source.sha256}; remove it and pull it again.",
        )
    return Check("content", "ok", f"sha256 as in {source.repository} at {source.commit[:12]}")
