"""In which of two ways llama.cpp computes on the processor (docs/decisions/0062).

Its quickest way takes many rows through tiles and splits one row between threads, so that sums
depend on how many rows there are. Its reference does neither. The switch between them is ggml's,
made for tests of other backends, and belongs to a backend that each context makes for itself and
hands out to nobody. So the processor's device is listened to while a context is made.
"""

import ctypes
import functools
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from localspec.llama.library import ggml, lib, of_processor, processor, start

__all__ = ["Switch", "available", "create"]

Switch = Callable[[bool], None]
"""Has one context compute as the reference does, or in the quickest way."""

_SWITCH = b"ggml_backend_cpu_set_use_ref"
_MAKES_BACKENDS = 5  # place among the functions that a ggml_backend_device begins with
_Make = ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.c_void_p, ctypes.c_char_p)
_listening, _here = threading.Lock(), threading.local()


def create(model: object, parameters: object) -> tuple[Any, Switch | None]:
    """A context of `model`, None where there is too little memory, and its switch where llama.cpp
    has one. It begins in the quickest way.
    """
    if not available():
        return lib.llama_init_from_model(model, parameters), None
    with _heard() as backends:
        context = lib.llama_init_from_model(model, parameters)
    return context, functools.partial(_switch(), backends[0]) if backends else None


@functools.cache
def available() -> bool:
    """Whether this llama.cpp has the switch, and what is listened to is what it was built with."""
    start()
    if not of_processor(_SWITCH):
        return False
    with _heard() as backends:
        made = ggml["ggml_backend_dev_init"](processor(), None)
    if made:
        ggml["ggml_backend_free"](made)
    return backends == [made]


@functools.cache
def _switch() -> Callable[[int, bool], None]:
    return ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_bool)(of_processor(_SWITCH) or 0)


@contextmanager
def _heard() -> Iterator[list[int]]:
    """The backends that the processor's device makes on this thread meanwhile."""
    functions = ctypes.cast(processor(), ctypes.POINTER(ctypes.c_void_p))
    with _listening:
        usual = functions[_MAKES_BACKENDS]
        functions[_MAKES_BACKENDS] = ctypes.cast(_telling(usual), ctypes.c_void_p).value
        _here.made = made = list[int]()
        try:
            yield made
        finally:
            functions[_MAKES_BACKENDS] = usual
            _here.made = None


@functools.cache  # and so kept: another thread may be in it when the usual one is back
def _telling(usual: int) -> Any:
    """The usual function, but that it tells what it made."""
    make = _Make(usual)

    def make_and_tell(device: int, how: bytes | None) -> int | None:
        backend: int | None = make(device, how)
        made = getattr(_here, "made", None)
        if backend and made is not None:
            made.append(backend)
        return backend

    return _Make(make_and_tell)
