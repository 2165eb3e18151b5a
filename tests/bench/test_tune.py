"""Tuning: what curves mean, what is drawn and said of them, and how they are measured."""

import argparse
import json
import os
import shutil
import signal
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from itertools import pairwise
from pathlib import Path

import pytest
from fakes import FakeModel
from hypothesis import given
from hypothesis import strategies as st

import localspec
from localspec.bench import advice
from localspec.bench import tuning as tuning_room
from localspec.bench.chart import Bar, bars
from localspec.bench.depth import Deep, dive
from localspec.bench.payoff import (
    best_length,
    break_even,
    cliffs,
    expected_tokens,
    payoffs,
)
from localspec.bench.tuning import Curve, Draft, Tuning
from localspec.governor import profile
from localspec.governor.costs import Costs
from localspec.governor.sweep import sweep
from localspec.llama.rows import Run
from localspec.verbs import tune

PATIENCE = 60  # seconds after which something is taken to hang
SHELL = Path(__file__).parents[2] / "models" / "shell"
CPU = {1: 1.0, 2: 1.69, 3: 2.27, 4: 1.78, 5: 2.47, 6: 3.07, 8: 2.97, 12: 4.0, 16: 4.5}
GPU = {1: 1.0, 2: 1.07, 4: 1.29, 8: 1.89, 9: 1.98, 10: 2.0, 12: 2.02, 16: 2.03}
"""V(n) / V(1) as measured for a 0.4B model on two cores and for an 8B model on a large GPU."""


# What curves mean -------------------------------------------------------------------------------


@given(st.integers(1, 16), st.floats(1.001, 20))
def test_at_break_even_a_step_gives_what_it_costs(length: int, cost: float) -> None:
    acceptance = break_even(length, cost)
    if cost >= length + 1:
        assert acceptance is None
    else:
        assert acceptance is not None
        assert expected_tokens(length, acceptance) == pytest.approx(cost, rel=1e-6)


def test_one_guess_pays_when_more_hold_than_it_costs() -> None:
    assert break_even(1, 1.25) == pytest.approx(0.25)
    assert break_even(1, 0.9) == 0.0
    assert break_even(3, 4.0) is None


@given(st.floats(0, 1), st.floats(0, 0.5))
def test_the_best_length_is_the_best_of_all(acceptance: float, draft: float) -> None:
    found = payoffs(CPU, draft)
    length, speedup = best_length(found, acceptance)
    others = {
        n - 1: sum(acceptance**i for i in range(n)) / (cost + (n - 1) * draft)
        for n, cost in CPU.items()
    }
    assert speedup == pytest.approx(max(others.values()))
    assert others[length] == pytest.approx(speedup)
    for payoff in found:
        if payoff.acceptance is not None and acceptance > payoff.acceptance + 1e-6:
            assert speedup > 1


def test_payoffs_count_the_guesses_themselves() -> None:
    assert [payoff.length for payoff in payoffs(CPU)] == [1, 2, 3, 4, 5, 7, 11, 15]
    assert payoffs({1: 1.0, 3: 1.5}, 0.25)[0].cost == 2.0


def test_cliffs_of_a_processor_and_plateaus_of_a_gpu() -> None:
    (four, eight) = cliffs(CPU)
    assert (four.first, four.last, four.cheaper) == (3, 4, True)
    assert (eight.first, eight.last, eight.cheaper) == (6, 8, True)
    (plateau,) = cliffs(GPU)
    assert (plateau.first, plateau.last, plateau.cheaper) == (9, 16, False)
    assert cliffs({n: float(n) for n in range(1, 18)}) == []


@given(st.dictionaries(st.integers(1, 17), st.floats(0.5, 9), min_size=1))
def test_cliffs_are_in_order_and_true(curve: dict[int, float]) -> None:
    found = cliffs(curve)
    for cliff in found:
        assert cliff.first < cliff.last
        assert cliff.ratio == curve[cliff.last] / curve[cliff.first]
        assert cliff.ratio <= 1.03
    assert all(one.last <= other.first for one, other in pairwise(found))


# What is drawn and said -------------------------------------------------------------------------


