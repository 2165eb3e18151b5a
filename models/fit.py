"""What a pair of models needs, against what a computer has; which way of loading to suggest.

Plain arithmetic. What llama.cpp would allocate is asked of it elsewhere (`llama.rehearsal`); how
weights split between processor and GPU follows from the file: llama.cpp puts the last layers
there first, and the output after all of them.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from localspec.models.header import Header

__all__ = [
    "Machine",
    "Need",
    "Plan",
    "Weights",
    "contexts",
    "need",
    "suggestion",
    "weights_of",
]

_CONTEXTS = (2048, 4096, 8192, 16384, 32768, 65536, 131072, 262144)
_LAYER = re.compile(r"blk\.(\d+)\.")
_REPACKED = ("Q4_0", "Q4_K", "IQ4_NL")  # for processors of all makes
_SPARE = 0.05  # of what is free stays free


@dataclass(frozen=True)
class Machine:
    """Free memory in bytes; that of all GPUs together, which is part of the host's if `unified`."""

    host: int
    gpu: int = 0
    unified: bool = False


class Weights(NamedTuple):
    """Bytes of a model's weights: what always stays on the host, its layers, its output.

    An output matrix that is the embedding's too is `shared`: a GPU gets a copy of it, and so does a
    processor where it is `repacked` for kernels of its own, which cannot look tokens up in it.
    """

    host: int
    layers: tuple[int, ...]
    output: int
    shared: int
    repacked: bool = False

    def on_gpu(self, layers: int) -> int:
        """Bytes on the GPU where it gets `layers` layers; one more than there are: all."""
        moved = self.layers[max(0, len(self.layers) - layers) :] if layers > 0 else ()
        return sum(moved) + (self.output + self.shared if layers > len(self.layers) else 0)

    def total(self, layers: int) -> int:
        """Bytes everywhere, where the GPU gets so many layers."""
        copied = self.shared if self.repacked or layers > len(self.layers) else 0
        return self.host + sum(self.layers) + self.output + copied


class Need(NamedTuple):
    """Bytes that one model takes, by what for and where."""

    weights: int
    cache: int
    compute: int
    gpu: int
    """How many of all those are on a GPU."""

    @property
    def total(self) -> int:
        """All bytes."""
        return self.weights + self.cache + self.compute


@dataclass(frozen=True)
class Plan:
    """A way to load the models, and what each takes; `gpu_layers` are the target's.

    Each model has a cache for `parallel` answers, every one of which may be as long as `context`.
    """

    context: int
    cache: str
    gpu_layers: int
    needs: Mapping[str, Need]
    program: int
    """Bytes of everything else: the interpreter, libraries, vocabularies."""
    parallel: int = 1

    @property
    def gpu(self) -> int:
        """Bytes on GPUs."""
        return sum(need.gpu for need in self.needs.values())

    @property
    def host(self) -> int:
        """Bytes in the computer's own memory."""
        return sum(need.total for need in self.needs.values()) - self.gpu + self.program

    def fits(self, machine: Machine) -> bool:
        """Whether there is room for it, with some to spare."""
        share = 1 - _SPARE
        host = self.host + (self.gpu if machine.unified else 0)
        return host <= machine.host * share and self.gpu <= machine.gpu * share


def weights_of(headers: Iterable[Header]) -> Weights:
    """How the weights of a model split into layers and the rest."""
    layers: dict[int, int] = {}
    host = output = embedding = 0
    has_output = repacked = False
    for header in headers:
        for tensor in header.tensors:
            layer = _LAYER.match(tensor.name)
            if layer:
                layers[int(layer[1])] = layers.get(int(layer[1]), 0) + tensor.size
            elif tensor.name.startswith("output"):
                output += tensor.size
                has_output |= tensor.name == "output.weight"
            else:
                host += tensor.size
                if tensor.name == "token_embd.weight":
                    embedding, repacked = tensor.size, tensor.kind in _REPACKED
    in_order = tuple(layers[i] for i in sorted(layers))
    if has_output:
        return Weights(host, in_order, output, shared=0)
    return Weights(host, in_order, output, embedding, repacked)


def need(weights: Weights, gpu_layers: int, cache: int, host: int, gpu: int) -> Need:
    """What a model takes: its cache, and what computing takes on host and GPU, are given."""
    layers = max(1, len(weights.layers))
    cache_on_gpu = cache * min(gpu_layers, layers) // layers
    return Need(
        weights.total(gpu_layers),
        cache,
        host + gpu,
        weights.on_gpu(gpu_layers) + cache_on_gpu + gpu,
    )


def contexts(trained: int, default: int) -> list[int]:
    """Context lengths worth looking at, up to the one a model was trained on."""
    return sorted({n for n in _CONTEXTS if n < trained} | {default, trained})


def suggestion(plans: Iterable[Plan], machine: Machine, default: int) -> Plan | None:
    """The plan to take: none but what fits, and of that the best.

    The default context or more is worth most, then layers on a GPU, then an unrounded cache, then
    a longer context.
    """
    fitting = [plan for plan in plans if plan.fits(machine)]
    return max(
        fitting,
        key=lambda p: (min(p.context, default), p.gpu_layers, p.cache == "f16", p.context),
        default=None,
    )
