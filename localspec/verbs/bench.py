"""`localspec bench`: plain against speculative decoding, side by side, by task."""

import argparse
import json
from pathlib import Path

import localspec
from localspec import UsageError, models
from localspec.bench import prompts, report, screen, twins
from localspec.bench.benchmark import Benchmark, Plan, benchmark
from localspec.bench.llama_server_flags import PROGRAM
from localspec.bench.plot import plot, prepare
from localspec.console import columns
from localspec.errors import INTERRUPTED
from localspec.llama.library import show_log
from localspec.progress import Progress, Waiting

__all__ = ["run"]


def run(options: argparse.Namespace) -> int:
    """Measure and print; 130 where Ctrl-C ended it, with what was measured by then printed."""
    show_log(options.verbose)
    picture = Path(options.plot) if options.plot else None
    if picture:
        prepare(picture)
    known = prompts.read(Path(options.prompts)) if options.prompts else prompts.own()
    chosen = prompts.choose(known, _names(options.tasks), options.limit)
    peer = _peer(options.peer)
    with Waiting() as waiting:
        model, draft, rival = _files(options, waiting)
        waiting.say(f"loading {model}")
        llm = localspec.load(model, draft=draft)
    plan = Plan(
        options.max_tokens,
        options.temperature,
        options.all,
        peer=peer,
        against=rival,
    )
    with llm, Progress() as progress:
        result = benchmark(llm, chosen, plan, progress.at)
    return _show(result, picture, as_json=options.json)


def _show(result: Benchmark, picture: Path | None, *, as_json: bool) -> int:
    if as_json:
        print(json.dumps(report.document(result), ensure_ascii=False))
    else:
        print(screen.screen(result, columns(), chart=picture is None))
    if picture and result.tasks:
        plot(result, picture)
    if result.stopped is None:
        return 0
    return INTERRUPTED if isinstance(result.stopped, KeyboardInterrupt) else 1


def _files(
    options: argparse.Namespace, waiting: Waiting
) -> tuple[str | Path, str | Path, Path | None]:
    """Target, draft, and the one to compare it with: what was named, or twins in another shape."""
    _, rival = models.resolve(options.model, options.against or "none")
    if options.against and rival is None:
        raise UsageError(f"--against is {options.against!r}; name the file of a draft.")
    if options.shape is None:
        return options.model, options.draft, rival
    shape = twins.shape_named(options.shape)
    target, draft = models.resolve(options.model, options.draft)
    waiting.say(f"making a twin of {target.name} in the shape {shape.name}")

    def twin(draft: Path | None) -> Path | None:
        small = twins.draft_shape(shape)
        return twins.build(small, options.quantization, draft) if draft else None

    return twins.build(shape, options.quantization, target), twin(draft) or "none", twin(rival)


def _names(tasks: str | None) -> list[str]:
    return [name.strip() for name in (tasks or "").split(",") if name.strip()]


def _peer(value: str | None) -> Path | None:
    if value is None:
        return None
    name, _, path = value.partition("=")
    if name != PROGRAM or not path:
        raise UsageError(f"--peer is {value!r}; it must be {PROGRAM}=PATH.")
    return Path(path).expanduser().absolute()
