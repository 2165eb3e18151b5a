"""Picks follow the distribution that their settings describe: chi-square against exact softmax.

Seeds are fixed, so nothing here is left to chance; a threshold of five standard deviations leaves
room for what other seeds would do.
"""

import itertools
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from localspec.decoding.sampling import SHARPNESSES, Sampler, Sampling

Numbers = npt.NDArray[np.float64]

ROW = np.array([0.4, 2.0, -1.0, 1.6, 0.0, 1.0, -2.5, 0.8], dtype=np.float32)
OFF: dict[str, Any] = {"temperature": 1.0, "top_p": 1.0}
COUNT = 3000


def softmax(x: npt.ArrayLike) -> Numbers:
    weights: Numbers = np.exp(np.asarray(x, dtype=np.float64) - np.max(x))
    return weights / float(weights.sum())


def expected(sampling: Sampling) -> Numbers:
    """The exact distribution of a pick from ROW."""
    p = softmax(ROW.astype(np.float64) / sampling.temperature)
    best_first = np.argsort(-p)
    if sampling.top_k:
        p[best_first[sampling.top_k :]] = 0
        p /= p.sum()
    before = np.cumsum(p[best_first]) - p[best_first]
    p[best_first[before >= sampling.top_p]] = 0
    p[p < sampling.min_p * p.max()] = 0
    return p / float(p.sum())


def surprise(picks: list[int], p: Numbers) -> float:
    """Chi-square in standard deviations above its mean; without bound where the impossible came.

    Tokens expected less than ten times are counted together.
    """
    counts, wanted = np.bincount(picks, minlength=len(p)), p * len(picks)
    if counts[p == 0].any():
        return np.inf
    rare = wanted < 10
    counts = np.append(counts[~rare], counts[rare].sum())
    wanted = np.append(wanted[~rare], wanted[rare].sum())
    square = ((counts - wanted) ** 2 / np.maximum(wanted, 1)).sum()
    degrees = max(1, len(wanted) - 2)
    return float((square - degrees) / np.sqrt(2 * degrees))


@pytest.mark.parametrize("temperature", [0.3, 0.7, 1.0, 2.5])
@pytest.mark.parametrize(
    "filters",
    [{}, {"top_k": 4}, {"top_p": 0.8}, {"min_p": 0.2}, {"top_k": 6, "top_p": 0.9, "min_p": 0.1}],
    ids=str,
)
def test_picks_over_positions(temperature: float, filters: dict[str, Any]) -> None:
    sampling = Sampling(**(OFF | {"temperature": temperature, "seed": 11} | filters))
    choose = Sampler(sampling, [], len(ROW))
    picks = [choose.pick(ROW, position) for position in range(COUNT)]
    assert surprise(picks, expected(sampling)) < 5


def test_picks_over_seeds() -> None:
    samplers = [Sampler(Sampling(**(OFF | {"seed": seed})), [], 8) for seed in range(COUNT)]
    picks = [choose.pick(ROW, 40) for choose in samplers]
    assert surprise(picks, softmax(ROW)) < 5


def test_a_pick_knows_nothing_of_the_one_before() -> None:
    row = ROW[:4]
    choose = Sampler(Sampling(**OFF), [], 4)
    picks = [choose.pick(row, position) for position in range(2 * COUNT)]
    pairs = [4 * first + second for first, second in itertools.pairwise(picks)]
    assert surprise(pairs, np.outer(softmax(row), softmax(row)).ravel()) < 5


def test_one_against_a_crowd() -> None:
    """16 thousand tokens nine nats below the best hold two thirds of the probability together."""
    row = np.zeros(16384, dtype=np.float32)
    row[5] = 9
    choose = Sampler(Sampling(**OFF), [], len(row))
    picks = np.array([choose.pick(row, position) for position in range(1500)])
    share = float(softmax(row)[5])
    assert surprise((picks == 5).astype(int).tolist(), np.array([1 - share, share])) < 5
    others = picks[picks != 5] * 16 // len(row)
    assert surprise(others.tolist(), np.full(16, 1 / 16)) < 5


@pytest.mark.parametrize("sharpness", SHARPNESSES)
@pytest.mark.parametrize("temperature", [0.7, 2.0])
def test_guesses_follow_the_sharpened_distribution(sharpness: float, temperature: float) -> None:
    choose = Sampler(Sampling(temperature=temperature), [], len(ROW))
    choose.sharpness = sharpness
    guesses = [choose.guess(ROW, position).token for position in range(COUNT)]
    assert surprise(guesses, softmax(ROW * sharpness / temperature)) < 5


def test_the_test_would_notice() -> None:
    """Picks at temperature 1 are not taken for picks at 1.15."""
    choose = Sampler(Sampling(**OFF), [], len(ROW))
    picks = [choose.pick(ROW, position) for position in range(COUNT)]
    assert surprise(picks, softmax(ROW / 1.15)) > 5
