"""What a twin's file says before its weights: the source's header in the twin's dimensions."""

from typing import Any

import gguf

from localspec.bench.shapes import Shape
from localspec.bench.source import ARCHITECTURE, Entry, Source
from localspec.errors import ModelError

__all__ = ["write_header"]

_ARRAY, _STRING = gguf.GGUFValueType.ARRAY, gguf.GGUFValueType.STRING
_UINT32, _FLOAT32 = gguf.GGUFValueType.UINT32, gguf.GGUFValueType.FLOAT32

_CARRIED = frozenset({"context_length", "rope.freq_base"})
"""Keys of the architecture that stay; `_dimensions` has the rest, others would go unheeded."""
_LEFT_OUT = frozenset({"general.architecture", "general.alignment"})  # the writer's own business


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
    for entry in source.header():
        if entry.key not in ours and entry.key not in _LEFT_OUT:
            _check_meaning(entry.key, source)
            value, subtype = _for_vocabulary(entry, shape.vocabulary), None
            if entry.types[0] == _ARRAY:
                subtype = entry.types[-1]
            writer.add_key_value(entry.key, value, entry.types[0], subtype)


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


def _for_vocabulary(entry: Entry, size: int) -> Any:
    """The value, with entries for added tokens where it has one for each token."""
    known = len(entry.value) if entry.types[0] == _ARRAY else 0
    match entry.key:
        case "tokenizer.ggml.tokens":
            return entry.value + [f"<|dummy{token}|>" for token in range(known, size)]
        case "tokenizer.ggml.token_type":
            return entry.value + [int(gguf.TokenType.UNUSED)] * (size - known)
        case "tokenizer.ggml.scores":
            return entry.value + [0.0] * (size - known)
    return entry.value


def _check_meaning(key: str, source: Source) -> None:
    family, _, rest = key.partition(".")
    if family == ARCHITECTURE and rest not in _CARRIED:
        raise ModelError(f"{source.path} sets {key}, which a twin cannot take over.")


def _file_type(kind: Any) -> int:
    return int(gguf.LlamaFileType[f"MOSTLY_{kind.name}"])
