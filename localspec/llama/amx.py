"""Takes AMX from llama.cpp where a build's kernels for it crash (docs/decisions/0003).

llama.cpp keeps weights in the first of several ways that suits them, and has no setting for a
single way. Which ones there are it reads from a list that its processor backend hands out at each
load; what is handed out is the list itself.
"""

import ctypes
from itertools import count, takewhile

from localspec.llama.library import ggml, of_processor, processor, start

__all__ = ["leave_out"]

_AMX = b"AMX"
_LIST = b"ggml_backend_dev_get_extra_bufts"
_handles = ctypes.POINTER(ctypes.c_void_p)


def leave_out() -> None:
    """Keep no more weights for AMX in this process. Safe to call more than once."""
    start()
    handing_out = of_processor(_LIST)
    if not handing_out:
        return
    ways = ctypes.CFUNCTYPE(_handles, ctypes.c_void_p)(handing_out)(processor())
    present = list(takewhile(bool, (ways[i] for i in count())))
    kept = [way for way in present if ggml["ggml_backend_buft_name"](way) != _AMX]
    for i, way in enumerate([*kept, None][: len(present)]):
        ways[i] = way