@given(
    st.lists(
        st.builds(Bar, st.text("ab", max_size=9), st.floats(0, 1e6), st.text("1×", max_size=9)),
        max_size=9,
    ),
    st.integers(40, 120),
    st.none() | st.floats(0, 10),
)
def test_bars_keep_to_the_width(lines: list[Bar], columns: int, mark: float | None) -> None:
    drawn = bars(lines, columns, mark)
    assert len(drawn) == len(lines)
    assert max(map(len, drawn), default=0) <= columns


def test_bars_are_as_long_as_they_say() -> None:
    drawn = bars([Bar("a", 4, "4"), Bar("b", 2, "2"), Bar("c", 0, "0")], 20)
    assert [line.count("█") for line in drawn] == [16, 8, 0]
    marked = bars([Bar("a", 4, ""), Bar("b", 1, "")], 20, mark=2.0)
    assert [line[2:].index(sign) for line, sign in zip(marked, "▓┊", strict=True)] == [8, 8]


def tuning(curve: dict[int, float], draft: Draft | None = None, deep: bool = False) -> Tuning:
    curves = [Curve(0, {n: ratio / 100 for n, ratio in curve.items()})]
    if deep:
        curves.append(Curve(2048, {n: ratio / 50 for n, ratio in curve.items()}))
    return Tuning("a-model-with-a-name-Q4_0", curves, draft)


@pytest.mark.parametrize("columns", [40, 60, 79, 200])
def test_the_page_keeps_to_the_terminal(columns: int) -> None:
    shown = tuning(CPU, Draft("small", 0.0005, 0.7, 3), deep=True)
    lines = advice.page(shown, "a device", columns).splitlines()
    assert max(map(len, lines)) <= max(60, min(columns, 84))
    assert sum("█" in line for line in lines) == len(CPU)
    assert not any("\x1b" in line for line in lines)


def test_the_words_come_from_the_curve() -> None:
    words = " ".join(advice.sentences(tuning(CPU, deep=True)))
    assert "guesses of 1 are worth it when at least 69% hold, of 3 when 46% do" in words
    assert "Looking at 4 costs less than looking at 3." in words
    assert "After 2048 tokens of text a token takes 20 ms" in words
    assert "no draft" in words
    words = " ".join(advice.sentences(tuning(GPU)))
    assert "Looking at 16 costs no more than looking at 9." in words


def test_a_draft_changes_the_words() -> None:
    cheap = " ".join(advice.sentences(tuning(CPU, Draft("small", 0.0001, 0.8, 3))))
    assert "80% of its first guesses held" in cheap
    assert "guesses of 3 are best, 1.63 times as fast" in cheap
    useless = " ".join(advice.sentences(tuning(CPU, Draft("small", 0.0001, 0.2, 3))))
    assert "guessing does not pay" in useless
    dear = " ".join(advice.sentences(tuning(CPU, Draft("small", 0.03, 0.8, 3))))
    assert "never worth it, even if all of them hold" in dear


def test_the_document_has_all_of_it() -> None:
    shown = tuning(CPU, Draft("small", 0.0005, 0.7, 3), deep=True)
    document = json.loads(json.dumps(advice.document(shown, "a device")))
    assert [curve["depth"] for curve in document["curves"]] == [0, 2048]
    assert document["curves"][0]["ms"]["4"] == 17.8
    assert document["curves"][0]["relative"]["4"] == 1.78
    assert (document["draft"], document["draft_ms"]) == ("small", 0.5)
    three = next(entry for entry in document["lengths"] if entry["length"] == 3)
    assert three["cost"] == pytest.approx(1.78 + 3 * 0.05)
    assert expected_tokens(3, three["least_acceptance"]) == pytest.approx(three["cost"], rel=1e-3)
    assert document["cliffs"][0]["last"] == 4
    assert document["best_length"] == 3
    assert document["words"] == list(advice.sentences(shown))
    plain = advice.document(tuning(CPU), "a device")
    assert (
        plain["draft"]
        is plain["draft_ms"]
        is plain["best_length"]
        is plain["expected_speedup"]
        is None
    )


# How they are measured --------------------------------------------------------------------------


class Clock:
    """Time goes by only in a model: a second for each row and one for each decode."""

    def __init__(self, target: FakeModel) -> None:
        self._target = target

    def __call__(self) -> float:
        decodes = self._target.decodes
        return float(sum(1 + sum(len(run.tokens) for run in runs) for runs in decodes))


