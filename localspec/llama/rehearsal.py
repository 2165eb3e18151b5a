"""Asks llama.cpp what loading a model would take, without loading it.

llama.cpp can go through the motions without allocating anything; what it would have allocated
stands in its log. That takes a fraction of a second whatever the size of the model, and is right
for every architecture, where formulas of our own would be right for some. A child does it, as a
file may be one that llama.cpp dies on.
"""

import json
import os
import re
import sys
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from localspec.errors import ModelError
from localspec.llama import child
from localspec.llama.cache import CacheType
from localspec.llama.library import complaint, forget_log, lib, log_lines, on_cpu, start
from localspec.llama.parameters import parameters

__all__ = ["Scene", "Take", "rehearse"]

_SECONDS, _MEMORY = 60.0, 2 << 30
_LINE = re.compile(r"(\S+) +(output|compute|RS) buffer size = +([\d.]+) MiB")
_CACHE = re.compile(r"llama_kv_cache.*: size = +([\d.]+) MiB")
_MIB = 1 << 20


@dataclass(frozen=True)
class Scene:
    """A way to load a model, in the words of `Model` and `Context`."""

    length: int
    batch: int
    outputs: int
    sequences: int = 1
    cache: CacheType = "f16"
    gpu_layers: int = 0


@dataclass(frozen=True)
class Take:
    """Bytes it would need, beside the weights; those of computing apart by where they are."""

    cache: int
    compute_host: int
    compute_gpu: int


def rehearse(model: Path, scenes: Iterable[Scene]) -> list[Take | None]:
    """What each scene would need, None where llama.cpp does not offer it. Raises ModelError."""
    script = json.dumps([asdict(scene) for scene in scenes])
    end = child.run(__name__, str(model), script, seconds=_SECONDS, memory=_MEMORY)
    if end.exceeded or end.code:
        raise ModelError(f"llama.cpp cannot load {model}: {end.exceeded or end.words}.")
    return [take and Take(**take) for take in json.loads(end.output)]


def _play(model: str, scenes: list[Scene]) -> list[Take | None]:
    """What the child does: the model again where its layers move, a context for each scene."""
    start()
    takes: list[Take | None] = []
    loaded, layers = None, None
    for scene in scenes:
        if scene.gpu_layers != layers:
            if loaded:
                lib.llama_model_free(loaded)
            loaded, layers = _load(model, scene.gpu_layers), scene.gpu_layers
        forget_log()
        context = lib.llama_init_from_model(
            loaded,
            parameters(
                length=scene.length,
                sequences=scene.sequences,
                batch=scene.batch,
                outputs=scene.outputs,
                cache=scene.cache,
                on_cpu=on_cpu(scene.gpu_layers),
            ),
        )
        takes.append(_read("\n".join(log_lines())) if context else None)
        if context:
            lib.llama_free(context)
    return takes


def _load(model: str, gpu_layers: int) -> object:
    params = lib.llama_model_default_params()
    params.no_alloc = True
    params.load_mode = lib.LLAMA_LOAD_MODE_NONE
    params.n_gpu_layers = gpu_layers
    loaded: object = lib.llama_model_load_from_file(os.fsencode(model), params)
    if not loaded:
        sys.exit(complaint())
    return loaded


def _read(log: str) -> Take:
    """Sums of what llama.cpp says in its log; host memory is that of the processor's buffers."""
    cache = sum(float(size) for size in _CACHE.findall(log))
    sizes = {True: 0.0, False: 0.0}
    for buffer, kind, size in _LINE.findall(log):
        if kind == "RS":  # states of recurrent layers
            cache += float(size)
        else:
            sizes["CPU" in buffer or "Host" in buffer] += float(size)
    return Take(int(cache * _MIB), int(sizes[True] * _MIB), int(sizes[False] * _MIB))


if __name__ == "__main__":
    found = _play(sys.argv[1], [Scene(**scene) for scene in json.loads(sys.argv[2])])
    print(json.dumps([take and asdict(take) for take in found]))
