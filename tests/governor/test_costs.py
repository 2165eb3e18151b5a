"""What steps take: measured, refined by every step, told from the pace of the moment."""

import math
import random
from collections.abc import Callable, Iterable

import pytest
from fakes import FakeModel
from simulated import CLIFF, FLAT, ROWS, STEEP

from localspec.governor.costs import Costs
from localspec.governor.curve import CostCurve
from localspec.governor.sweep import set_pace, sweep
from localspec.llama.rows import Logits, Run, nothing


class Slow(FakeModel):
    """Whose decode of n rows takes V(n) seconds."""

    def __init__(self, curve: dict[int, float]) -> None:
        super().__init__(outputs=ROWS)
        self.curve, self.now = curve, 0.0

    def decode(self, runs: Iterable[Run], meanwhile: Callable[[], None] = nothing) -> Logits:
        runs = list(runs)
        self.now += self.curve.get(len(runs[0].tokens), 9.0)
        return super().decode(runs)

    def swept(self) -> dict[int, float]:
        costs = Costs(ROWS)
        sweep(self, costs, budget=200.0, clock=lambda: self.now)
        return costs.curves[0].measured()


def test_gaps_are_filled_along_lines() -> None:
    curve = CostCurve(8)
    curve.set(1, 1.0)
    curve.set(5, 3.0)
    assert curve.seconds(3) == pytest.approx(2.0)
    assert 3.0 < curve.seconds(8) <= 3.0 * 8 / 5


def test_a_busy_minute_slows_all_lengths_alike() -> None:
    costs = Costs(ROWS)
    costs.load([STEEP])
    costs.observe(4, 1, STEEP[4], 0)
    for _ in range(50):
        costs.observe(4, 1, 3 * STEEP[4], 0)
    assert costs.step(1) == pytest.approx(3 * STEEP[1], rel=0.2)
    assert costs.step(4) / costs.step(1) == pytest.approx(STEEP[4] / STEEP[1], rel=0.15)


def test_a_slower_hour_is_not_forgotten_when_a_text_ends() -> None:
    costs = Costs(ROWS)
    costs.load([STEEP])
    for rows, slower in [(1, 1)] * 20 + [(4, 3)] * 10 + [(1, 3)]:
        costs.observe(rows, 1, slower * STEEP[rows], 0)
    costs.interrupted()
    for rows in (4, 4):  # the first step says nothing
        costs.observe(rows, 1, 3 * STEEP[rows], 0)
    before = costs.pace
    costs.observe(1, 1, 3 * STEEP[1], 0)
    assert costs.pace > 1.2 * before


def test_a_curve_that_was_wrong_is_put_right() -> None:
    costs = Costs(ROWS)
    costs.load([FLAT])
    for n in [1, 1, 4, 4] * 150:
        costs.observe(n, 1, STEEP[n], 0)
    assert costs.step(4) / costs.step(1) == pytest.approx(STEEP[4] / STEEP[1], rel=0.1)


@pytest.mark.parametrize("guesses", [0, 3, 10], ids="{} steps with guesses".format)
def test_texts_that_begin_slowly_teach_nothing_false(guesses: int) -> None:
    costs = Costs(ROWS)
    costs.load([FLAT])
    for _ in range(50):
        costs.interrupted()
        for step in range(40):
            rows = 4 if step < guesses else 1
            slowly = FLAT[rows] * (1 + 1.4 * 0.8**step)
            costs.observe(rows, 1, slowly, 0, looked=step < 2)
    assert costs.step(4) / costs.step(1) == pytest.approx(FLAT[4] / FLAT[1], rel=0.05)
    assert costs.distraction == pytest.approx(0, abs=0.05)
    assert costs.aftermath == pytest.approx(0, abs=0.05)


def test_what_several_sequences_take_together_is_told_from_what_their_guesses_take() -> None:
    costs = Costs(ROWS)
    costs.load([FLAT])
    for rows in [4, 4, 7, 7, 7] * 100:
        costs.observe(rows, 4, 9.0 if rows == 4 else 18.0, 0)
    assert costs.step(4) == pytest.approx(9.0, rel=0.1)
    assert costs.step(7) - costs.step(4) == pytest.approx(9.0, rel=0.15)


def test_depths_have_curves_of_their_own_that_begin_like_the_nearest() -> None:
    costs = Costs(ROWS)
    costs.load([STEEP])
    assert costs.step(4, depth=5000) == pytest.approx(STEEP[4])


def test_the_sweep_measures_and_leaves_the_cache_empty() -> None:
    target = Slow(STEEP)
    measured = target.swept()
    assert target.cache == [[]]
    assert measured[4] == pytest.approx(STEEP[4])
    assert len(measured) >= 10


def test_what_was_measured_another_time_gets_the_pace_of_today() -> None:
    target, costs = Slow(STEEP), Costs(ROWS)
    costs.load([{n: 7 * seconds for n, seconds in STEEP.items()}])
    costs.overhead = 0.1
    set_pace(target, costs, clock=lambda: target.now)
    assert target.cache == [[]]
    assert costs.step(4) == pytest.approx(STEEP[4], rel=0.05)
    assert len(target.decodes) < 4, "of a slow model one row says enough"


def test_a_width_that_was_held_up_in_the_sweep_is_not_believed() -> None:
    measured = Slow({**STEEP, 6: 40.0}).swept()
    assert measured[6] < 1.5 * STEEP[6]
    assert measured[4] == pytest.approx(STEEP[4])
    assert Slow(CLIFF).swept()[3] == pytest.approx(CLIFF[3], rel=0.05), "cliffs are believed"


def test_what_was_measured_in_a_bad_moment_and_is_never_tried_looks_better_with_time() -> None:
    costs = Costs(ROWS)
    costs.load([{1: 1.0, 4: 5.0, 8: 8.0}])
    for _ in range(100):
        costs.curves[0].refine(8, 1, 1.0)
        costs.curves[0].relax()
    assert costs.step(4) < 1.1
    assert costs.step(8) == pytest.approx(8.0), "what is tried is known"
    assert costs.step(1) == 1.0


@pytest.mark.parametrize("slower", [0.0, 0.1])
def test_it_is_seen_by_how_much_a_look_slows_its_step(slower: float) -> None:
    costs, chance = Costs(ROWS), random.Random(1)
    costs.load([STEEP])
    for step in range(800):
        looked = step % 4 == 0
        seconds = STEEP[1] * (1 + slower * looked) * math.exp(chance.gauss(0, 0.03))
        costs.observe(1, 1, seconds, 0, looked=looked)
    assert costs.distraction == pytest.approx(slower, abs=0.04)


def test_all_times_go_to_another_pace_together() -> None:
    costs = Costs(ROWS)
    costs.load([STEEP])
    names = ("overhead", "overhead_of_guesses", "aftermath", "change", "distraction")
    for name in names:
        setattr(costs, name, 0.5)
    costs.pace = 2.0
    before = costs.step(4)
    costs.fold(2.0)
    assert (costs.pace, costs.step(4)) == (1.0, before)
    assert [getattr(costs, name) for name in names] == [1.0] * len(names)
