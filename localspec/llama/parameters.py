"""What llama.cpp is told of a context, whether it is to be made, tried, or only reckoned."""

from typing import Any

from localspec.llama.cache import CacheType
from localspec.llama.library import devices, lib, system_info, threads

__all__ = ["parameters"]

_CACHE_TYPES: dict[CacheType, int] = {"f16": 1, "q8_0": 8}  # ggml_type
_BF16 = 30
_LEAST = 64  # cells of a sequence: llama.cpp takes no more rows at once, and a sweep wants 48


def parameters(
    *, length: int, sequences: int, batch: int, outputs: int, cache: CacheType, on_cpu: bool
) -> Any:
    """Of one for `sequences` answers of `length` tokens each; a decode takes `batch` rows."""
    params = lib.llama_context_default_params()
    params.n_ctx = max(_LEAST, length) * sequences
    params.n_batch = params.n_ubatch = batch
    params.n_seq_max = sequences
    params.n_outputs_max = outputs
    params.n_threads = params.n_threads_batch = threads()
    params.flash_attn_type = lib.LLAMA_FLASH_ATTN_TYPE_AUTO
    params.type_k = params.type_v = _CACHE_TYPES[cache]
    if on_cpu and cache == "f16":
        # One of the two as bf16 keeps attention's sums the same at every width: decision 2.
        setattr(params, "type_k" if _bf16_keys_are_faster() else "type_v", _BF16)
    # Sequences in cells of their own keep them in order, so that what others do changes no
    # sum of attention: decision 31. On GPUs a shared buffer makes batches cheaper.
    params.kv_unified = not on_cpu
    params.no_perf = True
    return params


def _bf16_keys_are_faster() -> bool:
    """Measured: with instructions for products of bf16, on AMD's processors; not on Intel's."""
    cpu = "".join(device.description for device in devices() if device.kind == "CPU")
    return "AVX512_BF16 = 1" in system_info() and "AMD" in cpu
