"""A small Qwen3 model as the source of a twin, read tensor by tensor from its GGUF file."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import gguf
import numpy as np
import numpy.typing as npt

from localspec.bench.shapes import Shape
from localspec.errors import ModelError

__all__ = ["ARCHITECTURE", "Blocks", "Entry", "Floats", "Source"]

ARCHITECTURE = "qwen3"

Blocks = npt.NDArray[np.uint8]
"""A quantized matrix of shape (rows, blocks in a row, bytes of a block)."""
Floats = npt.NDArray[np.float32]

_NORMS = ("attn_norm", "ffn_norm", "attn_q_norm", "attn_k_norm")
_MATRICES = ("attn_q", "attn_k", "attn_v", "attn_output", "ffn_gate", "ffn_up", "ffn_down")

_DAMAGED = (ValueError, KeyError, IndexError, OverflowError)
"""What GGUFReader raises on files that are not what they should be."""


class Entry(NamedTuple):
    """A key of the header, its value and its GGUF types (of an array: ARRAY, then its items')."""

    key: str
    value: Any
    types: list[Any]


class Source:
    """Dimensions, header and weights. Raises ModelError where no twin can be made of the file."""

    def __init__(self, path: Path) -> None:
        self.path, self.name = path, path.stem
        try:
            self._reader = gguf.GGUFReader(path)
            self._tensors = {tensor.name: tensor for tensor in self._reader.tensors}
            self._check_architecture()
            self.shape = self._read_shape()
            self.epsilon = float(self._own("attention.layer_norm_rms_epsilon"))
            self._check_tensors()
        except FileNotFoundError:
            raise ModelError(f"There is no file {path}; check the path.") from None
        except OSError as error:
            raise ModelError(f"{path} cannot be read: {error.strerror}.") from error
        except _DAMAGED as error:
            raise ModelError(f"{path} is not a whole {ARCHITECTURE} GGUF file.") from error

    def header(self) -> Iterator[Entry]:
        """All keys of the file, in order."""
        for key, field in self._reader.fields.items():
            if not key.startswith("GGUF."):
                yield Entry(key, field.contents(), field.types)

    def vector(self, name: str) -> Floats:
        """The weights of a norm."""
        tensor = self._tensors[f"{name}.weight"]
        return self._in_full(tensor)

    def blocks(self, name: str, kind: Any) -> Blocks:
        """A matrix in the quantization `kind`, byte for byte where the file has it so."""
        tensor = self._tensors[f"{name}.weight"]
        data = tensor.data
        if tensor.tensor_type != kind:
            data = gguf.quants.quantize(self._in_full(tensor), kind)
        blocks: Blocks = data.reshape(len(data), -1, gguf.GGML_QUANT_SIZES[kind][1])
        return blocks

    def _in_full(self, tensor: Any) -> Floats:
        try:
            weights: Floats = gguf.quants.dequantize(tensor.data, tensor.tensor_type)
        except NotImplementedError:
            raise ModelError(
                f"{self.path} is quantized as {tensor.tensor_type.name}, which cannot be read here."
            ) from None
        return weights

    def _check_architecture(self) -> None:
        found = self._reader.fields["general.architecture"].contents()
        if found != ARCHITECTURE:
            raise ModelError(
                f"{self.path} is a {found} model; twins are made of {ARCHITECTURE} models."
            )

    def _check_tensors(self) -> None:
        """A tensor that is missing or that nothing here knows of would make another function."""
        known = {"token_embd", "output_norm"}
        if not self.shape.tied:
            known.add("output")
        for layer in range(self.shape.layers):
            known.update(f"blk.{layer}.{part}" for part in (*_NORMS, *_MATRICES))
        differing = self._tensors.keys() ^ {f"{name}.weight" for name in known}
        if differing:
            raise ModelError(
                f"{self.path} is no plain {ARCHITECTURE} model: {min(differing)} is missing or new."
            )

    def _read_shape(self) -> Shape:
        return Shape(
            name=self.name,
            width=self._own("embedding_length"),
            layers=self._own("block_count"),
            heads=self._own("attention.head_count"),
            kv_heads=self._own("attention.head_count_kv"),
            head_size=self._own("attention.key_length"),
            hidden=self._own("feed_forward_length"),
            vocabulary=len(self._reader.fields["tokenizer.ggml.tokens"].data),
            tied="output.weight" not in self._tensors,
        )

    def _own(self, key: str) -> Any:
        return self._reader.fields[f"{ARCHITECTURE}.{key}"].contents()
