"""A small Qwen3 model as the source of a twin, read tensor by tensor from its GGUF files."""

from pathlib import Path
from typing import Any

import gguf
import numpy as np
import numpy.typing as npt

from localspec.bench.shapes import Shape
from localspec.errors import ModelError
from localspec.models.description import headers_of
from localspec.models.qwen3 import ARCHITECTURE, dimensions

__all__ = ["Blocks", "Floats", "Source"]

Blocks = npt.NDArray[np.uint8]
"""A quantized matrix of shape (rows, blocks in a row, bytes of a block)."""
Floats = npt.NDArray[np.float32]

_NORMS = ("attn_norm", "ffn_norm", "attn_q_norm", "attn_k_norm")
_MATRICES = ("attn_q", "attn_k", "attn_v", "attn_output", "ffn_gate", "ffn_up", "ffn_down")


class Source:
    """Dimensions, header and weights. Raises ModelError where no twin can be made of it."""

    def __init__(self, path: Path) -> None:
        self.path, self.name = path, path.stem
        parts = headers_of(path)
        self.header = parts[0]
        self._tensors = {
            tensor.name: (part.path, tensor) for part in parts for tensor in part.tensors
        }
        self.shape = self._read_shape()
        self.epsilon = self._read_epsilon()
        self._check_tensors()

    def vector(self, name: str) -> Floats:
        """The weights of a norm."""
        vector: Floats = self._in_full(name)[0]
        return vector

    def blocks(self, name: str, kind: Any) -> Blocks:
        """A matrix in the quantization `kind`, byte for byte where the file has it so."""
        found, data = self._stored(name)
        if found != kind:
            data = gguf.quants.quantize(self._in_full(name), kind)
        blocks: Blocks = data.reshape(len(data), -1, gguf.GGML_QUANT_SIZES[kind][1])
        return blocks

    def _stored(self, name: str) -> tuple[Any, npt.NDArray[np.uint8]]:
        """A tensor's kind, and the tensor as it lies in its file: (rows, bytes of a row)."""
        path, tensor = self._tensors[f"{name}.weight"]
        rows = tensor.elements // tensor.shape[0]
        shape = (rows, tensor.size // rows)
        data = np.memmap(path, np.uint8, "r", offset=tensor.offset, shape=shape)
        return gguf.GGMLQuantizationType[tensor.kind], data

    def _in_full(self, name: str) -> Floats:
        kind, data = self._stored(name)
        try:
            weights: Floats = gguf.quants.dequantize(data, kind)
        except NotImplementedError:
            raise ModelError(
                f"{self.path} is quantized as {kind.name}, which cannot be read here."
            ) from None
        return weights

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
        sizes = dimensions(self.header)
        tokens = self.header.strings("tokenizer.ggml.tokens")
        if tokens is None:
            raise ModelError(f"{self.path} holds no vocabulary; get a GGUF with its tokenizer.")
        return Shape(self.name, *sizes, len(tokens), tied="output.weight" not in self._tensors)

    def _read_epsilon(self) -> float:
        """What norms add before they divide."""
        key = self.header.own("attention.layer_norm_rms_epsilon")
        found = self.header.fields.get(key)
        if found is None or not isinstance(found.value, float):
            raise ModelError(f"{self.path} does not say its {key}; get another file of the model.")
        return found.value
