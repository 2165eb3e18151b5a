"""A benchmark as a JSON document. Speeds in tokens a second, rounded to what is meaningful."""

from collections.abc import Mapping
from typing import Any

from localspec.bench.benchmark import Benchmark
from localspec.bench.guesses import Guesses
from localspec.bench.llama_server_flags import PROGRAM
from localspec.bench.results import Beside, TaskResult

__all__ = ["document"]


def document(benchmark: Benchmark) -> dict[str, Any]:
    """The whole of it."""
    plan, worst = benchmark.plan, benchmark.worst
    return {
        "model": benchmark.model,
        "draft": benchmark.draft,
        "device": benchmark.device,
        "max_tokens": plan.max_tokens,
        "temperature": plan.temperature,
        "rounds": plan.rounds,
        "tasks": [_task(result) for result in benchmark.tasks],
        "geomean_speedup": _rounded(benchmark.geomean_speedup),
        "worst_speedup": _rounded(worst.speedup if worst else None),
        "curve": {str(n): round(ratio, 3) for n, ratio in benchmark.curve.items()},
        **_guesses(benchmark.guesses),
        "too_long": benchmark.too_long,
        "short_answers": benchmark.short,
        "against": plan.against.name if plan.against else None,
        "notes": benchmark.notes,
        "complete": benchmark.stopped is None,
    }


def _task(result: TaskResult) -> dict[str, Any]:
    return {
        "task": result.task,
        "prompts": result.prompts,
        "plain_per_second": round(result.plain_per_second, 2),
        "auto_per_second": round(result.auto_per_second, 2),
        "speedup": _rounded(result.speedup),
        "error": _rounded(result.error),
        "spread": [_rounded(end) for end in result.spread],
        **_guesses(result.guesses),
        "fixed": {str(n): _rounded(speedup) for n, speedup in result.fixed.items()},
        "oracle_speedup": _rounded(result.oracle_speedup),
        "outputs_equal": result.outputs_equal,
        "peers": {PROGRAM: _peer(result.peers)} if result.peers else {},
        "against": _beside(result.beside) if result.beside else None,
    }


def _beside(beside: Beside) -> dict[str, Any]:
    return {"speedup": _rounded(beside.speedup), **_guesses(beside.guesses)}


def _guesses(guesses: Guesses) -> dict[str, Any]:
    return {
        "acceptance_rate": _rounded(guesses.acceptance_rate) if guesses.by_drafter else None,
        "acceptance_per_position": [_rounded(share) for share in guesses.acceptance_per_position],
        "tokens_per_step": _rounded(guesses.tokens_per_step),
        "by_drafter": {
            name: {"draft_tokens": n, "accepted_tokens": held}
            for name, (n, held) in guesses.by_drafter.items()
        },
        "time_share": {name: _rounded(share) for name, share in guesses.time_share.items()},
    }


def _peer(speeds: Mapping[str, float]) -> dict[str, Any]:
    """The best setting is the fastest of all that were tried, decoding plainly among them."""
    best = max(speeds, key=lambda setting: speeds[setting])
    return {
        "plain_per_second": _rounded(speeds.get("plain")),
        "default_per_second": _rounded(speeds.get("default")),
        "best_per_second": _rounded(speeds[best]),
        "best_setting": best,
        "per_second": {name: _rounded(speed) for name, speed in speeds.items()},
    }


def _rounded(number: float | None) -> float | None:
    return None if number is None else round(number, 4)
