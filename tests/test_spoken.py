"""Numbers as a person says them."""

import pytest

from localspec import spoken


@pytest.mark.parametrize(
    ("amount", "said"),
    [
        (0, "0 bytes"),
        (999, "999 bytes"),
        (45_345_024, "45.3 MB"),
        (99_960_000, "100 MB"),
        (999_960_000, "1.0 GB"),
        (4_920_739_232, "4.9 GB"),
        (123_456_789_012, "123 GB"),
    ],
)
def test_sizes(amount: int, said: str) -> None:
    assert spoken.size(amount) == said


@pytest.mark.parametrize(
    ("count", "said"),
    [(7, "7"), (65_321_000, "65.3M"), (999_999_999, "1B"), (8_030_000_000, "8B")],
)
def test_numbers_of_weights(count: int, said: str) -> None:
    assert spoken.weights(count) == said


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0.4, "0 s"), (99.4, "99 s"), (99.6, "2 min"), (3600, "60 min"), (7200, "2.0 h")],
)
def test_durations(seconds: float, said: str) -> None:
    assert spoken.duration(seconds) == said
