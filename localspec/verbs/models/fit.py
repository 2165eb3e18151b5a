"""`localspec models fit`: what a model and its draft take, and which way of loading them fits."""

import argparse
import json
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil

from localspec import models
from localspec.console import dim, mark, paragraph, strong, table
from localspec.errors import UsageError
from localspec.llama.library import devices, show_log
from localspec.llama.rehearsal import Scene, Take, rehearse
from localspec.models.description import Description, describe, headers_of
from localspec.models.fit import (
    Cache,
    Machine,
    Plan,
    contexts,
    need,
    suggestion,
    weights_of,
)
from localspec.models.naming import spoken
from localspec.runtime import default_context, widths

__all__ = ["run"]

_CACHES: tuple[Cache, ...] = ("f16", "q8_0")
_PROGRAM = 65 << 20  # the interpreter and its libraries, as measured
_A_TOKEN = 250  # of a vocabulary, in llama.cpp's tables, as measured
_GPU_STEPS = 8  # numbers of layers that are looked at, where not all fit


def run(options: argparse.Namespace) -> int:
    """Print what each way of loading takes, and the one to choose; 1 where none fits."""
    show_log(options.verbose)
    target, draft = models.resolve(options.model, options.draft)
    paths = {"target": target} | ({"draft": draft} if draft else {})
    described = {role: describe(path) for role, path in paths.items()}
    trained = described["target"].context_length or default_context(None)
    if options.context is not None and options.context < 1:
        raise UsageError(f"context is {options.context}; it must be at least 1.")
    wanted = options.context and min(options.context, trained)
    default = wanted or default_context(trained)
    lengths = [wanted] if wanted else contexts(trained, default)
    machine, plans = _machine(), list(_plans(paths, described, lengths))
    best = suggestion(plans, machine, default)
    if options.json:
        print(json.dumps(_document(described, machine, plans, best)))
    else:
        columns = min(100, shutil.get_terminal_size().columns)
        print("\n".join(_page(described, machine, plans, best, default, columns)))
    return 0 if best else 1


def _machine() -> Machine:
    found = [d for d in devices() if d.kind in ("GPU", "integrated GPU")]
    unified = sys.platform == "darwin" or any(d.kind == "integrated GPU" for d in found)
    memory = sum(device.memory_free for device in found)
    return Machine(psutil.virtual_memory().available, memory, unified)


def _plans(
    paths: dict[str, Path],
    described: dict[str, Description],
    lengths: list[int],
) -> Iterator[Plan]:
    """All ways of loading worth a look, each with what both models take."""
    weights = {role: weights_of(headers_of(path)) for role, path in paths.items()}
    batch, outputs = widths(1)
    ways = [
        (layers, length, cache)
        for layers in _layers(len(weights["target"].layers))
        for length in lengths
        for cache in _CACHES
    ]
    takes: dict[str, list[Take | None]] = {}
    for role, path in paths.items():
        longest = described[role].context_length or max(lengths)
        takes[role] = rehearse(
            path,
            [
                Scene(min(length, longest), batch, outputs, cache=cache, gpu_layers=layers)
                for layers, length, cache in ways
            ],
        )
    program = _PROGRAM + _A_TOKEN * sum(d.vocabulary_size or 0 for d in described.values())
    for i, (layers, length, cache) in enumerate(ways):
        found = {role: takes[role][i] for role in paths}
        needs = {
            role: need(weights[role], layers, take.cache, take.compute_host, take.compute_gpu)
            for role, take in found.items()
            if take
        }
        if len(needs) == len(paths):
            yield Plan(length, cache, layers, needs, program)


def _layers(count: int) -> list[int]:
    """How many layers a GPU may get: all with the output, or fewer in steps."""
    if all(device.kind == "CPU" for device in devices()):
        return [0]
    return sorted({count + 1, *(count * i // _GPU_STEPS for i in range(_GPU_STEPS + 1))})


def _page(
    described: dict[str, Description],
    machine: Machine,
    plans: list[Plan],
    best: Plan | None,
    default: int,
    columns: int,
) -> Iterator[str]:
    yield strong(" + ".join(d.files[0].stem for d in described.values()))
    here = f"{spoken(machine.host)} of memory free"
    if machine.gpu:
        here += f", {spoken(machine.gpu)} of it for the GPU" if machine.unified else ""
        here += "" if machine.unified else f", {spoken(machine.gpu)} free on the GPU"
    yield dim(here)
    yield ""
    shown = best or min(plans, key=lambda plan: plan.host + plan.gpu)
    yield from _table_of_contexts(plans, machine, shown.gpu_layers)
    yield ""
    yield from _breakdown(shown)
    yield ""
    yield from paragraph(_advice(best, shown, machine, default), columns)


def _table_of_contexts(plans: list[Plan], machine: Machine, layers: int) -> Iterator[str]:
    """What each context takes with that many layers on a GPU, and whether there is room."""
    chosen = [plan for plan in plans if plan.gpu_layers == layers]
    rows = [("context", *(f"cache {cache}" for cache in _CACHES))]
    for length in sorted({plan.context for plan in chosen}):
        cells = []
        for cache in _CACHES:
            plan = next((p for p in chosen if (p.context, p.cache) == (length, cache)), None)
            if plan is None:
                cells.append("not possible")
            else:
                room = "" if plan.fits(machine) else " too much"
                cells.append(f"{spoken(plan.host + plan.gpu)}{room}")
        rows.append((str(length), *cells))
    heads, *lines = table(rows)
    yield dim(heads)
    yield from lines


def _breakdown(plan: Plan) -> Iterator[str]:
    """Where the memory of one plan goes."""
    rows: list[tuple[str, ...]] = [("of that", "weights", "KV cache", "computing", "together")]
    for role, n in plan.needs.items():
        rows.append((role, *(spoken(size) for size in (*n[:3], n.total))))
    rows.append(("the program", "", "", "", spoken(plan.program)))
    heads, *lines = table(rows)
    yield dim(f"{heads}   (context {plan.context}, cache {plan.cache})")
    yield from lines


def _advice(best: Plan | None, least: Plan, machine: Machine, default: int) -> str:
    if best is None:
        short = least.host + least.gpu - machine.host - (0 if machine.unified else machine.gpu)
        return (
            f"{mark('failed')} It does not fit: even a context of {least.context} lacks "
            f"{spoken(max(short, 1))}. A smaller quantization or a smaller model would do, or "
            "closing something else."
        )
    words = f"context={best.context}, cache={best.cache!r}"
    if machine.gpu:
        words += f", gpu_layers={best.gpu_layers}"
    if best.context < default:
        return f"{mark('warning')} Only a shorter context fits: localspec.load(…, {words})."
    if best.context == default and best.cache == "f16" and not machine.gpu:
        return f"{mark('ok')} It fits, with nothing to set."
    return f"{mark('ok')} It fits. The best use of this computer: localspec.load(…, {words})."


def _document(
    described: dict[str, Description], machine: Machine, plans: list[Plan], best: Plan | None
) -> dict[str, object]:
    return {
        "models": {role: str(d.files[0]) for role, d in described.items()},
        "machine": vars(machine),
        "plans": [_plan_document(plan, plan.fits(machine)) for plan in plans],
        "suggestion": best and _plan_document(best, True),
    }


def _plan_document(plan: Plan, fits: bool) -> dict[str, object]:
    return {
        "context": plan.context,
        "cache": plan.cache,
        "gpu_layers": plan.gpu_layers,
        "host": plan.host,
        "gpu": plan.gpu,
        "needs": {role: need._asdict() for role, need in plan.needs.items()},
        "program": plan.program,
        "fits": fits,
    }
