"""Texts as vectors, by models that were made for it."""

import numpy as np
import numpy.typing as npt

from localspec.errors import DecodeError, ModelError, UsageError
from localspec.llama.library import lib, threads
from localspec.llama.model import Model

__all__ = ["Embedder"]

_LONGEST = 2048  # tokens; all of a text are evaluated at once
_NO_POOLING, _MEAN, _RANK = 0, 1, 4  # llama_pooling_type


class Embedder:
    """A context that pools a text's states into one vector, as the model's file says.

    Where it says nothing an encoder's mean is taken, and UsageError raised of others. To be used
    on the thread that made it.
    """

    def __init__(self, model: Model) -> None:
        self.model = model
        self.length = min(_LONGEST, model.context_length or _LONGEST)
        params = lib.llama_context_default_params()
        params.n_ctx = params.n_batch = params.n_ubatch = self.length
        params.n_threads = params.n_threads_batch = threads()
        params.embeddings = True
        if not (model.writes or model.pools):
            params.pooling_type = _MEAN
        params.no_perf = True
        self._handle = lib.llama_init_from_model(model.handle, params)
        if not self._handle:
            raise ModelError(f"There is not enough memory to embed texts with {model.name}.")
        if lib.llama_pooling_type(self._handle) in (_NO_POOLING, _RANK):
            self.close()
            raise UsageError(f"{model.name} was not made for embeddings; load one that was.")

    def close(self) -> None:
        """Give the memory back."""
        if self._handle:
            lib.llama_free(self._handle)
            self._handle = None

    def embed(self, tokens: list[int]) -> npt.NDArray[np.float32]:
        """The vector of a text, of length 1 and `embedding_length` numbers."""
        if not 0 < len(tokens) <= self.length:
            raise UsageError(
                f"A text of {len(tokens)} tokens cannot be embedded; 1 to {self.length} can."
            )
        lib.llama_memory_clear(lib.llama_get_memory(self._handle), True)
        array = (lib.llama_token * len(tokens))(*tokens)
        status = lib.llama_decode(self._handle, lib.llama_batch_get_one(array, len(tokens)))
        pointer = lib.llama_get_embeddings_seq(self._handle, 0) if status == 0 else None
        if not pointer:
            raise DecodeError(f"llama.cpp could not embed {len(tokens)} tokens.")
        vector = np.ctypeslib.as_array(pointer, (self.model.embedding_length,))
        norm = np.float32(np.linalg.norm(vector) or 1.0)
        return np.asarray(vector / norm, dtype=np.float32)
