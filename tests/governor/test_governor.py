"""The governor against a simulated computer whose costs and acceptance are known."""

import json
import math
import os
import random
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import pytest
from fakes import FakeModel
from simulated import CLIFF, FLAT, ROWS, STEEP, Company, Simulation

from localspec.decoding.sampling import SHARPNESSES
from localspec.governor import profile
from localspec.governor.book import Book
from localspec.governor.certainty import LEVELS, Certainty
from localspec.governor.costs import Costs
from localspec.governor.curve import CostCurve
from localspec.governor.governor import Governor
from localspec.governor.sharpness import Sharpness
from localspec.governor.survival import Calibration, OwnCalibration
from localspec.governor.sweep import set_pace, sweep
from localspec.governor.worth import OwnWorth, Worth
from localspec.llama.rows import Logits, Run, nothing


@pytest.mark.parametrize("curve", [FLAT, STEEP, CLIFF], ids=["flat", "steep", "cliff"])
@pytest.mark.parametrize("truths", [[0.9] * 2, [0.9] * 4, [0.3] * 3, [0.9, 0.2]], ids=str)
def test_several_sequences_share_the_passes_that_pay(
    curve: dict[int, float], truths: list[float]
) -> None:
    company = Company(curve, truths)
    company.run(200)
    assert company.run(400) >= 0.95 * max(company.fixed(k) for k in range(8))


@pytest.mark.parametrize("truths", [[0.75] * 8, [0.95, *[0.6] * 7]], ids=["alike", "one is sure"])
def test_among_many_nobody_is_asked_for_guesses_that_nobody_looks_at(truths: list[float]) -> None:
    each_row_takes_as_long = {n: 0.2 + 0.8 * n for n in range(1, ROWS + 2)}
    company = Company(each_row_takes_as_long, truths, guess=0.05)
    company.run(200)
    plain = len(truths) / company.pass_takes(len(truths))
    assert company.run(400) >= 0.99 * plain


@pytest.mark.parametrize("curve", [FLAT, STEEP, CLIFF], ids=["flat", "steep", "cliff"])
@pytest.mark.parametrize("guess", [0.02, 0.1])
@pytest.mark.parametrize("chance", [0.02, 0.3, 0.6, 0.8, 0.95])
def test_it_comes_close_to_the_best_fixed_length(
    curve: dict[int, float], guess: float, chance: float
) -> None:
    world = Simulation(curve, guess=guess, chance=chance, noise=0.05)
    world.run(300)
    best = world.best()
    assert world.run(3000) >= max(0.96 * best, 0.985)  # plain decoding: a token a second


@pytest.mark.parametrize("curve", [FLAT, STEEP, CLIFF], ids=["flat", "steep", "cliff"])
@pytest.mark.parametrize("guess", [0.02, 0.1, 0.5])
def test_a_useless_draft_costs_next_to_nothing(curve: dict[int, float], guess: float) -> None:
    world = Simulation(curve, guess=guess, chance=0.01, noise=0.05)
    world.run(50)
    assert world.run(2000) >= 0.99 / curve[1]


def test_a_draft_that_becomes_good_is_noticed_and_one_that_becomes_bad_too() -> None:
    world = Simulation(FLAT, guess=0.02, chance=0.02)
    world.run(300)
    world.chance = world.truth = 0.8
    world.run(300)
    assert world.run(300) >= 0.9 * world.best()
    world.chance = world.truth = 0.02
    world.run(30)
    assert sum(world.lengths[-5:]) <= 5


def test_the_cliff_is_used() -> None:
    world = Simulation(CLIFF, guess=0.02, chance=0.7)
    world.run(500)
    lengths = world.lengths[-200:]
    assert lengths.count(3) > lengths.count(2)


def test_a_sweep_in_a_busy_moment_is_seen_through() -> None:
    world = Simulation(FLAT, guess=0.02, chance=0.8, noise=0.05)
    world.governor.costs.load([{**{n: 3 * s for n, s in FLAT.items()}, 1: 20.0}])
    world.run(200)
    assert world.run(1000) >= 0.9 * world.best()


def test_a_computer_that_becomes_slow_and_fast_again_teaches_nothing_false() -> None:
    world = Simulation(FLAT, guess=0.02, chance=0.8, noise=0.05)
    world.run(300)
    world.pace = 6.0
    world.run(40)
    world.pace = 1.0
    world.run(100)
    assert world.run(1000) >= 0.95 * world.best()


