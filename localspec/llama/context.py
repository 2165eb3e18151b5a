"""One KV cache and the evaluation of rows of tokens in it.

A context holds several sequences (slots 0 to `sequences` - 1). It is not thread-safe: one thread
owns it. Rows go in as `Run`s; logits come out as a view into llama.cpp's own buffer.
"""

import ctypes
from collections.abc import Callable, Iterable
from typing import Any, Self

import numpy as np

from localspec.errors import DecodeError, ModelError
from localspec.llama.cache import CacheType
from localspec.llama.creation import create
from localspec.llama.library import lib, spinning
from localspec.llama.model import Model
from localspec.llama.parameters import parameters
from localspec.llama.rows import Logits, Run, nothing

__all__ = ["Context"]

_F16 = 1  # ggml_type
_TILE = 64  # rows from which attention goes through tiles
_FAILURES = {
    1: "its KV cache is full",
    2: "it was aborted",
    -1: "the batch was not valid",
}


class Context:
    """KV caches for `sequences` sequences of up to `length` tokens each.

    `batch` is the most rows one decode takes, `outputs` the most of them that give logits.
    """

    def __init__(
        self,
        model: Model,
        *,
        length: int,
        sequences: int = 1,
        batch: int = 512,
        outputs: int = 64,
        cache: CacheType = "f16",
    ) -> None:
        self.model = model
        self.length, self.sequences, self.batch, self.outputs = length, sequences, batch, outputs
        params = parameters(
            length=length,
            sequences=sequences,
            batch=batch,
            outputs=outputs,
            cache=cache,
            on_cpu=model.on_cpu,
            head=model.head,
        )
        self.threads = params.n_threads
        self.even = model.even or batch
        self.own_cells = sequences > 1 and not params.kv_unified
        self.settling = 1 if model.on_cpu else 2  # a graph is built, and on a GPU recorded
        self.asynchronous = model.on_gpu
        self.handle, switch = create(model.handle, params)
        if not self.handle:
            raise ModelError(
                f"There is not enough memory for a context of {length * sequences} tokens "
                f"with {model.name}; ask for a shorter one."
            )
        self._memory = lib.llama_get_memory(self.handle)
        self._rows = _Rows(batch)
        self.can_truncate = self._probe_truncation()
        self._exactly = switch if model.on_cpu and model.exact else None
        if self._exactly:
            self._exactly(True)
        self.bulks = self._bulks(tiled=params.type_k == params.type_v == _F16)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Give the memory back."""
        if self.handle:
            lib.llama_free(self.handle)
            self.handle = None

    def decode(self, runs: Iterable[Run], meanwhile: Callable[[], None] = nothing) -> Logits:
        """Evaluate the rows and add them to the cache; call `meanwhile` while a GPU does so.

        Returns float32 logits, one row of `n_vocab` for each row that asked, in order. They are
        a view: the next decode overwrites them. On failure the cache holds what it held before
        and DecodeError is raised.
        """
        outputs = self._rows.fill(runs)
        status = self._evaluate()
        if status != 0:
            reason = _FAILURES.get(status, f"it failed with code {status}")
            raise DecodeError(f"llama.cpp could not evaluate {self._rows.count} tokens: {reason}.")
        if self.asynchronous:
            meanwhile()
        if not outputs:
            return np.empty((0, self.model.vocabulary.size), dtype=np.float32)
        pointer = lib.llama_get_logits(self.handle)
        return np.ctypeslib.as_array(pointer, (outputs, self.model.vocabulary.size))

    def _evaluate(self) -> int:
        """The rows there are; llama.cpp's status."""
        if not spinning or self.asynchronous:
            return int(lib.llama_decode(self.handle, self._rows.batch))
        spinning.before()
        status: int = lib.llama_decode(self.handle, self._rows.batch)
        spinning.after()
        return status

    def read(self, run: Run) -> None:
        """Evaluate rows of a prompt as quickly as llama.cpp can. Nobody wants their logits."""
        if self._exactly:
            self._exactly(False)
        try:
            self.decode([run])
        finally:
            if self._exactly:
                self._exactly(True)

    def truncate(self, slot: int, length: int) -> None:
        """Forget all but the first `length` tokens of a sequence: the rollback."""
        if not lib.llama_memory_seq_rm(self._memory, slot, length, -1):
            raise DecodeError(
                f"The KV cache of {self.model.name} cannot be cut back to {length} tokens."
            )

    def copy(self, source: int, slot: int, length: int) -> None:
        """Make `slot` begin with the first `length` tokens of `source`."""
        self.truncate(slot, 0)
        lib.llama_memory_seq_cp(self._memory, source, slot, -1, -1)  # all, or llama.cpp aborts
        self.truncate(slot, length)

    def cached(self, slot: int) -> int:
        """Tokens of a sequence in the cache."""
        last: int = lib.llama_memory_seq_pos_max(self._memory, slot)
        return last + 1

    def _bulks(self, *, tiled: bool) -> list[int]:
        """Tiles of weights, where there are some, and of attention."""
        if not self._exactly:
            return []
        sizes = (self.model.bulk or 0, _TILE if tiled else 0)
        return [size for size in sizes if 0 < 2 * size <= self.batch]

    def _probe_truncation(self) -> bool:
        """Recurrent, hybrid and some sliding-window caches cannot roll back: find out now."""
        self.decode([Run(0, (0, 0, 0), 0, 1)])
        possible: bool = lib.llama_memory_seq_rm(self._memory, 0, 1, -1)
        lib.llama_memory_clear(self._memory, False)
        return possible


class _Rows:
    """A llama_batch over arrays of our own, filled run by run."""

    def __init__(self, capacity: int) -> None:
        self.count = 0
        self._tokens, self._positions, self._slots = np.zeros((3, capacity), dtype=np.int32)
        self._wanted = np.zeros(capacity, dtype=np.int8)
        self._one_slot_each = np.ones(capacity, dtype=np.int32)
        # llama.cpp wants a list of sequences for each row: pointers into the one array of slots.
        stride = self._slots.itemsize
        self._lists = self._slots.ctypes.data + stride * np.arange(capacity, dtype=np.uintp)
        fields = dict(lib.llama_batch._fields_)
        arrays: dict[str, np.ndarray[Any, Any]] = {
            "token": self._tokens,
            "pos": self._positions,
            "n_seq_id": self._one_slot_each,
            "seq_id": self._lists,
            "logits": self._wanted,
        }
        pointers = {
            name: ctypes.cast(array.ctypes.data, fields[name]) for name, array in arrays.items()
        }
        self.batch = lib.llama_batch(n_tokens=0, **pointers)

    def fill(self, runs: Iterable[Run]) -> int:
        """Write the runs one after another; returns how many rows want logits."""
        start = wanted = 0
        for slot, tokens, position, outputs, surplus in runs:
            end = start + len(tokens)
            last = end - surplus
            self._tokens[start:end] = tokens
            self._positions[start:end] = range(position, position + len(tokens))
            self._slots[start:end] = slot
            self._wanted[start:end] = 0
            self._wanted[last - outputs : last] = 1
            start, wanted = end, wanted + outputs
        self.batch.n_tokens = self.count = start
        return wanted
