"""Looking for guesses takes time, and so is done less often in texts that have none."""

from localspec.governor.attention import Attention

STEP = 1.0


def looks(attention: Attention, steps: int, found: bool = False) -> int:
    """How many of so many steps were looked at, with guesses `found` or not."""
    number = 0
    for _ in range(steps):
        if attention.due():
            number += 1
            attention.found(found, STEP)
    return number


def slow(seconds: float) -> Attention:
    attention = Attention()
    for _ in range(200):
        attention.took(seconds)
    return attention


def test_beside_a_large_model_every_step_is_looked_at() -> None:
    assert looks(slow(0.001), 100) == 100


def test_beside_a_small_one_looking_takes_half_a_percent_where_there_is_nothing() -> None:
    attention = slow(0.03)
    looks(attention, 10)
    assert 0.003 <= looks(attention, 600) * 0.03 / 600 <= 0.006


def test_every_step_is_looked_at_where_guesses_are_found() -> None:
    attention = slow(0.03)
    assert looks(attention, 100, found=True) == 100


def test_the_first_find_brings_attention_back() -> None:
    attention = slow(0.03)
    looks(attention, 50)
    while not attention.due():
        pass
    attention.found(True, STEP)
    assert looks(attention, 4) == 4
