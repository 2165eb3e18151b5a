"""A GGUF model in memory: its weights, its dimensions, its vocabulary, its chat template."""

import ctypes
import functools
import os
from pathlib import Path
from typing import Self

from localspec.errors import ModelError
from localspec.llama import kernels
from localspec.llama.handle import Handle
from localspec.llama.library import complaint, lib, listen, on_cpu, start
from localspec.llama.vocabulary import Vocabulary

__all__ = ["Model"]


class Model:
    """Weights and vocabulary. Contexts made from it must be closed before it is.

    `gpu_layers` is how many layers go to a GPU, all by default; a build without one ignores it.
    Where it need not be `exact`, as a draft need not, rows may round otherwise beside others.
    Raises ModelError where the file cannot be used.
    """

    def __init__(self, path: str | Path, *, gpu_layers: int = -1, exact: bool = True) -> None:
        self.path = Path(path)
        self.on_cpu = on_cpu(gpu_layers)
        self.exact, self._gpu_layers = exact, gpu_layers
        start()
        params = lib.llama_model_default_params()
        params.n_gpu_layers = gpu_layers
        way = kernels.way(self.path, gpu_layers=gpu_layers, exact=exact)  # says what is wrong
        params.use_extra_bufts, self.even, self.bulk = way
        listen()
        loaded = lib.llama_model_load_from_file(os.fsencode(self.path), params)
        if not loaded:
            raise ModelError(
                f"llama.cpp cannot load {self.path}: {complaint()}; there may be too little memory."
            )
        self._handle: Handle | None = Handle(loaded).freed_by(lib.llama_model_free)
        try:
            if lib.llama_model_has_encoder(self.handle):
                raise ModelError(
                    f"{self.path} reads with an encoder of its own, as T5 does; use another model."
                )
            self.vocabulary = Vocabulary(self.handle.part(lib.llama_model_get_vocab(self.handle)))
        except ModelError:
            self._handle = None
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Give the memory back, as soon as no other thread is asking the vocabulary something."""
        self.vocabulary.close()
        self._handle = None

    @property
    def handle(self) -> Handle:
        """llama.cpp's own. Raises ModelError where the model was closed."""
        handle = self._handle
        if handle is None:
            raise ModelError(f"{self.name} was closed; load it again.")
        return handle

    @property
    def on_gpu(self) -> bool:
        """Whether a GPU does all the work: with layers on both, it has the processor wait."""
        return not self.on_cpu and not 0 <= self._gpu_layers <= self.layers

    @property
    def name(self) -> str:
        """The file's name without its ending."""
        return self.path.stem

    @functools.cached_property
    def description(self) -> str:
        """Family, size and quantization, as llama.cpp puts it."""
        buffer = bytes(256)
        n = lib.llama_model_desc(self.handle, buffer, len(buffer))
        return buffer[: max(n, 0)].decode("utf-8", "replace")

    @property
    def context_length(self) -> int:
        """Tokens the model was trained to see at once."""
        length: int = lib.llama_model_n_ctx_train(self.handle)
        return length

    @property
    def size(self) -> int:
        """Bytes of all weights."""
        size: int = lib.llama_model_size(self.handle)
        return size

    @property
    def parameters(self) -> int:
        """Number of weights."""
        count: int = lib.llama_model_n_params(self.handle)
        return count

    @property
    def layers(self) -> int:
        """Number of transformer blocks."""
        count: int = lib.llama_model_n_layer(self.handle)
        return count

    @functools.cached_property
    def writes(self) -> bool:
        """Whether it can say what comes next; encoders see what follows, and cannot."""
        return self._told("attention.causal") != "false"

    @property
    def pools(self) -> bool:
        """Whether the file says how to make one vector of a text's states."""
        return self._told("pooling_type") is not None

    def _told(self, key: str) -> str | None:
        """A value of the file's header, under the name of the model's architecture."""
        architecture = self._value("general.architecture")
        return self._value(f"{architecture}.{key}")

    def _value(self, key: str) -> str | None:
        buffer = ctypes.create_string_buffer(64)
        n = lib.llama_model_meta_val_str(self.handle, key.encode(), buffer, len(buffer))
        return buffer.value.decode("utf-8", "replace") if n >= 0 else None

    @functools.cached_property
    def head(self) -> int:
        """Numbers that a value has in each head of attention."""
        told = self._told("attention.value_length")
        heads: int = lib.llama_model_n_head(self.handle)
        return int(told) if told else self.embedding_length // max(1, heads)

    @property
    def embedding_length(self) -> int:
        """Width of the residual stream."""
        width: int = lib.llama_model_n_embd(self.handle)
        return width

    @functools.cached_property
    def chat_template(self) -> str | None:
        """The Jinja source of the model's chat template, where it has one."""
        source: bytes | None = lib.llama_model_chat_template(self.handle, None)
        return None if source is None else source.decode("utf-8", "replace")
