"""A benchmark on one screen of a terminal, for somebody who sees it for the first time."""

import textwrap
from collections.abc import Iterator

from localspec.bench.benchmark import Benchmark
from localspec.bench.chart import Bar, bars
from localspec.bench.guesses import Guesses
from localspec.bench.llama_server_flags import PROGRAM
from localspec.bench.results import SHORTEST, TaskResult, geometric_mean
from localspec.bench.verdict import breakdown, verdict
from localspec.console import table

__all__ = ["screen"]

_NARROWEST, _WIDEST = 60, 100


def screen(benchmark: Benchmark, columns: int, *, chart: bool = True) -> str:
    """Its lines; sentences and bars keep to `columns`, tables need about 80."""
    columns = max(_NARROWEST, min(_WIDEST, columns))
    lines = [*_wrapped(_heading(benchmark), columns), ""]
    if benchmark.tasks:
        lines += [
            *table(list(_cells(benchmark.tasks))),
            "",
            *_wrapped(_summary(benchmark), columns),
        ]
        if any(task.peers for task in benchmark.tasks):
            lines += ["", *table(list(_peer_cells(benchmark.tasks)))]
        if any(task.beside for task in benchmark.tasks):
            lines += [
                "",
                *table(list(_draft_cells(benchmark))),
                *_wrapped(_gain(benchmark), columns),
            ]
        if chart:
            lines += ["", *_chart(benchmark.tasks, columns)]
        lines += ["", *_wrapped(verdict(benchmark), columns)]
        if benchmark.guesses.by_drafter:
            lines += _wrapped(breakdown(benchmark.guesses), columns)
    elif benchmark.stopped is None:
        lines += ["No answer was long enough to be timed."]
    for sentence in _remarks(benchmark):
        lines += _wrapped(sentence, columns)
    return "\n".join(lines)


def _heading(benchmark: Benchmark) -> str:
    plan = benchmark.plan
    draft = f"guesses by {benchmark.draft}" if benchmark.draft else "no draft"
    manner = "the likeliest token" if plan.temperature == 0 else f"temperature {plan.temperature:g}"
    return (
        f"{benchmark.model}, {draft}, on {benchmark.device}. Plain and speculative decoding in "
        f"turns, {plan.rounds} rounds, answers of up to {plan.max_tokens} tokens, {manner}."
    )


def _cells(tasks: list[TaskResult]) -> Iterator[list[str]]:
    every = any(task.fixed for task in tasks)
    heads = [
        "task",
        "prompts",
        "plain",
        "auto",
        "speed-up",
        "±",
        "10-90 %",
        "held",
        "a step",
        "same",
    ]
    yield [*heads, "best fixed"] if every else heads
    for task in tasks:
        low, high = task.spread
        cells = [
            task.task,
            str(task.prompts),
            _speed(task.plain_per_second),
            _speed(task.auto_per_second),
            f"{task.speedup:.2f}×",
            f"{task.error:.2f}" if task.error is not None else "-",
            f"{low:.2f}-{high:.2f}",
            f"{task.guesses.acceptance_rate:.0%}" if task.guesses.by_drafter else "-",
            f"{task.guesses.tokens_per_step:.2f}",
            "yes" if task.outputs_equal else "NO",
        ]
        yield [*cells, _best_fixed(task)] if every else cells


def _best_fixed(task: TaskResult) -> str:
    best = max(task.fixed, key=lambda length: task.fixed[length], default=0)
    if not best or task.fixed[best] <= 1:
        return "off: 1.00×"
    return f"{best}: {task.fixed[best]:.2f}×"


def _peer_cells(tasks: list[TaskResult]) -> Iterator[list[str]]:
    """localspec beside the other program, and the fastest of the settings that were tried."""
    yield ["tokens/s", "localspec", "", PROGRAM, "", "best", "setting"]
    yield ["", "plain", "auto", "plain", "draft", "", ""]
    for task in tasks:
        peer = task.peers
        best = max(peer, key=lambda setting: peer[setting], default="")
        yield [
            task.task,
            _speed(task.plain_per_second),
            _speed(task.auto_per_second),
            _speed(peer.get("plain")),
            _speed(peer.get("default")),
            _speed(peer.get(best)),
            best,
        ]


def _draft_cells(benchmark: Benchmark) -> Iterator[list[str]]:
    """The draft beside the other one; a step is how many tokens a pass of the target gave."""
    rival = benchmark.plan.against.stem if benchmark.plan.against else ""
    yield ["by draft", benchmark.draft or "none", "", "", rival, "", ""]
    yield ["", *["speed-up", "held", "a step"] * 2]
    for task in benchmark.tasks:
        cells = _draft(task.speedup, task.guesses)
        yield [task.task, *cells, *(_draft(*task.beside) if task.beside else ["-"] * 3)]


def _draft(speedup: float, guesses: Guesses) -> list[str]:
    held = f"{guesses.acceptance_rate:.0%}" if guesses.by_drafter else "-"
    return [f"{speedup:.2f}×", held, f"{guesses.tokens_per_step:.2f}"]


def _gain(benchmark: Benchmark) -> str:
    gains = [task.speedup / task.beside.speedup for task in benchmark.tasks if task.beside]
    name = benchmark.draft or "No draft"
    return f"{name} over the other draft, geometric mean: {geometric_mean(gains):.2f}×."


def _speed(per_second: float | None) -> str:
    if per_second is None:
        return "-"
    return f"{per_second:.0f}" if per_second >= 100 else f"{per_second:.1f}"


def _summary(benchmark: Benchmark) -> str:
    mean, worst = benchmark.geomean_speedup, benchmark.worst
    if mean is None or worst is None:
        return ""
    chance = " Measured again, a task differs by about its ±." if worst.error is not None else ""
    return f"Geometric mean {mean:.2f}×; worst task: {worst.task}, {worst.speedup:.2f}×.{chance}"


def _chart(tasks: list[TaskResult], columns: int) -> list[str]:
    lines = [Bar(t.task, t.speedup, f"{t.speedup:.2f}×") for t in tasks]
    return bars(lines, min(columns, _NARROWEST), mark=1.0)


def _remarks(benchmark: Benchmark) -> Iterator[str]:
    """What else a reader must know."""
    if benchmark.stopped is not None:
        reason = str(benchmark.stopped) or "interrupted"
        yield f"Stopped before the end ({reason.rstrip('.')}); this is what was measured by then."
    if any(not task.outputs_equal for task in benchmark.tasks):
        yield (
            "NO: in some answers guessing changed words, as this backend's sums depend on how "
            "many tokens a pass holds."
        )
    if benchmark.too_long:
        yield f"Left out as too long for the context: {_counted(benchmark.too_long)}."
    if benchmark.short:
        counted = _counted(benchmark.short)
        yield f"Not timed, as answers were shorter than {SHORTEST} tokens: {counted}."
    yield from benchmark.notes


def _counted(prompts: dict[str, int]) -> str:
    return ", ".join(f"{n} of {task}" for task, n in prompts.items())


def _wrapped(text: str, columns: int) -> list[str]:
    return textwrap.wrap(text, columns, break_long_words=False)