def test_a_deep_context_is_the_same_further_down() -> None:
    target = FakeModel(length=200, outputs=17)
    deep = dive(target, 100, budget=1e6, clock=Clock(target))
    assert deep is not None
    assert deep.length == 100
    deep.decode([Run(0, (5, 6, 7), 0, 1)])
    assert target.cache[0][100:] == [5, 6, 7]
    deep.truncate(0, 1)
    assert target.cache[0][100:] == [5]
    costs = Costs(17)
    deep.truncate(0, 0)
    sweep(deep, costs, budget=2000, clock=Clock(target))
    assert costs.curves[0].measured() == {n: n + 1 for n in range(1, 18)}
    assert len(target.cache[0]) == 100


def test_nobody_dives_where_there_is_no_room_or_no_time() -> None:
    target = FakeModel(length=180, batch=50, outputs=17)
    assert dive(target, 100, budget=1e6) is None
    assert target.decodes == []
    target = FakeModel(length=500, batch=50, outputs=17)
    assert dive(target, 300, budget=100, clock=Clock(target)) is None
    assert len(target.decodes) == 1, "the first batch is enough to know"
    assert isinstance(dive(target, 300, budget=400, clock=Clock(target)), Deep)


def test_ctrl_c_ends_the_measuring_thread_too(monkeypatch: pytest.MonkeyPatch) -> None:
    threads: list[threading.Thread] = []

    def sweep_forever(path: Path, progress: Callable[[float, str], None]) -> list[Curve]:
        threads.append(threading.current_thread())
        os.kill(os.getpid(), signal.SIGINT)
        while True:
            progress(0.5, "timing passes")
            time.sleep(0.01)

    monkeypatch.setattr(tuning_room, "_sweep", sweep_forever)
    with pytest.raises(KeyboardInterrupt):
        tuning_room.tune("model.gguf", "none", lambda share, what: None)
    assert threads[0] is not threading.main_thread()
    threads[0].join(PATIENCE)
    assert not threads[0].is_alive()


@pytest.mark.skipif(not list(SHELL.glob("*.gguf")), reason="the embedded pair is not there")
def test_figures_that_cannot_be_kept_are_not_said_to_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "home"
    monkeypatch.setenv("LOCALSPEC_HOME", str(home))
    curves = [Curve(0, {n: ratio / 100 for n, ratio in CPU.items()})]
    monkeypatch.setattr(tuning_room, "time_passes", lambda path, progress: curves)
    saved: list[Path] = []
    save = profile.save
    monkeypatch.setattr(profile, "save", lambda *what: (saved.append(what[1]), save(*what))[1])
    for kept, words in ((True, "from now on"), (False, "could not be kept; localspec doctor")):
        measured = tuning_room.tune("shell", "none", lambda share, what: None)
        assert measured.kept is kept
        assert words in list(advice.sentences(measured))[-1]
        shutil.rmtree(home / "cache" / "profiles", ignore_errors=True)
        (home / "cache" / "profiles").write_text("a file where a folder should be")
    assert len(saved) == 2  # once each


@pytest.mark.skipif(not list(SHELL.glob("*.gguf")), reason="the embedded pair is not there")
def test_the_embedded_pair_is_tuned_and_remembered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LOCALSPEC_HOME", str(tmp_path))
    monkeypatch.setattr("localspec.bench.tuning._LEAST_SECONDS", 0.5)
    monkeypatch.setattr("localspec.bench.tuning._MOST_SECONDS", 0.5)
    given_ = argparse.Namespace(model="shell", draft="auto", json=True, verbose=False)
    assert tune.run(given_) == 0
    document = json.loads(capsys.readouterr().out)
    measured = {int(n): ms / 1000 for n, ms in document["curves"][0]["ms"].items()}
    assert 1 in measured
    assert document["draft_ms"] > 0
    with ExitStack() as stack:
        llm = stack.enter_context(localspec.load("shell"))
        kept = llm.governor.costs.curves[0].measured()
    assert {n: kept[n] for n in measured} == pytest.approx(measured, rel=1e-3)
