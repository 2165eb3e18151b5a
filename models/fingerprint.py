"""Tells files apart by their content, at the price of reading a few megabytes of each."""

import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path

from localspec.models.files import files_of
from localspec.models.opening import opened

__all__ = ["fingerprint", "sha256"]

_BEGINNING = 1 << 20
_SAMPLE = 1 << 16
_SAMPLES = 32
_BLOCK = 1 << 22


def fingerprint(path: Path) -> str:
    """Of size, beginning, and samples spread evenly over the rest; the same wherever a file lies.

    Of a model in parts, those of all of them.

    Fine-tunes of one model differ everywhere, so that samples tell them apart. Nobody is kept from
    making two files on purpose that look the same here: for that there is `sha256`.
    """
    digest = hashlib.sha256()
    for file in files_of(path):
        for sample in _samples(file):
            digest.update(sample)
    return digest.hexdigest()[:32]


def _samples(path: Path) -> Iterator[bytes]:
    with opened(path) as file:
        size = file.seek(0, 2)
        yield str(size).encode()
        file.seek(0)
        yield file.read(_BEGINNING)
        for i in range(1, _SAMPLES + 1):
            file.seek(max(0, size * i // _SAMPLES - _SAMPLE))
            yield file.read(_SAMPLE)


def sha256(path: Path, progress: Callable[[int], None] = lambda done: None) -> str:
    """Of the whole file; `progress` hears how many bytes of it are done."""
    digest, done = hashlib.sha256(), 0
    with opened(path) as file:
        while block := file.read(_BLOCK):
            digest.update(block)
            done += len(block)
            progress(done)
    return digest.hexdigest()
