"""`localspec models show`: what a model file says of itself."""

import argparse
import json
from collections.abc import Iterator

import numpy as np

from localspec import spoken
from localspec.console import columns, dim, paragraph, printable, strong, table
from localspec.errors import ModelError
from localspec.models import catalogue, shelf
from localspec.models.description import Description, describe, headers_of
from localspec.models.header import Field, Header, Strings
from localspec.models.resolve import find

__all__ = ["run"]

_COLUMN = 14
_MOST_ITEMS = 6
_MOST_LETTERS = 60


def run(options: argparse.Namespace) -> int:
    """Print a summary, or the part that was asked for."""
    path = find(options.model)
    description, headers = describe(path), headers_of(path)
    if options.json:
        print(json.dumps(_document(description, headers), ensure_ascii=False))
        return 0
    if options.template:
        if description.chat_template is None:
            raise ModelError(f"{path} has no chat template; it continues raw text only.")
        print(printable(description.chat_template))
    elif options.tensors:
        print("\n".join(table([("tensor", "type", "shape", "size"), *_tensors(headers)])))
    elif options.keys:
        for header in headers[:1]:
            for key, field in header.fields.items():
                print(printable(f"{key} = {_shown(field)}"))
    else:
        print(strong(printable(description.name)))
        for subject, text in _summary(description, headers[0]):
            first, *more = paragraph(printable(text), columns(), " " * (_COLUMN + 2))
            print("\n".join([f"  {dim(f'{subject:<{_COLUMN}}')}{first.strip()}", *more]))
    return 0


def _summary(d: Description, header: Header) -> Iterator[tuple[str, str]]:
    yield "file", str(d.files[0]) + (f" and {len(d.files) - 1} more" if len(d.files) > 1 else "")
    yield (
        "size",
        f"{spoken.size(d.size)}, {spoken.weights(d.parameters)} weights at {d.bits:.1f} bits",
    )
    yield "kind", f"{d.architecture}, {d.quantization}, {d.layers or '?'} layers"
    if d.context_length:
        yield "context", f"{d.context_length} tokens"
    if d.vocabulary_size:
        yield "vocabulary", _vocabulary(d.vocabulary_size, header)
    source = shelf.origin(d.files[0])
    entry = catalogue.entry_of(source.repository) if source else None
    yield "template", _template(d.chat_template, entry.template if entry else "")
    if d.licence:
        yield "licence", d.licence
    if d.base:
        yield "made from", d.base
    if source:
        yield "pulled", f"{source.pulled[:10]} from {source.repository} at {source.commit[:12]}"


def _vocabulary(size: int, header: Header) -> str:
    kind = header.text("tokenizer.ggml.pre") or header.text("tokenizer.ggml.model") or "unknown"
    tokens = header.strings("tokenizer.ggml.tokens")
    ends = []
    for name in ("bos", "eos", "eot"):
        token = header.integer(f"tokenizer.ggml.{name}_token_id")
        if token is not None and tokens is not None and token < len(tokens):
            ends.append(f"{name} {tokens[token]}")
    return ", ".join([f"{size} tokens", kind, *ends])


def _template(source: str | None, known: str) -> str:
    """What there is of one, and what the catalogue knows of it."""
    if source is None:
        return "none; it continues raw text"
    lines = source.count("\n") + 1
    there = f"{lines} {'line' if lines == 1 else 'lines'}, shown by --template"
    return f"{there}; {known}" if known else there


def _tensors(headers: list[Header]) -> Iterator[tuple[str, ...]]:
    for header in headers:
        for tensor in header.tensors:
            shape = " × ".join(map(str, tensor.shape))
            yield printable(tensor.name), tensor.kind, shape, spoken.size(tensor.size)


def _shown(field: Field) -> str:
    """A value in a line."""
    value = field.value
    if isinstance(value, Strings | np.ndarray):
        items = [repr(item) if isinstance(item, str) else str(item) for item in value[:_MOST_ITEMS]]
        more = ", …" if len(value) > _MOST_ITEMS else ""
        return f"[{', '.join(items)}{more}] ({len(value)})"
    if isinstance(value, str):
        return repr(value if len(value) <= _MOST_LETTERS else value[:_MOST_LETTERS] + "…")
    return str(value)


def _document(d: Description, headers: list[Header]) -> dict[str, object]:
    source = shelf.origin(d.files[0])
    return {
        "name": d.name,
        "files": [str(file) for file in d.files],
        "size": d.size,
        "architecture": d.architecture,
        "quantization": d.quantization,
        "parameters": d.parameters,
        "bits_per_weight": round(d.bits, 2),
        "layers": d.layers,
        "context_length": d.context_length,
        "vocabulary_size": d.vocabulary_size,
        "chat_template": d.chat_template,
        "licence": d.licence,
        "base": d.base,
        "origin": source and vars(source),
        "keys": {
            key: field.value for key, field in headers[0].fields.items() if not field.is_array
        },
        "tensors": [
            {"name": t.name, "kind": t.kind, "shape": t.shape, "size": t.size}
            for header in headers
            for t in header.tensors
        ],
    }
