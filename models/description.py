"""What a header says of its model, in the words people use for models."""

import functools
from dataclasses import dataclass, field, replace
from pathlib import Path

import gguf.constants as gguf

from localspec.errors import ModelError
from localspec.models.header import Header
from localspec.models.naming import part_of
from localspec.models.reader import read_header

__all__ = ["Description", "describe", "header_of", "headers_of"]

_GUESSED = 1024  # a flag in general.file_type
_MOSTLY, _ALL = "MOSTLY_", "ALL_"


@dataclass(frozen=True)
class Description:
    """A model as its files describe it. Figures that a file does not give are None."""

    name: str
    architecture: str
    files: tuple[Path, ...]
    size: int
    parameters: int
    quantization: str
    context_length: int | None
    layers: int | None
    vocabulary_size: int | None
    chat_template: str | None = field(repr=False)
    licence: str | None
    base: str | None
    """What it was made from, as `user/repo`, where the file says so."""

    @functools.cached_property
    def bits(self) -> float:
        """Bits a weight, all counted."""
        return self.size * 8 / max(1, self.parameters)


def describe(path: Path) -> Description:
    """Read all files of a model. Raises ModelError where one is damaged, missing or twice there."""
    headers = headers_of(path)
    first = headers[0]
    tokens = first.strings("tokenizer.ggml.tokens")
    return Description(
        name=first.text("general.name") or path.stem,
        architecture=first.architecture,
        files=tuple(header.path for header in headers),
        size=sum(header.size for header in headers),
        parameters=sum(header.parameters for header in headers),
        quantization=_quantization(headers),
        context_length=first.integer(first.own("context_length")),
        layers=first.integer(first.own("block_count")),
        vocabulary_size=None if tokens is None else len(tokens),
        chat_template=first.text("tokenizer.chat_template"),
        licence=first.text("general.license"),
        base=_base(first),
    )


def headers_of(path: Path) -> list[Header]:
    """The headers of the file and, where it is the first of several, of the others."""
    first = read_header(path)
    count = first.integer("split.count") or 1
    if count == 1:
        return [first]
    part = part_of(path.name)
    if part is None or part.total != count:
        raise ModelError(f"{path} is one of {count} parts, but its name does not say which.")
    if part.number != 1:
        raise ModelError(f"{path} is not the first part; name {part.siblings[0]} instead.")
    missing = [name for name in part.siblings if not path.with_name(name).exists()]
    if missing:
        raise ModelError(f"{path} lacks {len(missing)} of its parts, first {missing[0]}; get them.")
    headers = [first, *(read_header(path.with_name(name)) for name in part.siblings[1:])]
    for number, header in enumerate(headers):
        if (header.integer("split.no"), header.integer("split.count")) != (number, count):
            raise ModelError(f"{header.path} is not part {number + 1} of {count}; get it again.")
    return headers


def header_of(path: Path) -> Header:
    """The header of a model: the first file's, with the size and the tensors of all.

    Raises ModelError as `describe` does.
    """
    headers = headers_of(path)
    tensors = [tensor for header in headers for tensor in header.tensors]
    return replace(headers[0], size=sum(header.size for header in headers), tensors=tensors)


def _quantization(headers: list[Header]) -> str:
    """As the file says, or else the one that most of its bytes have."""
    said = headers[0].integer("general.file_type")
    if said is not None:
        for kind in gguf.LlamaFileType:
            if int(kind) == said & ~_GUESSED:
                return str(kind.name).removeprefix(_MOSTLY).removeprefix(_ALL)
    sizes: dict[str, int] = {}
    for header in headers:
        for tensor in header.tensors:
            sizes[tensor.kind] = sizes.get(tensor.kind, 0) + tensor.size
    return max(sizes, key=lambda kind: sizes[kind], default="unknown")


def _base(header: Header) -> str | None:
    url = header.text("general.base_model.0.repo_url") or ""
    owner, _, name = url.rstrip("/").rpartition("/")
    owner = owner.rpartition("/")[2]
    return f"{owner}/{name}" if owner and name else None