def test_a_draft_that_promises_too_much_in_one_text_is_found_out_within_it() -> None:
    world = Simulation(STEEP, guess=0.1, chance=0.9, noise=0.05)
    world.run(1000)
    world.another_text(truth=0.3)
    world.run(40)
    assert sum(world.lengths[-10:]) <= 2
    world.another_text(truth=0.9)
    world.run(60)
    assert sum(world.lengths[-20:]) >= 15


def test_steps_without_guesses_come_often_enough_to_know_what_they_take() -> None:
    world = Simulation(FLAT, guess=0.02, chance=0.95, noise=0.05)
    world.run(2000)
    assert 0 in world.lengths[-80:]
    assert world.lengths[-660:].count(0) <= 24


def test_where_the_target_is_sure_a_draft_is_worth_asking_and_where_it_is_lost_it_is_not() -> None:
    worth = Worth()
    for _ in range(40):
        worth.observe(0.4, 0, 1.0)
        worth.observe(-0.4, LEVELS - 1, 1.0)
    assert OwnWorth(worth).estimate(0, 0) > 0 > OwnWorth(worth).estimate(LEVELS - 1, 0)
    own = OwnWorth(worth)
    for position in range(6):
        own.observe(-0.3, 0, position)
    assert own.estimate(0, 6) < 0  # in this text it is not
    assert own.estimate(0, 600) > 0  # which is forgotten


def test_what_speaks_against_a_draft_is_told_in_numbers() -> None:
    simulation = Simulation(STEEP, guess=0.1, chance=0.3)
    governor = simulation.governor
    assert governor.doubt(simulation.sequence, "simulated") is None, "nobody has guessed yet"
    simulation.run(400)
    doubt = governor.doubt(simulation.sequence, "simulated")
    assert doubt
    assert doubt.expected == pytest.approx(0.3, abs=0.1)
    assert doubt.needed == pytest.approx(0.7, abs=0.05), "a row takes 0.6 more, a guess 0.1"
    simulation.another_text(0.3)
    doubt = governor.doubt(simulation.sequence, "simulated")
    assert doubt
    assert doubt.expected is None, "not asked in this text"


def test_a_short_text_is_judged_by_what_rows_take_there_after_a_long_one() -> None:
    simulation = Simulation(STEEP, guess=0.1, chance=0.3)
    simulation.run(1100)
    simulation.governor.costs.load([STEEP, FLAT])
    long = simulation.governor.doubt(simulation.sequence, "simulated")
    simulation.another_text(0.3)
    short = simulation.governor.doubt(simulation.sequence, "simulated")
    assert long
    assert short
    assert long.needed < 0.4
    assert short.needed == pytest.approx(0.7, abs=0.05)


def test_certainty_is_how_few_tokens_are_likely() -> None:
    sure, lost = Certainty(), Certainty()
    row = np.zeros(1000, np.float32)
    peak = row.copy()
    peak[7] = 20.0
    for position in range(40):
        sure.observe(peak, position)
        lost.observe(row, position)
    assert (sure.level, lost.level) == (0, LEVELS - 1)


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


