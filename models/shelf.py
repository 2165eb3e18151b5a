"""Pulled models on this computer: one folder a repository, below `models` in the data folder.

Beside each file lies a record (`file.gguf.json`) of where it came from: repository, commit and
sha256. Files of other programs are never listed here and never removed.
"""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from localspec import folders
from localspec.models.files import models_in
from localspec.models.naming import DEFAULT, Reference, is_draft, is_safe, labels, means

__all__ = [
    "Origin",
    "Shelved",
    "discard",
    "find",
    "folder",
    "forget",
    "of_repository",
    "origin",
    "record",
    "remove",
    "shelved",
]

_RECORD = ".json"


@dataclass(frozen=True)
class Origin:
    """Where a file came from, and the sha256 it was checked against."""

    repository: str
    commit: str
    sha256: str
    pulled: str
    """The time, in ISO 8601."""


@dataclass(frozen=True)
class Shelved:
    """A pulled model: its files in order, the first of which is the one to load.

    `quantization` is what tells it from others of its repository.
    """

    repository: str
    quantization: str
    files: tuple[Path, ...]

    @property
    def name(self) -> str:
        """What to call it on the command line."""
        return str(Reference(self.repository, self.quantization))

    @property
    def is_draft(self) -> bool:
        """Whether its name says that it is there to guess for the others of its repository."""
        return is_draft(self.path.name, self.repository)

    @property
    def path(self) -> Path:
        """The file to load."""
        return self.files[0]

    @property
    def size(self) -> int:
        """Bytes on disk."""
        return sum(file.stat().st_size for file in self.files)


def folder(repository: str = "") -> Path:
    """Where the files of a repository go; the folder of all, without one."""
    if repository and not is_safe(repository):
        raise ValueError(f"{repository!r} leads out of the folder")
    return folders.data() / "models" / repository


def shelved() -> list[Shelved]:
    """All pulled models, by name."""
    return _sorted(_scan())


def of_repository(repository: str) -> list[Shelved]:
    """Its models that were pulled; only its folder is looked into."""
    return _sorted(_scan(*repository.lower().split("/")))


def _sorted(models: Iterator[Shelved]) -> list[Shelved]:
    return sorted(models, key=lambda model: model.name.lower())


def find(reference: Reference) -> list[Shelved]:
    """Pulled models that a name may mean, the one that is meant first where one is.

    Without a quantization that is Q4_K_M, or whatever there is one of beside drafts.
    """
    wanted = reference.quantization or DEFAULT
    models = of_repository(reference.repository)
    matching = [m for m in models if means(wanted, m.quantization, m.path.name)]
    if matching or reference.quantization:
        return matching
    return [m for m in models if not m.is_draft] or models


def origin(file: Path) -> Origin | None:
    """What is recorded of a file; None for one that was not pulled, or where nothing is known."""
    try:
        kept = json.loads(_record_of(file).read_text(encoding="utf-8"))
        return Origin(**{key: str(value) for key, value in kept.items()})
    except (OSError, ValueError, TypeError, AttributeError):
        return None


def record(file: Path, source: Origin) -> None:
    """Write down where a file came from. Raises OSError where that is not possible."""
    folders.write_atomically(_record_of(file), json.dumps(asdict(source)))


def _record_of(file: Path) -> Path:
    return file.with_name(file.name + _RECORD)


def forget(file: Path) -> None:
    """Delete what is recorded of a file, before it becomes another. Raises OSError."""
    _record_of(file).unlink(missing_ok=True)


def discard(file: Path) -> None:
    """Delete a file and what is recorded of it. Raises OSError."""
    forget(file)
    file.unlink(missing_ok=True)


def remove(model: Shelved) -> None:
    """Delete a pulled model and its records; folders that are empty then go too."""
    for file in model.files:
        _check_inside(file)
        discard(file)
    for parent in model.path.parents:
        if parent == folder() or any(parent.iterdir()):
            break
        parent.rmdir()


def _check_inside(file: Path) -> None:
    """A last look: what is deleted lies below our folder, and not by way of a link."""
    if not file.parent.resolve().is_relative_to(folder().resolve()):
        raise ValueError(f"{file} is not below {folder()}")


def _scan(owner: str = "", name: str = "") -> Iterator[Shelved]:
    """The models of all repositories, or of one, in lower case."""
    for place in (p for above in _below(folder(), owner) for p in _below(above, name)):
        repository = place.relative_to(folder()).as_posix()
        models = models_in(place, deep=True)
        for path, label in labels(repository, models).items():
            yield Shelved(repository, label, models[path])


def _below(place: Path, name: str) -> list[Path]:
    return [path for path in sorted(place.glob("*/")) if name in ("", path.name.lower())]
