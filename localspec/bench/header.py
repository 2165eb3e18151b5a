"""What a twin's file says before its weights: the source's header in the twin's dimensions."""

from typing import Any

import gguf
import numpy as np

from localspec.bench.shapes import Shape
from localspec.bench.source import Source
from localspec.errors import ModelError
from localspec.models.header import Field, Strings
from localspec.models.qwen3 import ARCHITECTURE

__all__ = ["write_header"]

_ARRAY, _STRING = gguf.GGUFValueType.ARRAY, gguf.GGUFValueType.STRING
_UINT32, _FLOAT32 = gguf.GGUFValueType.UINT32, gguf.GGUFValueType.FLOAT32

_CARRIED = frozenset({"context_length", "rope.freq_base"})
"""Keys of the architecture that stay; `_dimensions` has the rest, others would go unheeded."""
_LEFT_OUT = ("general.architecture", "general.alignment", "split.")
"""Beginnings of keys that are the writer's own business."""


def write_header(writer: Any, source: Source, shape: Shape, kind: Any, epsilon: float) -> None:
    """Add all keys to a GGUFWriter. ModelError for a source with keys that have no meaning here."""
    ours = {
        "general.name": (f"twin of {source.name} as {shape.name}", _STRING),
        "general.file_type": (_file_type(kind), _UINT32),
        "general.quantization_version": (gguf.GGML_QUANT_VERSION, _UINT32),
        f"{ARCHITECTURE}.attention.layer_norm_rms_epsilon": (epsilon, _FLOAT32),
        **{f"{ARCHITECTURE}.{key}": (n, _UINT32) for key, n in _dimensions(shape).items()},
    }
    for key, (value, kind_of_value) in ours.items():
        writer.add_key_value(key, value, kind_of_value)
    for key, entry in source.header.fields.items():
        if key not in ours and not key.startswith(_LEFT_OUT):
            _check_meaning(key, source)
            kind_of_value = gguf.GGUFValueType[entry.kind]
            if entry.is_array:
                value = _for_vocabulary(key, _listed(entry), shape.vocabulary)
                writer.add_key_value(key, value, _ARRAY, kind_of_value)
            else:
                writer.add_key_value(key, entry.value, kind_of_value)


def _dimensions(shape: Shape) -> dict[str, int]:
    return {
        "embedding_length": shape.width,
        "block_count": shape.layers,
        "feed_forward_length": shape.hidden,
        "attention.head_count": shape.heads,
        "attention.head_count_kv": shape.kv_heads,
        "attention.key_length": shape.head_size,
        "attention.value_length": shape.head_size,
        "rope.dimension_count": shape.head_size,
        "vocab_size": shape.vocabulary,
    }


def _listed(entry: Field) -> list[Any]:
    return list(entry.value) if isinstance(entry.value, Strings) else np.ravel(entry.value).tolist()


def _for_vocabulary(key: str, value: list[Any], size: int) -> list[Any]:
    """The values, with more of them for added tokens where there is one for each token."""
    known = len(value)
    match key:
        case "tokenizer.ggml.tokens":
            return value + [f"<|dummy{token}|>" for token in range(known, size)]
        case "tokenizer.ggml.token_type":
            return value + [int(gguf.TokenType.UNUSED)] * (size - known)
        case "tokenizer.ggml.scores":
            return value + [0.0] * (size - known)
    return value


def _check_meaning(key: str, source: Source) -> None:
    family, _, rest = key.partition(".")
    if family == ARCHITECTURE and rest not in _CARRIED:
        raise ModelError(f"{source.path} sets {key}, which a twin cannot take over.")


def _file_type(kind: Any) -> int:
    return int(gguf.LlamaFileType[f"MOSTLY_{kind.name}"])
