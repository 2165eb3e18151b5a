"""What models a repository holds, and which of them is meant."""

from dataclasses import dataclass

from localspec import spoken
from localspec.errors import UsageError
from localspec.models.hub import RemoteFile, Snapshot
from localspec.models.naming import DEFAULT, Reference, is_draft, labels, means, models_of

__all__ = ["Variant", "choose", "variants"]


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
    models = models_of(by_path)
    found = [
        Variant(
            quantization=label,
            files=tuple(by_path[name] for name in models[path]),
            is_draft=is_draft(path, source.repository),
        )
        for path, label in labels(source.repository, models).items()
    ]
    return sorted(found, key=lambda variant: variant.size)


def choose(source: Snapshot, reference: Reference) -> Variant:
    """The variant that was asked for: by default Q4_K_M, or the only one beside drafts.

    Raises UsageError where there is none such.
    """
    found = variants(source)
    targets = [variant for variant in found if not variant.is_draft] or found
    wanted = reference.quantization or DEFAULT
    for variant in found if reference.quantization else targets:
        if means(wanted, variant.quantization, variant.files[0].path):
            return variant
    if len(targets) == 1 and not reference.quantization:
        return targets[0]
    there = (
        ", ".join(f"{v.quantization} ({spoken.size(v.size)})" for v in found) or "no whole model"
    )
    asked = reference.quantization or f"{DEFAULT}, the default"
    raise UsageError(f"{source.repository} does not have {asked}; it has {there}.")
