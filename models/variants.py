"""What models a repository holds, and which of them is meant."""

from dataclasses import dataclass

from localspec.models.hub import RemoteFile, Snapshot
from localspec.models.naming import Reference, is_draft, labels, part_of, spoken

from localspec.errors import UsageError

__all__ = ["Variant", "choose", "variants"]

_DEFAULT = "Q4_K_M"
_NO_MODELS = ("mmproj", "imatrix")  # in names of files that are no language models


@dataclass(frozen=True)
class Variant:
    """A model in one quantization: one file, or several parts in order.

    `is_draft` where its name says that it is there to guess for the others.
    """

    quantization: str
    files: tuple[RemoteFile, ...]
    is_draft: bool = False

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(file.size for file in self.files)


def variants(source: Snapshot) -> list[Variant]:
    """The models a repository holds, smallest first; parts that are not complete are left out."""
    by_path = {file.path: file for file in source.files}
    models = {}
    for path in by_path:
        part = part_of(path)
        names = part.siblings if part else [path]
        if path == names[0] and all(name in by_path for name in names):
            models[path] = tuple(by_path[name] for name in names)
    found = [
        Variant(label, models[path], is_draft(path, source.repository))
        for path, label in labels(source.repository, models).items()
        if not any(word in path.lower() for word in _NO_MODELS)
    ]
    return sorted(found, key=lambda variant: variant.size)


def choose(source: Snapshot, reference: Reference) -> Variant:
    """The variant that was asked for: by default Q4_K_M, or the only one. Raises UsageError."""
    found = [variant for variant in variants(source) if not variant.is_draft] or variants(source)
    wanted = (reference.quantization or _DEFAULT).lower()
    for variant in found:
        if variant.quantization.lower() == wanted:
            return variant
    if len(found) == 1 and not reference.quantization:
        return found[0]
    there = ", ".join(f"{v.quantization} ({spoken(v.size)})" for v in found) or "no whole model"
    asked = reference.quantization or f"{_DEFAULT}, the default"
    raise UsageError(f"{source.repository} does not have {asked}; it has {there}.")
