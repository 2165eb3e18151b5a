"""A benchmark as a picture: speed-up by task, with its spread over prompts."""

from importlib import import_module
from pathlib import Path
from typing import Any

from localspec.bench.benchmark import Benchmark
from localspec.errors import LocalspecError, UsageError

__all__ = ["plot", "prepare"]

_KINDS = (".png", ".svg", ".pdf")
_BAR, _MARK = "#4c72b0", "#444444"


def prepare(file: Path) -> Any:
    """matplotlib's class of figures, or UsageError with what is missing: ask before measuring."""
    if file.suffix.lower() not in _KINDS:
        raise UsageError(f"--plot writes {', '.join(_KINDS)}; {file.name} ends in none of them.")
    if not file.absolute().parent.is_dir():
        raise UsageError(f"There is no folder {file.absolute().parent} for the plot.")
    try:
        return import_module("matplotlib.figure").Figure
    except ImportError:
        raise UsageError(
            "--plot draws with matplotlib; install it with: pip install 'localspec[plot]'."
        ) from None


def plot(benchmark: Benchmark, file: Path) -> None:
    """Write the picture in the format that the file's ending names."""
    tasks = benchmark.tasks[::-1]  # a chart counts from the bottom
    figure = prepare(file)(figsize=(8, 1.5 + 0.45 * len(tasks)), layout="constrained")
    axes = figure.subplots()
    speedups = [task.speedup for task in tasks]
    below = [max(0.0, t.speedup - t.spread[0]) for t in tasks]
    above = [max(0.0, t.spread[1] - t.speedup) for t in tasks]
    axes.barh([t.task for t in tasks], speedups, xerr=[below, above], color=_BAR, capsize=3)
    axes.axvline(1.0, color=_MARK, linewidth=1, linestyle=":")
    axes.set_xlabel("speed-up over plain decoding (median; 10th to 90th percentile)")
    axes.set_title(f"{benchmark.model} on {benchmark.device}", fontsize="medium")
    axes.spines[["top", "right"]].set_visible(False)
    try:
        figure.savefig(file, dpi=150)
    except OSError as error:
        raise LocalspecError(f"The plot {file} cannot be written: {error.strerror}.") from error
