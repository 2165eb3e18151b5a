"""How much of prompts a step reads beside answers that are being decoded."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from localspec.engine.pacing import Pacing
from localspec.governor.policy import Step

PAUSE = 0.4  # seconds


def pacing(row: float, step: float) -> Pacing:
    """One that knows what a row of prompt takes, and a step that reads nothing."""
    known = Pacing()
    known.observe(Step(prefilling=True, passes=[100], target_seconds=100 * row))
    known.observe(Step(prefilling=False, passes=[1], target_seconds=step))
    return known


def chunks(known: Pacing, *, tokens: int, reading: int, beside: int, steps: int) -> list[int]:
    """Of so many steps, until all prompts are read."""
    read = []
    for _ in range(steps):
        read.append(known.tokens(tokens, reading, beside))
        tokens -= read[-1]
    return read


def test_who_comes_is_not_kept_waiting() -> None:
    assert pacing(row=0.005, step=0.02).tokens(60, 1, beside=3) == 60


def test_of_an_unknown_speed_no_more_is_read_than_a_chunk() -> None:
    assert Pacing().tokens(1000, 1, beside=1) == 128
    assert Pacing().tokens(1000, 1, beside=0) == 1000


def test_nobody_waits_longer_for_a_token_than_a_pause() -> None:
    read = chunks(pacing(0.005, 0.02), tokens=2000, reading=4, beside=8, steps=60)
    assert max(read) * 0.005 <= PAUSE


def test_chunks_are_saved_up_for() -> None:
    read = chunks(pacing(0.005, 0.02), tokens=2000, reading=1, beside=1, steps=30)
    assert {n for n in read if n} == {80}
    places = [i for i, n in enumerate(read) if n]
    assert {b - a for a, b in pairwise(places)} == {4}, "a tenth of a second in each step"


def test_beside_slow_steps_reading_gets_as_much_as_four_of_them() -> None:
    read = chunks(pacing(0.005, 0.1), tokens=2000, reading=1, beside=8, steps=20)
    assert set(read) == {80}


def test_where_more_wait_to_be_read_more_is_read() -> None:
    few = chunks(pacing(0.005, 0.02), tokens=9000, reading=2, beside=2, steps=40)
    many = chunks(pacing(0.005, 0.02), tokens=9000, reading=8, beside=2, steps=40)
    assert sum(many) > 1.8 * sum(few)


def test_where_nobody_decodes_two_seconds_pass_at_most() -> None:
    assert pacing(0.01, 0.02).tokens(5000, 2, beside=0) == 200


@given(
    row=st.floats(1e-6, 2.0),
    step=st.floats(1e-6, 5.0),
    tokens=st.integers(1, 5000),
    reading=st.integers(1, 16),
    beside=st.integers(0, 16),
)
def test_all_prompts_are_read_in_the_end(
    row: float, step: float, tokens: int, reading: int, beside: int
) -> None:
    known = pacing(row, step)
    steps, total = 0, tokens
    while tokens:
        tokens -= known.tokens(tokens, reading, beside)
        steps += 1
        assert steps <= 10 + total * (row / 0.1 + 1)


@pytest.mark.parametrize("row", [0.0001, 0.07])
def test_what_rows_take_is_learnt(row: float) -> None:
    known = Pacing()
    for _ in range(20):
        known.observe(Step(prefilling=True, passes=[64], target_seconds=64 * row))
    assert known.tokens(5000, 1, beside=1) == (128 if row < 0.001 else 0)
    assert known.tokens(5000, 1, beside=0) == (5000 if row < 0.001 else 28)


def test_what_must_be_read_at_once_is_saved_up_for() -> None:
    slow = pacing(0.05, 0.1)  # three seconds for 64 rows, four tenths in a step
    read = [slow.tokens(5000, 1, beside=1, least=64) for _ in range(60)]
    assert set(read) == {0, 64}
    assert sum(read) * 0.05 <= 60 * 0.4 + 1
