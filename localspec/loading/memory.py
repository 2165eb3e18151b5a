"""All ways of loading a pair of models here, and what each would take."""

import sys
from collections.abc import Iterator, Mapping
from typing import get_args

from localspec import cgroups
from localspec.llama.cache import CacheType
from localspec.llama.library import gpus
from localspec.llama.rehearsal import Scene, Take, rehearse
from localspec.loading.loading import Loading
from localspec.models.description import Description, headers_of
from localspec.models.fit import Machine, Plan, need, weights_of

__all__ = ["CACHES", "machine", "plans"]

CACHES: tuple[CacheType, ...] = get_args(CacheType)
_PROGRAM = 65 << 20  # the interpreter and its libraries, as measured
_A_TOKEN = 250  # of a vocabulary, in llama.cpp's tables, as measured
_GPU_STEPS = 8  # numbers of layers that are looked at, where not all fit


def machine() -> Machine:
    """What is free on this computer now."""
    found = gpus()
    unified = sys.platform == "darwin" or any(d.kind == "integrated GPU" for d in found)
    memory = sum(device.memory_free for device in found)
    return Machine(cgroups.memory_free(), memory, unified)


def plans(
    models: Mapping[str, Description], lengths: list[int], parallel: int = 1
) -> Iterator[Plan]:
    """Each context of `lengths` with each kind of cache and so many layers on a GPU.

    `models` are the target and perhaps a draft, by role. Raises ModelError for a file that
    llama.cpp cannot load.
    """
    weights = {role: weights_of(headers_of(model.files[0])) for role, model in models.items()}
    ways = [
        Loading(context=length, cache=cache, gpu_layers=layers, parallel=parallel)
        for layers in _layers(len(weights["target"].layers))
        for length in lengths
        for cache in CACHES
    ]
    takes: dict[str, list[Take | None]] = {}
    for role, model in models.items():
        trained = (models["target"].context_length, model.context_length)
        scenes = [Scene(**way.sizes(*trained), gpu_layers=way.gpu_layers) for way in ways]
        takes[role] = rehearse(model.files[0], scenes)
    program = _PROGRAM + _A_TOKEN * sum(d.vocabulary_size or 0 for d in models.values())
    for i, way in enumerate(ways):
        found = {role: takes[role][i] for role in models}
        layers = way.gpu_layers
        needs = {
            role: need(weights[role], layers, take.cache, take.compute_host, take.compute_gpu)
            for role, take in found.items()
            if take
        }
        if len(needs) == len(models):
            length = way.length(models["target"].context_length)
            yield Plan(length, way.cache, layers, needs, program, parallel)


def _layers(count: int) -> list[int]:
    """How many layers a GPU may get: all with the output, or fewer in steps."""
    if not gpus():
        return [0]
    return sorted({count + 1, *(count * i // _GPU_STEPS for i in range(_GPU_STEPS + 1))})
