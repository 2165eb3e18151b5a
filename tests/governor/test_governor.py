"""The governor against a simulated computer whose costs and acceptance are known."""

import numpy as np
import pytest
from simulated import CLIFF, FLAT, ROWS, STEEP, Company, Simulation

from localspec.governor.certainty import LEVELS, Certainty
from localspec.governor.worth import OwnWorth, Worth


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
