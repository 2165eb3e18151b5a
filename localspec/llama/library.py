"""Starts llama.cpp once: the shared library, its log, its devices.

Import this before numpy: CUDA builds of llama.cpp carry their own libstdc++, and a numpy loaded
first clashes with it.
"""

import ctypes
import functools
import os
import re
import sys
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from localspec import cgroups
from localspec.llama.spinning import prepared, spinning_of

with prepared() as _may_choose:
    import llama_cpp.llama_cpp as lib

__all__ = [
    "Device",
    "complaint",
    "devices",
    "forget_log",
    "ggml",
    "gpus",
    "lib",
    "listen",
    "log_lines",
    "of_processor",
    "on_cpu",
    "processor",
    "show_log",
    "spinning",
    "start",
    "system_info",
    "threads",
]

_LOG_LINES = 200
_DEBUG = 1  # ggml_log_level
_PROCESSOR = 0  # ggml_backend_dev_type
_GPU_KINDS = {1: "GPU", 2: "integrated GPU"}

_PREAMBLE = re.compile(r"^\w+: (error loading model( \w+)?: )*")

# Else an abort of llama.cpp runs a debugger: a server would hang in it instead of ending.
os.environ.setdefault("GGML_NO_BACKTRACE", "1")

_log: deque[str] = deque(maxlen=_LOG_LINES)
_lately: deque[str] = deque(maxlen=_LOG_LINES)  # since the latest load began
_echo = False
ggml: dict[str, Any] = {}
"""Functions of ggml, which llama.cpp stands on, by their names."""


@lib.llama_log_callback  # type: ignore[untyped-decorator]
def _on_log(level: int, text: bytes, _data: object) -> None:
    """Called from C, sometimes in the middle of a decode: append and nothing else."""
    if level == _DEBUG:
        return
    line = text.decode("utf-8", "replace")
    _log.append(line)
    _lately.append(line)
    if _echo:
        sys.stderr.write(line)


@functools.cache
def start() -> None:
    """Send llama.cpp's log to us and start its backends. Safe to call more than once."""
    lib.llama_log_set(_on_log, None)
    lib.llama_backend_init()


def show_log(shown: bool) -> None:
    """Copy llama.cpp's log to standard error as it comes (`-v`)."""
    global _echo
    _echo = shown


def log_lines() -> list[str]:
    """The newest lines of llama.cpp's log, oldest first, without empty ones."""
    return _lines(_log)


def _lines(log: Iterable[str]) -> list[str]:
    return [line.strip() for line in "".join(log).splitlines() if line.strip()]


def forget_log() -> None:
    """Begin with an empty log."""
    _log.clear()


def listen() -> None:
    """A load begins: what was said before does not explain how it goes."""
    _lately.clear()


def complaint() -> str:
    """What llama.cpp said that explains a failure, as the end of a sentence."""
    lines = _lines(_lately)
    telling = [line for line in lines if "error" in line.lower() or "failed" in line.lower()]
    said = telling[0] if telling else "it gave no reason"
    return _PREAMBLE.sub("", said).rstrip(".")


@dataclass(frozen=True)
class Device:
    """A processor llama.cpp can compute on. Memory in bytes."""

    name: str
    description: str
    kind: str  # "CPU", "GPU", "integrated GPU" or "accelerator"
    memory_free: int


def devices() -> list[Device]:
    """All devices of this build, in llama.cpp's order."""
    start()
    return [
        _device(ggml["ggml_backend_dev_get"](i)) for i in range(ggml["ggml_backend_dev_count"]())
    ]


def gpus() -> list[Device]:
    """Those of them that hold models; what only helps the processor, like BLAS, does not."""
    return [device for device in devices() if "GPU" in device.kind]


def on_cpu(gpu_layers: int = -1) -> bool:
    """Whether no GPU takes part."""
    return gpu_layers == 0 or not gpus()


def processor() -> int:
    """The processor's own device, by ggml's handle."""
    handle: int | None = ggml["ggml_backend_dev_by_type"](_PROCESSOR)
    return handle or 0


