"""Decoders in GGUF files: written for llama.cpp with another file's vocabulary, and read again."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Literal

import gguf
import numpy as np
import numpy.typing as npt

from localspec.distill.shape import EPSILON, ROPE_BASE, DecoderShape
from localspec.errors import ModelError
from localspec.models.qwen3 import ARCHITECTURE, dimensions
from localspec.models.reader import read_header

__all__ = ["EMBEDDING", "Kind", "check_vocabulary", "read", "shape_of", "write"]

EMBEDDING = "token_embd.weight"
Kind = Literal["bf16", "q8_0", "q5_0", "q4_0"]
Weights = Mapping[str, npt.NDArray[np.float32]]
"""Weights by llama.cpp's names, matrices as [outputs, inputs]."""

_TYPES = {
    "bf16": (gguf.GGMLQuantizationType.BF16, gguf.LlamaFileType.MOSTLY_BF16),
    "q8_0": (gguf.GGMLQuantizationType.Q8_0, gguf.LlamaFileType.MOSTLY_Q8_0),
    "q5_0": (gguf.GGMLQuantizationType.Q5_0, gguf.LlamaFileType.MOSTLY_Q5_0),
    "q4_0": (gguf.GGMLQuantizationType.Q4_0, gguf.LlamaFileType.MOSTLY_Q4_0),
}


def write(
    path: Path,
    name: str,
    weights: Weights,
    shape: DecoderShape,
    vocabulary: Path,
    kind: Kind,
    embedding: Kind | None = None,
) -> None:
    """Write a decoder under `path`, whole or not at all.

    The embedding, which gives the logits too, is of a kind of its own where one is named: it is the
    most part of a small decoder, and llama.cpp is quickest with Q4_0.

    Tokens, merges, control tokens and chat template are those of the GGUF file `vocabulary`.
    Matrices whose rows are not divisible by 32 stay float32. Raises ModelError where that file
    holds no vocabulary that can be copied, OSError where there is no room.
    """
    part = path.with_name(path.name + ".part")
    writer = gguf.GGUFWriter(part, ARCHITECTURE)
    try:
        writer.add_name(name)
        writer.add_file_type(_TYPES[kind][1])
        _add_shape(writer, shape)
        _copy_vocabulary(writer, vocabulary)
        for tensor, values in weights.items():
            named = embedding if embedding and tensor == EMBEDDING else kind
            _add_tensor(writer, tensor, values, _TYPES[named][0])
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
        writer.close()
        part.replace(path)
    except BaseException:
        writer.close()
        part.unlink(missing_ok=True)
        raise


def _add_shape(writer: gguf.GGUFWriter, shape: DecoderShape) -> None:
    writer.add_context_length(shape.context)
    writer.add_embedding_length(shape.width)
    writer.add_block_count(shape.layers)
    writer.add_feed_forward_length(shape.hidden)
    writer.add_head_count(shape.heads)
    writer.add_head_count_kv(shape.kv_heads)
    writer.add_key_length(shape.head)
    writer.add_value_length(shape.head)
    writer.add_layer_norm_rms_eps(EPSILON)
    writer.add_rope_freq_base(ROPE_BASE)
    writer.add_vocab_size(shape.vocabulary)


def _add_tensor(
    writer: gguf.GGUFWriter,
    name: str,
    values: npt.NDArray[np.float32],
    kind: gguf.GGMLQuantizationType,
) -> None:
    if values.ndim == 1 or values.shape[1] % 32:
        writer.add_tensor(name, values.astype(np.float32))
    else:
        data = gguf.quants.quantize(np.ascontiguousarray(values, np.float32), kind)
        writer.add_tensor(name, data, raw_dtype=kind)


def read(path: Path) -> tuple[DecoderShape, dict[str, npt.NDArray[np.float32]]]:
    """Shape and weights of a decoder that `write` could have written. Raises ModelError."""
    shape = shape_of(path)
    return shape, {
        tensor.name: gguf.quants.dequantize(tensor.data, tensor.tensor_type).astype(np.float32)
        for tensor in gguf.GGUFReader(path).tensors
    }


def shape_of(path: Path) -> DecoderShape:
    """The shape of such a decoder, by its header alone. Raises ModelError."""
    header = read_header(path)
    sizes = dimensions(header)
    context = header.integer(header.own("context_length"))
    if context is None:
        raise ModelError(f"{path} does not say how long its context is; it cannot be trained on.")
    rows = {tensor.name: tensor.shape[-1] for tensor in header.tensors}
    return DecoderShape(vocabulary=rows.get(EMBEDDING, 0), context=context, **sizes._asdict())


def check_vocabulary(source: Path) -> None:
    """Raises ModelError where a file holds no vocabulary that can be copied."""
    if read_header(source).strings(gguf.Keys.Tokenizer.LIST) is None:
        raise ModelError(f"{source} holds no vocabulary to copy; get a GGUF with its tokenizer.")


def _copy_vocabulary(writer: gguf.GGUFWriter, source: Path) -> None:
    check_vocabulary(source)
    for key, value, kind, inner in _tokenizer_fields(gguf.GGUFReader(source)):
        writer.add_key_value(key, value, kind, inner)


def _tokenizer_fields(
    reader: gguf.GGUFReader,
) -> Iterator[tuple[str, object, gguf.GGUFValueType, gguf.GGUFValueType | None]]:
    for key, field in reader.fields.items():
        if key.startswith("tokenizer."):
            inner = field.types[1] if field.types[0] == gguf.GGUFValueType.ARRAY else None
            yield key, field.contents(), field.types[0], inner