class TestCosts:
    def test_gaps_are_filled_along_lines(self) -> None:
        curve = CostCurve(8)
        curve.set(1, 1.0)
        curve.set(5, 3.0)
        assert curve.seconds(3) == pytest.approx(2.0)
        assert 3.0 < curve.seconds(8) <= 3.0 * 8 / 5

    def test_a_busy_minute_slows_all_lengths_alike(self) -> None:
        costs = Costs(ROWS)
        costs.load([STEEP])
        costs.observe(4, 1, STEEP[4], 0)
        for _ in range(50):
            costs.observe(4, 1, 3 * STEEP[4], 0)
        assert costs.step(1) == pytest.approx(3 * STEEP[1], rel=0.2)
        assert costs.step(4) / costs.step(1) == pytest.approx(STEEP[4] / STEEP[1], rel=0.15)

    def test_a_curve_that_was_wrong_is_put_right(self) -> None:
        costs = Costs(ROWS)
        costs.load([FLAT])
        for n in [1, 1, 4, 4] * 150:
            costs.observe(n, 1, STEEP[n], 0)
        assert costs.step(4) / costs.step(1) == pytest.approx(STEEP[4] / STEEP[1], rel=0.1)

    def test_what_several_sequences_take_together_is_told_from_what_their_guesses_take(
        self,
    ) -> None:
        costs = Costs(ROWS)
        costs.load([FLAT])
        for rows in [4, 4, 7, 7, 7] * 100:
            costs.observe(rows, 4, 9.0 if rows == 4 else 18.0, 0)
        assert costs.step(4) == pytest.approx(9.0, rel=0.1)
        assert costs.step(7) - costs.step(4) == pytest.approx(9.0, rel=0.15)

    def test_depths_have_curves_of_their_own_that_begin_like_the_nearest(self) -> None:
        costs = Costs(ROWS)
        costs.load([STEEP])
        assert costs.step(4, depth=5000) == pytest.approx(STEEP[4])

    def test_the_sweep_measures_and_leaves_the_cache_empty(self) -> None:
        target = Slow(STEEP)
        measured = target.swept()
        assert target.cache == [[]]
        assert measured[4] == pytest.approx(STEEP[4])
        assert len(measured) >= 10

    def test_what_was_measured_another_time_gets_the_pace_of_today(self) -> None:
        target, costs = Slow(STEEP), Costs(ROWS)
        costs.load([{n: 7 * seconds for n, seconds in STEEP.items()}])
        costs.overhead = 0.1
        set_pace(target, costs, clock=lambda: target.now)
        assert target.cache == [[]]
        assert costs.step(4) == pytest.approx(STEEP[4], rel=0.05)
        assert len(target.decodes) < 4, "of a slow model one row says enough"

    def test_a_width_that_was_held_up_in_the_sweep_is_not_believed(self) -> None:
        measured = Slow({**STEEP, 6: 40.0}).swept()
        assert measured[6] < 1.5 * STEEP[6]
        assert measured[4] == pytest.approx(STEEP[4])
        assert Slow(CLIFF).swept()[3] == pytest.approx(CLIFF[3], rel=0.05), "cliffs are believed"

    def test_what_was_measured_in_a_bad_moment_and_is_never_tried_looks_better_with_time(
        self,
    ) -> None:
        costs = Costs(ROWS)
        costs.load([{1: 1.0, 4: 5.0, 8: 8.0}])
        for _ in range(100):
            costs.curves[0].refine(8, 1, 1.0)
            costs.curves[0].relax()
        assert costs.step(4) < 1.1
        assert costs.step(8) == pytest.approx(8.0), "what is tried is known"
        assert costs.step(1) == 1.0

    @pytest.mark.parametrize("slower", [0.0, 0.1])
    def test_it_is_seen_by_how_much_a_look_slows_its_step(self, slower: float) -> None:
        costs, chance = Costs(ROWS), random.Random(1)
        costs.load([STEEP])
        for step in range(800):
            looked = step % 4 == 0
            seconds = STEEP[1] * (1 + slower * looked) * math.exp(chance.gauss(0, 0.03))
            costs.observe(1, 1, seconds, 0, looked=looked)
        assert costs.distraction == pytest.approx(slower, abs=0.04)

    def test_all_times_go_to_another_pace_together(self) -> None:
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


class TestCalibration:
    def test_a_drafter_is_taken_at_its_word_until_there_is_evidence(self) -> None:
        calibration = Calibration()
        assert calibration.chance(0.8) == pytest.approx(0.8)
        for i in range(400):
            calibration.observe(0.8, held=i % 2 == 0)
        assert calibration.chance(0.8) == pytest.approx(0.5, abs=0.06)
        assert calibration.chance(0.15) == pytest.approx(0.15)

    def test_a_sequence_leans_on_all_and_then_on_its_own_text(self) -> None:
        common = Calibration()
        for _ in range(200):
            common.observe(0.6, held=True)
        own = OwnCalibration(common)
        assert own.chance(0.6) > 0.9
        for _ in range(40):
            own.observe(0.6, held=False)
        assert own.chance(0.6) < 0.4

    def test_the_sharpness_that_was_right_most_often_wins(self) -> None:
        sharpness = Sharpness()
        assert sharpness.best == 1.6
        for _ in range(50):
            sharpness.observe((7, 8, 8, 8, 8), 7)
        assert sharpness.best == SHARPNESSES[0]


