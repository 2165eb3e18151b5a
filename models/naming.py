"""What names say: `user/repo:Q4_K_M`, `model-Q4_K_M-00001-of-00003.gguf`. No file is looked at.

Names come from command lines and from servers, and are parts of paths later: one that could lead
out of the folder it is meant for is no name.
"""

import re
from collections import Counter
from collections.abc import Iterable
from pathlib import PurePosixPath
from typing import NamedTuple

__all__ = [
    "DEFAULT",
    "Part",
    "Reference",
    "is_draft",
    "is_safe",
    "labels",
    "means",
    "models_of",
    "parse",
    "part_of",
    "quantization_in",
]

DEFAULT = "Q4_K_M"
"""The quantization that is meant where none is said."""
_DRAFT = "draft-"
"""How the label of a draft among other models begins."""

_WORD = r"[A-Za-z0-9][A-Za-z0-9._-]{0,95}"
_REFERENCE = re.compile(rf"({_WORD}/{_WORD})(?::([A-Za-z0-9._-]{{1,120}}))?")
_PART = re.compile(r"(.+)-(\d{5})-of-(\d{5})(\.gguf)", re.IGNORECASE)
_QUANTIZATION = re.compile(
    r"(?:^|[-_./])"
    r"((?:UD-)?(?:I?Q\d(?:_\d|_K|_NL|_S|_M|_XS|_XXS|_XL|_L)*|TQ\d_\d|BF16|F16|F32|FP16|MXFP4(?:_MOE)?))"
    r"(?=$|[-./])",
    re.IGNORECASE,
)
_RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)  # on Windows


class Reference(NamedTuple):
    """A repository on the hub, and which of its quantizations, where that was said."""

    repository: str
    quantization: str | None = None

    def __str__(self) -> str:
        return ":".join(filter(None, self))


def parse(name: str) -> Reference | None:
    """`user/repo` or `user/repo:quant`; None for anything else."""
    found = _REFERENCE.fullmatch(name)
    if found is None or not is_safe(found[1]):
        return None
    return Reference(found[1], found[2])


def is_safe(path: str) -> bool:
    """Whether a relative path, as servers write them, stays inside the folder it is put in, and
    shows as what it is.
    """
    parts = PurePosixPath(path).parts
    return (
        bool(parts)
        and not path.startswith("/")
        and not any(part in ("..", ".") or part.endswith((".", " ")) for part in parts)
        and not any(_RESERVED.fullmatch(part) for part in parts)
        and not any(not c.isprintable() or c in '\\:*?"<>|' for c in path)
        and ".." not in path
    )


class Part(NamedTuple):
    """One of `total` files that make up the model `stem`; `number` counts from 1."""

    stem: str
    number: int
    total: int
    ending: str

    @property
    def siblings(self) -> list[str]:
        """The names of all of them."""
        return [
            f"{self.stem}-{number:05}-of-{self.total:05}{self.ending}"
            for number in range(1, self.total + 1)
        ]


def part_of(name: str) -> Part | None:
    """What a file's name says of it as a part; None for a model in one file."""
    found = _PART.fullmatch(name)
    if found is None:
        return None
    part = Part(found[1], int(found[2]), int(found[3]), found[4])
    return part if 1 <= part.number <= part.total else None


def quantization_in(name: str) -> str | None:
    """The quantization a file's name, or the folder it is in, speaks of: the last one named."""
    found = _QUANTIZATION.findall(re.sub(r"\.gguf$", "", name, flags=re.IGNORECASE))
    return found[-1].upper() if found else None


def is_draft(path: str, repository: str) -> bool:
    """Whether a file is called a draft in a repository that is not one of drafts."""
    return "draft" in path.rpartition("/")[2].lower() and "draft" not in repository.lower()


def models_of(paths: Iterable[str]) -> dict[str, list[str]]:
    """The files of each model among `paths`, in order, by the first of them.

    Left out is what is no language model, and what lacks parts.
    """
    there = dict.fromkeys(paths)
    found = {}
    for path in there:
        part = part_of(path)
        files = part.siblings if part else [path]
        if _is_model(path) and path == files[0] and there.keys() >= set(files):
            found[path] = files
    return found


def _is_model(path: str) -> bool:
    """Whether it may be a language model: no eyes for one, and no matrix to quantize one by."""
    name = path.lower()
    _, matrix, rest = name.rpartition("imatrix")
    is_matrix = matrix and quantization_in(rest) is None  # else a model that was quantized by one
    return name.endswith(".gguf") and "mmproj" not in name and not is_matrix


def labels(repository: str, paths: Iterable[str]) -> dict[str, str]:
    """What to call the models of a repository, by the path of their first file.

    That is the quantization, behind `draft-` for a draft among others; the file's name without
    its ending where it speaks of no quantization, or of one that another file has too.
    """
    found = {}
    for path in paths:
        quantization = quantization_in(path) or _stem(path)
        found[path] = f"{_DRAFT}{quantization}" if is_draft(path, repository) else quantization
    counts = Counter(label.lower() for label in found.values())
    return {
        path: label if counts[label.lower()] == 1 else _stem(path) for path, label in found.items()
    }


def means(wanted: str, label: str, path: str) -> bool:
    """Whether `wanted` says the model at `path`: by its label, or by its file's name.

    The label depends on what else is there; the file's name is the label where that is not clear.
    """
    return wanted.lower() in (label.lower(), _stem(path).lower())


def _stem(path: str) -> str:
    """The name of a model's file without its ending and, of a part, without the number."""
    name = PurePosixPath(path).name
    part = part_of(name)
    return part.stem if part else name.rpartition(".")[0]
