"""What llama.cpp is told of a context, whether it is to be made, tried, or only reckoned."""

import functools
from pathlib import Path
from typing import Any

from localspec.llama import reference
from localspec.llama.cache import CacheType
from localspec.llama.library import lib, threads

__all__ = ["parameters"]

_CACHE_TYPES: dict[CacheType, int] = {"f16": 1, "q8_0": 8}  # ggml_type
_BF16 = 30
_SUMMED_AT_ONCE = 128  # f16 numbers, by the longest instructions
_LEAST = 64  # cells of a sequence: llama.cpp takes no more rows at once, and a sweep wants 48


def parameters(
    *,
    length: int,
    sequences: int,
    batch: int,
    outputs: int,
    cache: CacheType,
    on_cpu: bool,
    head: int = _SUMMED_AT_ONCE,
) -> Any:
    """Of one for `sequences` answers of `length` tokens each; a decode takes `batch` rows.

    `head` is how many numbers a value has in each of the model's heads.
    """
    params = lib.llama_context_default_params()
    params.n_ctx = max(_LEAST, length) * sequences
    params.n_batch = params.n_ubatch = batch
    params.n_seq_max = sequences
    params.n_outputs_max = outputs
    params.n_threads = params.n_threads_batch = threads()
    params.flash_attn_type = lib.LLAMA_FLASH_ATTN_TYPE_AUTO
    params.type_k = params.type_v = _CACHE_TYPES[cache]
    if on_cpu and cache == "f16" and not (reference.available() and _sums_f16_quickly(head)):
        params.type_v = _BF16  # keeps attention's sums the same at every width: decision 2
    # Sequences in cells of their own keep them in order, so that what others do changes no
    # sum of attention: decision 31. On GPUs a shared buffer makes batches cheaper.
    params.kv_unified = not on_cpu
    params.no_perf = True
    return params


def _sums_f16_quickly(head: int) -> bool:
    """Processors that compute with f16 sum only so many of them at once quickly, and what is left
    one by one.
    """
    return head % _SUMMED_AT_ONCE == 0 or not _computes_with_f16()


@functools.cache
def _computes_with_f16() -> bool:
    try:
        return "avx512_fp16" in Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return False
