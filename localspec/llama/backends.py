"""Hears of the backends that llama.cpp makes.

A context makes its own, one for each device, and hands them out to nobody. So devices are listened
to while it is made.
"""

import ctypes
import functools
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from localspec.llama.library import ggml, processor, start

__all__ = ["can_be_heard", "heard", "pointers"]

_MAKES_BACKENDS = 5  # place among the functions that a ggml_backend_device begins with
_Make = ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.c_void_p, ctypes.c_char_p)
_listening, _here = threading.Lock(), threading.local()


@contextmanager
def heard(told: Mapping[int, Callable[[int], None]]) -> Iterator[None]:
    """Meanwhile `told` hears of each backend that a device makes on this thread, by ggml's handles
    of both, as soon as it is made. It must not raise.
    """
    with _listening:
        usual = {device: pointers(device)[_MAKES_BACKENDS] for device in told}
        for device, function in usual.items():
            told_too = ctypes.cast(_telling(function), ctypes.c_void_p).value
            pointers(device)[_MAKES_BACKENDS] = told_too
        _here.told = told
        try:
            yield
        finally:
            for device, function in usual.items():
                pointers(device)[_MAKES_BACKENDS] = function
            _here.told = {}


def pointers(handle: int) -> Any:
    """What a struct of ggml that begins with pointers begins with, to be read and written."""
    return ctypes.cast(handle, ctypes.POINTER(ctypes.c_void_p))


@functools.cache
def can_be_heard() -> bool:
    """Whether this llama.cpp is built so that what is listened to is what makes backends. It is
    tried with the processor's; all devices are built alike.
    """
    start()
    if not processor():
        return False
    backends = list[int]()
    with heard({processor(): backends.append}):
        made = ggml["ggml_backend_dev_init"](processor(), None)
    if made:
        ggml["ggml_backend_free"](made)
    return backends == [made]


@functools.cache  # and so kept: another thread may be in it when the usual one is back
def _telling(usual: int) -> Any:
    """The usual function, but that it tells what it made."""
    make = _Make(usual)

    def make_and_tell(device: int, how: bytes | None) -> int | None:
        backend: int | None = make(device, how)
        told = getattr(_here, "told", {}).get(device)
        if backend and told:
            told(backend)
        return backend

    return _Make(make_and_tell)
