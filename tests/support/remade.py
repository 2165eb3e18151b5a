"""The shell's target with another chat template, and control tokens that it did not have."""

from collections.abc import Sequence
from pathlib import Path

import gguf
from gguf.scripts.gguf_new_metadata import MetadataDetails, copy_with_new_metadata
from gguf_writing import read_gguf

from localspec import models


def remade(path: Path, template: str | None = None, control: Sequence[str] = ()) -> Path:
    """A file in which the last words of the vocabulary have become `control` tokens."""
    reader = read_gguf(models.embedded("shell").target)
    changed = {}
    for name, new in (("tokens", control), ("token_type", [gguf.TokenType.CONTROL] * len(control))):
        field = reader.fields[f"tokenizer.ggml.{name}"]
        values = field.contents()
        values[len(values) - len(new) :] = new
        changed[field.name] = MetadataDetails(field.types[0], values, sub_type=field.types[-1])
    if template is not None:
        details = MetadataDetails(gguf.GGUFValueType.STRING, template)
        changed["tokenizer.chat_template"] = details
    copy_with_new_metadata(reader, gguf.GGUFWriter(path, "qwen3"), changed, [])
    return path
