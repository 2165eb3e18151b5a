"""What a benchmark shows: one screen, a document, a picture."""

import json
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from records import record

from localspec.bench import plot as plotting
from localspec.bench import report
from localspec.bench.benchmark import Benchmark, Plan
from localspec.bench.guesses import Guesses
from localspec.bench.prompts import own
from localspec.bench.results import (
    AUTO,
    PLAIN,
    results,
)
from localspec.bench.screen import screen
from localspec.bench.verdict import verdict
from localspec.errors import LocalspecError, UsageError

TASKS = {prompt.task for prompt in own()}


GUESSES = Guesses(
    0.6,
    1.9,
    1.5,
    [0.7, 0.5],
    {"draft model": (100, 60)},
    {"verify": 0.7, "draft": 0.2, "overhead": 0.1},
)


def made(speedups: dict[str, float], **changes: Any) -> Benchmark:
    records = []
    for task, speedup in speedups.items():
        records += [record(PLAIN, 100, task=task), record(AUTO, 100 * speedup, task=task)]
        records += [record("1", 90, task=task), record("2", 130, task=task)]
        records += [record("llama-server plain", 95, task=task)]
        records += [record("llama-server default", 80, task=task)]
    tasks = results(records, (1, 2), {s: f"llama-server {s}" for s in ("plain", "default")})
    whole = Benchmark(
        model="big",
        draft="small",
        device="a processor with a name of some length, 2 threads",
        plan=Plan(every=True),
        tasks=tasks,
        guesses=GUESSES,
        curve={1: 1.0, 2: 1.2, 3: 1.6},
        too_long={},
        short={},
    )
    return replace(whole, **changes)


@pytest.mark.parametrize("columns", [20, 60, 80, 200])
def test_the_screen_keeps_to_the_terminal_and_to_one_screen(columns: int) -> None:
    shown = made(dict.fromkeys(sorted(TASKS), 1.25), notes=["A note that is worth telling."])
    lines = screen(shown, columns).splitlines()
    assert len(lines) <= 45
    prose = [line for line in lines if "  " not in line.strip()]
    assert max(map(len, prose)) <= min(100, max(60, columns))
    bars_of = [line for line in lines if "█" in line]
    assert len(bars_of) == len(TASKS)
    assert max(map(len, bars_of)) <= 60


def test_the_screen_says_what_a_newcomer_must_know() -> None:
    text = screen(made({"chat": 1.5, "prose": 0.96}), 80)
    flat = " ".join(text.split())
    for told in ("worst task: prose, 0.96×", "Geometric mean 1.20×", "2: 1.30×", "60%", "yes"):
        assert told in flat
    assert "llama-server" in flat
    assert "1.20 times as fast" in flat
    assert "a pass over 2.5 tokens takes 1.40 times" in flat
    assert "NO" not in flat


def test_the_screen_hides_nothing() -> None:
    unequal = [replace(task, outputs_equal=False) for task in made({"chat": 1.5}).tasks]
    shown = made(
        {"chat": 1.5},
        tasks=unequal,
        too_long={"rag": 7},
        short={"json": 2},
        notes=["The draft stays at home."],
        stopped=LocalspecError("The server died."),
    )
    flat = " ".join(screen(shown, 80).split())
    for told in ("NO:", "7 of rag", "2 of json", "stays at home", "The server died"):
        assert told in flat
    assert "interrupted" in screen(replace(shown, stopped=KeyboardInterrupt()), 80)


def test_where_nothing_could_be_timed_no_figures_are_shown() -> None:
    text = screen(made({}, short={"chat": 3}), 80)
    assert "No answer was long enough" in text
    assert "×" not in text
    assert report.document(made({}))["geomean_speedup"] is None


@pytest.mark.parametrize(
    ("speedup", "told"),
    [(1.4, "1.40 times as fast"), (1.01, "next to nothing"), (0.9, "costs speed here (0.90×)")],
)
def test_the_verdict_follows_the_figures(speedup: float, told: str) -> None:
    assert told in verdict(made({"chat": speedup}))


