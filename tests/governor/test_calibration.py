"""What a drafter's confidence is worth, and how sharply it guesses best."""

import pytest

from localspec.decoding.sampling import SHARPNESSES
from localspec.governor.sharpness import Sharpness
from localspec.governor.survival import Calibration, OwnCalibration


def test_a_drafter_is_taken_at_its_word_until_there_is_evidence() -> None:
    calibration = Calibration()
    assert calibration.chance(0.8) == pytest.approx(0.8)
    for i in range(400):
        calibration.observe(0.8, held=i % 2 == 0)
    assert calibration.chance(0.8) == pytest.approx(0.5, abs=0.06)
    assert calibration.chance(0.15) == pytest.approx(0.15)


def test_a_sequence_leans_on_all_and_then_on_its_own_text() -> None:
    common = Calibration()
    for _ in range(200):
        common.observe(0.6, held=True)
    own = OwnCalibration(common)
    assert own.chance(0.6) > 0.9
    for _ in range(40):
        own.observe(0.6, held=False)
    assert own.chance(0.6) < 0.4


def test_the_sharpness_that_was_right_most_often_wins() -> None:
    sharpness = Sharpness()
    assert sharpness.best == 1.6
    for _ in range(50):
        sharpness.observe((7, 8, 8, 8, 8), 7)
    assert sharpness.best == SHARPNESSES[0]
