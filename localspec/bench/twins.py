"""Twins: files that cost what a big model costs and say what a small one says.

With them anybody can see what a model of some size would do on their computer, speculation
included, before they download it: `build` a target and a draft of one vocabulary from the two
models of the shell pair. How it works is said in `inflate`, what shapes there are in `shapes`;
`check` measures how well a twin keeps to its source. Twins are made once and kept in the cache
folder.

The tokenizer, the chat template, the context length and the rotary base are the source's. Its
weights keep their values exactly where they have the twin's quantization already; others are
rounded to it.
"""

import hashlib
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Literal, get_args

import gguf
import numpy as np

from localspec import cgroups, spoken
from localspec.bench.agreement import Agreement, check
from localspec.bench.header import write_header
from localspec.bench.inflate import Inflation, Tensor
from localspec.bench.shapes import SHAPES, Shape, draft_shape, shape_named
from localspec.bench.source import Source
from localspec.errors import LocalspecError, UsageError
from localspec.models import twins as kept
from localspec.models.files import files_of
from localspec.models.fingerprint import sha256
from localspec.models.qwen3 import ARCHITECTURE

__all__ = [
    "SHAPES",
    "Agreement",
    "Quantization",
    "Shape",
    "build",
    "check",
    "draft_shape",
    "shape_named",
]

Quantization = Literal["Q4_0", "Q8_0"]

_FORMAT = "1"
"""Changes when the same source and shape give another file than before."""
_HEADER_BYTES = 16 << 20  # more than the largest vocabulary takes
_WORKING_BYTES = 512 << 20  # the interpreter, and the source's largest matrix while it is rounded
_ABANDONED_SECONDS = 3600.0
_UNFINISHED = ".part"


def build(
    shape: Shape | str, quantization: Quantization, source: Path, into: Path | None = None
) -> Path:
    """The file of the twin of `source` in `shape`, written unless it is there already.

    `into` is the folder for it, by default one in the cache folder. A file that appears is whole.
    Raises UsageError for a shape that does not exist or is too small, ModelError for a source
    that cannot be used, and LocalspecError where disk or memory do not suffice.
    """
    if isinstance(shape, str):
        shape = shape_named(shape)
    if quantization not in get_args(Quantization):
        raise UsageError(f"Twins are made in {' and '.join(get_args(Quantization))}.")
    folder = kept.folder() if into is None else into
    path = folder / f"{shape.name}-{quantization}-{_digest(source, shape)}.gguf"
    if not path.exists():
        _write(path, Source(source), shape, gguf.GGMLQuantizationType[quantization])
    return path


def _digest(source: Path, shape: Shape) -> str:
    """Of everything that decides what the file holds, but for the quantization."""
    weights = " ".join(sha256(file) for file in files_of(source))
    return hashlib.sha256(f"{_FORMAT} {shape} {weights}".encode()).hexdigest()[:12]


def _write(path: Path, source: Source, shape: Shape, kind: Any) -> None:
    inflation = Inflation(source, shape, kind)
    tensors = list(inflation.tensors())
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _remove_abandoned(path.parent)
        _check_room(path, tensors)
        with _appearing_whole(path) as unfinished:
            writer = gguf.GGUFWriter(unfinished, ARCHITECTURE)
            try:
                write_header(writer, source, shape, kind, inflation.epsilon)
                _write_tensors(writer, tensors)
            finally:
                writer.close()
    except OSError as error:
        reason = error.strerror or error
        raise LocalspecError(f"The twin {path} could not be written: {reason}.") from error


def _write_tensors(writer: Any, tensors: list[Tensor]) -> None:
    """Announce all, then make and write one at a time, so that one is in memory at a time."""
    for tensor in tensors:
        writer.add_tensor_info(
            tensor.name, tensor.shape, np.dtype(np.float32), tensor.size, raw_dtype=tensor.kind
        )
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_ti_data_to_file()
    for tensor in tensors:
        writer.write_tensor_data(tensor.make())


def _check_room(path: Path, tensors: list[Tensor]) -> None:
    """Whether disk and memory will do, before the first byte is written."""
    needed = sum(tensor.size for tensor in tensors) + _HEADER_BYTES
    free = shutil.disk_usage(path.parent).free
    if free < needed:
        raise LocalspecError(
            f"The twin {path.name} needs {spoken.size(needed)} of disk space and {path.parent} has "
            f"{spoken.size(free)}; make room there, or set LOCALSPEC_HOME to a folder elsewhere."
        )
    needed = max(tensor.size for tensor in tensors) + _WORKING_BYTES
    free = cgroups.memory_free()
    if free < needed:
        raise LocalspecError(
            f"Making the twin {path.name} needs {spoken.size(needed)} of memory and "
            f"{spoken.size(free)} are free; close something, or choose a smaller shape."
        )


@contextmanager
def _appearing_whole(path: Path) -> Iterator[Path]:
    """A file to write beside `path` that takes its place when all went well, else is removed."""
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=path.stem, suffix=_UNFINISHED)
    os.close(descriptor)
    unfinished = Path(name)
    try:
        yield unfinished
        with unfinished.open("rb+") as file:
            os.fsync(file.fileno())
        os.replace(unfinished, path)
    finally:
        unfinished.unlink(missing_ok=True)


def _remove_abandoned(folder: Path) -> None:
    """What a killed process left behind: nobody has written to it for a long time."""
    for unfinished in folder.glob(f"*{_UNFINISHED}"):
        with suppress(FileNotFoundError):
            if time.time() - unfinished.stat().st_mtime > _ABANDONED_SECONDS:
                unfinished.unlink()
