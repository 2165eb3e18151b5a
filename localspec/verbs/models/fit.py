"""`localspec models fit`: what a model and its draft take, and which way of loading them fits."""

import argparse
import json
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

from localspec import models, spoken
from localspec.arguments.serve import PARALLEL
from localspec.console import State, columns, dim, mark, paragraph, strong, table
from localspec.errors import UsageError
from localspec.llama.library import show_log
from localspec.loading import Loading, memory
from localspec.models import catalogue, shelf
from localspec.models.description import Description, describe
from localspec.models.fit import (
    Machine,
    Plan,
    contexts,
    suggestion,
)
from localspec.models.naming import Reference
from localspec.models.preview import previewed
from localspec.models.resolve import find
from localspec.progress import Waiting

__all__ = ["run"]


def run(options: argparse.Namespace) -> int:
    """Print what each way of loading takes, and the one to choose; 1 where none fits.

    A model that is not on this computer is looked at on the hub.
    """
    show_log(options.verbose)
    with ExitStack() as stack, Waiting() as waiting:
        return _fit(options, _files(options, stack, waiting), waiting)


def _files(options: argparse.Namespace, stack: ExitStack, waiting: Waiting) -> dict[str, Path]:
    """The files to reckon with; of a model that is not here, ones that have only its header."""
    try:
        target, draft = models.resolve(options.model, options.draft)
    except UsageError:
        reference = catalogue.reference(options.model)
        if reference is None:
            raise
        waiting.say(f"looking at {reference} on the hub")
        target = stack.enter_context(previewed(reference))
        draft = _draft(options.draft, reference, stack)
    return {"target": target} | ({"draft": draft} if draft else {})


def _draft(name: str, target: Reference, stack: ExitStack) -> Path | None:
    """The draft for a target that is not here, by name or as the catalogue suggests."""
    if name == "none":
        return None
    if name == "auto":
        entry = catalogue.entry_of(target.repository)
        small = (d.model for d in (entry.drafts if entry else ()) if d.kind == "small model")
        name = next(small, "")
    reference = catalogue.reference(name) if name else None
    if reference is None:
        return find(name) if name else None
    found = shelf.find(reference)
    return found[0].path if found else stack.enter_context(previewed(reference))


def _fit(options: argparse.Namespace, paths: dict[str, Path], waiting: Waiting) -> int:
    described = {role: describe(path) for role, path in paths.items()}
    loading = Loading(context=options.context, parallel=options.parallel)
    trained = described["target"].context_length or Loading().length()
    wanted = loading.context and loading.length(trained)
    if wanted != options.context:
        waiting.note(f"{options.model} takes {trained} tokens at most, so that is looked at.")
    default = loading.length(trained)
    lengths = [wanted] if wanted else contexts(trained, default)
    free, found = memory.machine(), list(memory.plans(described, lengths, options.parallel))
    if not found:
        raise UsageError("llama.cpp makes no cache of that size; ask for less.")
    best = suggestion(found, free, default)
    waiting.over()
    if options.json:
        print(json.dumps(_document(described, free, found, best)))
    else:
        print("\n".join(_page(described, free, found, best, default)))
    return 0 if best else 1


def _page(
    described: dict[str, Description],
    machine: Machine,
    plans: list[Plan],
    best: Plan | None,
    default: int,
) -> Iterator[str]:
    yield strong(" + ".join(d.files[0].stem for d in described.values()))
    here = f"{spoken.size(machine.host)} of memory free"
    if machine.gpu:
        here += f", {spoken.size(machine.gpu)} of it for the GPU" if machine.unified else ""
        here += "" if machine.unified else f", {spoken.size(machine.gpu)} free on the GPU"
    yield dim(here)
    yield ""
    shown = best or min(plans, key=lambda plan: plan.host + plan.gpu)
    yield from _table_of_contexts(plans, machine, shown.gpu_layers)
    yield ""
    yield from _breakdown(shown)
    yield ""
    state, advice = _advice(best, shown, machine, default)
    first, *more = paragraph(advice, columns(), "  ")
    yield from (mark(state) + first[1:], *more)


def _table_of_contexts(plans: list[Plan], machine: Machine, layers: int) -> Iterator[str]:
    """What each context takes with that many layers on a GPU, and whether there is room."""
    chosen = [plan for plan in plans if plan.gpu_layers == layers]
    rows = [("context", *(f"cache {cache}" for cache in memory.CACHES))]
    for length in sorted({plan.context for plan in chosen}):
        cells = []
        for cache in memory.CACHES:
            plan = next((p for p in chosen if (p.context, p.cache) == (length, cache)), None)
            if plan is None:
                cells.append("not possible")
            else:
                room = "" if plan.fits(machine) else " too much"
                cells.append(f"{spoken.size(plan.host + plan.gpu)}{room}")
        rows.append((str(length), *cells))
    heads, *lines = table(rows)
    yield dim(heads)
    yield from lines


def _breakdown(plan: Plan) -> Iterator[str]:
    """Where the memory of one plan goes."""
    rows: list[tuple[str, ...]] = [("of that", "weights", "KV cache", "computing", "together")]
    for role, n in plan.needs.items():
        rows.append((role, *(spoken.size(size) for size in (*n[:3], n.total))))
    rows.append(("the program", "", "", "", spoken.size(plan.program)))
    heads, *lines = table(rows)
    times = f", {plan.parallel} times" if plan.parallel > 1 else ""
    yield dim(f"{heads}   (context {plan.context}{times}, cache {plan.cache})")
    yield from lines


def _advice(best: Plan | None, least: Plan, machine: Machine, default: int) -> tuple[State, str]:
    """How it is, and what to do."""
    if best is None:
        short = least.host + least.gpu - machine.host - (0 if machine.unified else machine.gpu)
        times = f", {least.parallel} times," if least.parallel > 1 else ""
        return "failed", (
            f"It does not fit: even a context of {least.context}{times} lacks "
            f"{spoken.size(max(short, 1))}. A smaller quantization or a smaller model would do, or "
            "closing something else."
        )
    several = best.parallel > 1
    words = f"--parallel {best.parallel} " if several else ""
    words += f"--context {best.context}"
    words += "" if best.cache == "f16" else f" --cache {best.cache}"
    words += f" --gpu-layers {best.gpu_layers}" if machine.gpu else ""
    say = f"Say to {'serve or batch' if several else 'generate or chat'}: {words}."
    if best.context < default:
        return "warning", f"Only a shorter context fits. {say}{_hint(best)}"
    if best.context == default and best.cache == "f16" and not machine.gpu and not several:
        return "ok", f"It fits, with nothing to set.{_hint(best)}"
    return "ok", f"It fits. {say}{_hint(best)}"


def _hint(plan: Plan) -> str:
    """What a plan for a single answer leaves out."""
    if plan.parallel > 1:
        return ""
    return f" serve makes {PARALLEL} answers at a time: --parallel {PARALLEL} tells what they take."


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
        "parallel": plan.parallel,
        "cache": plan.cache,
        "gpu_layers": plan.gpu_layers,
        "host": plan.host,
        "gpu": plan.gpu,
        "needs": {role: need._asdict() for role, need in plan.needs.items()},
        "program": plan.program,
        "fits": fits,
    }