def test_the_verdict_says_why_nothing_was_guessed() -> None:
    silent = replace(GUESSES, by_drafter={})
    assert "takes 1.20 times as long" in verdict(made({"chat": 1.0}, guesses=silent))
    assert "no draft" in verdict(made({"chat": 1.0}, guesses=silent, draft=None))


def test_the_document_keeps_the_contract() -> None:
    document = json.loads(json.dumps(report.document(made({"chat": 1.5, "prose": 0.96}))))
    assert document.keys() >= {
        *("model", "draft", "device", "tasks", "geomean_speedup", "worst_speedup", "curve")
    }
    assert document["worst_speedup"] == 0.96
    assert document["geomean_speedup"] == 1.2
    assert document["curve"] == {"1": 1.0, "2": 1.2, "3": 1.6}
    task = document["tasks"][0]
    assert task.keys() >= {
        *("task", "prompts", "plain_per_second", "auto_per_second", "speedup", "spread"),
        *("acceptance_rate", "tokens_per_step", "by_drafter", "fixed", "oracle_speedup"),
        *("outputs_equal", "peers"),
    }
    assert task["fixed"] == {"1": 0.9, "2": 1.3}
    assert task["oracle_speedup"] == 1.3
    peer = task["peers"]["llama-server"]
    assert peer["plain_per_second"] == peer["best_per_second"] == 95
    assert peer["best_setting"] == "plain"
    silent = made({"chat": 1.0}, guesses=replace(GUESSES, acceptance_rate=0.0, by_drafter={}))
    assert report.document(silent)["acceptance_rate"] is None, "nothing is no share of nothing"


def test_a_plot_without_matplotlib_says_how_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(UsageError, match=r"pip install 'localspec\[plot\]'"):
        plotting.prepare(tmp_path / "plot.png")


@pytest.mark.parametrize(("name", "told"), [("a.gif", "a.gif"), ("no/a.png", "no folder")])
def test_a_plot_that_cannot_be_written_is_refused_before_measuring(
    tmp_path: Path, name: str, told: str
) -> None:
    with pytest.raises(UsageError, match=told):
        plotting.prepare(tmp_path / name)


class FakeFigure:
    """As much of matplotlib as a plot asks for; it notes the bars and writes their labels."""

    def __init__(self, **_: object) -> None:
        self.axes = SimpleNamespace(
            **dict.fromkeys(("axvline", "set_xlabel", "set_title"), lambda *_, **__: None),
            barh=self._bars,
            spines={},
        )

    def _bars(self, labels: list[str], values: list[float], **_: object) -> None:
        self.drawn = [f"{label} {value:.2f}" for label, value in zip(labels, values, strict=True)]

    def subplots(self) -> SimpleNamespace:
        self.axes.spines = _Spines()
        return self.axes

    def savefig(self, file: Path, dpi: int) -> None:
        file.write_text("\n".join(self.drawn))


class _Spines:
    def __getitem__(self, names: list[str]) -> SimpleNamespace:
        return SimpleNamespace(set_visible=lambda shown: None)


def test_a_plot_has_a_bar_for_each_task(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake = SimpleNamespace(Figure=FakeFigure)
    monkeypatch.setitem(sys.modules, "matplotlib", SimpleNamespace())
    monkeypatch.setitem(sys.modules, "matplotlib.figure", fake)
    plotting.plot(made({"chat": 1.5, "prose": 0.96}), tmp_path / "plot.svg")
    assert (tmp_path / "plot.svg").read_text() == "prose 0.96\nchat 1.50"


def test_a_real_plot_is_a_picture(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    plotting.plot(made({"chat": 1.5, "prose": 0.96}), tmp_path / "plot.png")
    assert (tmp_path / "plot.png").read_bytes().startswith(b"\x89PNG")