class TestProfile:
    def test_what_was_learned_is_there_the_next_time(self, tmp_path: Path) -> None:
        world = Simulation(CLIFF, guess=0.02, chance=0.3)
        world.run(200)
        world.governor.steady.stride.recall({2: [0.0, 0.5]})
        profile.save(world.governor, tmp_path / "p.json")
        again = Governor(Costs(ROWS))
        assert profile.load(again, tmp_path / "p.json")
        assert again.costs.step(4) == pytest.approx(world.governor.costs.step(4))
        assert again.books["simulated"].common.next_chance == pytest.approx(
            world.governor.books["simulated"].common.next_chance
        )
        assert again.steady.stride.known() == {2: [0.0, 0.5]}

    @pytest.mark.parametrize(("pace", "kept"), [(0.5, 0.5), (5.0, 1.0)])
    def test_a_busy_moment_is_not_what_the_next_time_begins_with(
        self, tmp_path: Path, pace: float, kept: float
    ) -> None:
        world = Simulation(FLAT, guess=0.02, chance=0.3)
        world.run(200)
        times = world.governor.costs.step(4), world.governor.books["simulated"].proposal(2)
        world.governor.costs.pace = pace
        profile.save(world.governor, tmp_path / "p.json")
        again = Governor(Costs(ROWS))
        profile.load(again, tmp_path / "p.json")
        assert again.costs.step(4) == pytest.approx(kept * times[0], rel=0.02)
        assert again.books["simulated"].proposal(2) == pytest.approx(kept * times[1])

    @pytest.mark.parametrize(
        "damage",
        [
            lambda text: "",
            lambda text: text[: len(text) // 2],
            lambda text: text.replace('"version": ', '"version": 9'),
            lambda text: json.dumps([1, 2]),
            lambda text: json.dumps({**json.loads(text), "curves": [{"1": -3.0}]}),
            lambda text: json.dumps({**json.loads(text), "curves": [{"1": float("nan")}]}),
            lambda text: json.dumps({**json.loads(text), "overhead": float("inf")}),
            lambda text: json.dumps({**json.loads(text), "drafters": {"x": {}}}),
            lambda text: json.dumps({**json.loads(text), "stride": [0.1]}),
            lambda text: json.dumps({**json.loads(text), "stride": {"x": [0.1]}}),
        ],
    )
    def test_a_damaged_file_is_as_good_as_none(
        self, tmp_path: Path, damage: Callable[[str], str]
    ) -> None:
        world = Simulation(FLAT, guess=0.02, chance=0.3)
        path = tmp_path / "p.json"
        profile.save(world.governor, path)
        path.write_text(damage(path.read_text()))
        assert not profile.load(Governor(Costs(ROWS)), path)

    def test_a_folder_that_cannot_be_written_is_no_reason_to_fail(self, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("")
        profile.save(Governor(Costs(ROWS)), tmp_path / "file" / "p.json")

    def test_of_many_files_the_latest_are_kept(self, tmp_path: Path) -> None:
        for n in range(210):
            old = tmp_path / f"{n}.json"
            old.touch()
            os.utime(old, (n, n))
        profile.save(Governor(Costs(ROWS)), tmp_path / "now.json")
        left = {file.stem for file in tmp_path.iterdir()}
        assert left == {"now", *map(str, range(11, 210))}


class TestBook:
    def test_a_proposal_takes_a_beginning_and_a_time_for_each_guess(self) -> None:
        book, chance = Book(), random.Random(1)
        for _ in range(400):
            guesses = chance.randrange(1, 9)
            book.paid((0.4 + 0.5 * guesses) * (1 + chance.gauss(0, 0.05)), guesses, 1, 4.0)
        assert book.proposal.fixed == pytest.approx(0.4, abs=0.08)
        assert book.proposal(5) == pytest.approx(2.9, rel=0.05)

    def test_a_cold_start_is_soon_forgotten(self) -> None:
        book = Book()
        book.paid(200.0, 1, backlog=20, step=4.0)
        book.paid(30.0, 1, backlog=1, step=4.0)
        assert book.proposal(1) + book.reading(20) < 4.0
        for _ in range(5):
            book.paid(1.5, 1, backlog=20, step=4.0)
            book.paid(0.5, 1, backlog=1, step=4.0)
        assert book.proposal(1) == pytest.approx(0.5, rel=0.3)

    def test_asking_just_to_see_stays_within_its_share(self) -> None:
        book, spent = Book(), 0.0
        for second in range(1, 2001):
            if book.probes(2.0, passed=float(second), most=4.0):
                spent += 2.0
        assert 0.0015 <= spent / 2000 <= 0.004

    def test_what_turned_out_well_is_no_expense(self) -> None:
        book, asked = Book(), 0
        for second in range(1, 101):
            if book.probes(2.0, passed=float(second), most=4.0):
                asked += 1
                book.probed -= 2.0
        assert asked == 100
