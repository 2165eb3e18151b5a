"""In which of two ways llama.cpp computes on the processor (docs/decisions/0062).

Its quickest way takes many rows through tiles and splits one row between threads, so that sums
depend on how many rows there are. Its reference does neither. The switch between them is ggml's,
made for tests of other backends, and belongs to the processor's backend of a context.
"""

import ctypes
import functools
from collections.abc import Callable

from localspec.llama.backends import can_be_heard
from localspec.llama.library import of_processor, start

__all__ = ["Switch", "available", "switch"]

Switch = Callable[[bool], None]
"""Has one context compute as the reference does, or in the quickest way, as it does at first."""

_SWITCH = b"ggml_backend_cpu_set_use_ref"


@functools.cache
def available() -> bool:
    """Whether this llama.cpp has the switch, and backends can be heard of."""
    start()
    return bool(of_processor(_SWITCH)) and can_be_heard()


def switch(backend: int) -> Switch:
    """The one of a backend, by ggml's handle."""
    return functools.partial(_switch(), backend)


@functools.cache
def _switch() -> Callable[[int, bool], None]:
    return ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_bool)(of_processor(_SWITCH) or 0)