def of_processor(name: bytes) -> int | None:
    """The address of a function that its backend offers beyond those of all backends."""
    if not processor():
        return None
    backend = ggml["ggml_backend_dev_backend_reg"](processor())
    address: int | None = ggml["ggml_backend_reg_get_proc_address"](backend, name)
    return address


def _device(handle: int) -> Device:
    free, total = ctypes.c_size_t(), ctypes.c_size_t()
    ggml["ggml_backend_dev_memory"](handle, ctypes.byref(free), ctypes.byref(total))
    kind = ggml["ggml_backend_dev_type"](handle)
    return Device(
        name=ggml["ggml_backend_dev_name"](handle).decode(),
        description=ggml["ggml_backend_dev_description"](handle).decode(),
        kind="CPU" if kind == _PROCESSOR else _GPU_KINDS.get(kind, "accelerator"),
        memory_free=free.value,
    )


def _declare() -> None:
    """llama-cpp-python does not bind ggml's own functions; find them and name their types.

    libllama brings ggml along, and gives its functions too; not so on Windows.
    """
    beside = Path(lib._lib._name).parent.glob("ggml*.dll") if sys.platform == "win32" else ()
    libraries = [lib._lib, *(ctypes.CDLL(str(path)) for path in beside)]
    handle, size = ctypes.c_void_p, ctypes.POINTER(ctypes.c_size_t)
    for name, arguments, result in (
        ("ggml_backend_dev_count", [], ctypes.c_size_t),
        ("ggml_backend_dev_get", [ctypes.c_size_t], handle),
        ("ggml_backend_dev_name", [handle], ctypes.c_char_p),
        ("ggml_backend_dev_description", [handle], ctypes.c_char_p),
        ("ggml_backend_dev_type", [handle], ctypes.c_int),
        ("ggml_backend_dev_memory", [handle, size, size], None),
        ("ggml_backend_dev_by_type", [ctypes.c_int], handle),
        ("ggml_backend_dev_backend_reg", [handle], handle),
        ("ggml_backend_reg_get_proc_address", [handle, ctypes.c_char_p], handle),
        ("ggml_backend_buft_name", [handle], ctypes.c_char_p),
        ("ggml_backend_dev_init", [handle, ctypes.c_char_p], handle),
        ("ggml_backend_free", [handle], None),
        ("ggml_backend_guid", [handle], handle),
        ("ggml_backend_get_device", [handle], handle),
        ("ggml_backend_reg_name", [handle], ctypes.c_char_p),
        ("ggml_graph_n_nodes", [handle], ctypes.c_int),
        ("ggml_graph_nodes", [handle], handle),
        ("ggml_get_name", [handle], ctypes.c_char_p),
        ("ggml_set_name", [handle, ctypes.c_char_p], handle),
        ("ggml_op_desc", [handle], ctypes.c_char_p),
        ("ggml_nbytes", [handle], ctypes.c_size_t),
        ("ggml_nrows", [handle], ctypes.c_int64),
        ("ggml_get_data", [handle], handle),
    ):
        function = next(filter(None, (getattr(library, name, None) for library in libraries)))
        function.argtypes, function.restype = arguments, result
        ggml[name] = function


_declare()


def system_info() -> str:
    """The instruction sets and options this build of llama.cpp was compiled with."""
    start()
    text: bytes = lib.llama_print_system_info()
    return text.decode()


def threads() -> int:
    """Threads to compute with: one for each physical core this process may run on.

    A container may have less time than cores: all its threads stand still once they have used it
    up. OMP_NUM_THREADS sets a limit, as for all OpenMP programs; clusters share out cores by it.
    """
    cores = psutil.cpu_count(logical=False) or os.cpu_count() or 1
    limit = os.environ.get("OMP_NUM_THREADS", "")
    share = cgroups.cores() or cores
    return max(1, min(cores, _allowed(), share, int(limit) if limit.isdigit() else cores))


def _allowed() -> int:
    """Logical cores this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


spinning = spinning_of(lib._lib, threads(), _allowed()) if _may_choose else None
"""What chooses how long threads spin for each other, where that is ours to choose."""
