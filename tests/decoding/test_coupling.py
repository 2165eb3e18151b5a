"""The draft's guess: made with the target's own noise, so that alike models guess alike."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from localspec.decoding import noise
from localspec.decoding.sampling import SHARPNESS, SHARPNESSES, Sampler, Sampling
from localspec.llama.rows import Logits

Numbers = npt.NDArray[np.float64]

SIZE = 12
rows = st.lists(st.floats(-30, 30, width=32), min_size=SIZE, max_size=SIZE).map(
    lambda values: np.array(values, dtype=np.float32)
)
temperatures = st.sampled_from([0.0, 0.1, 0.7, 1.0, 3.0])
positions = st.integers(0, 100_000)
seeds = st.integers(0, 2**64 - 1)


def sampler(temperature: float = 1.0, sharpness: float = 1.0, **settings: Any) -> Sampler:
    made = Sampler(Sampling(temperature=temperature, **({"top_p": 1.0} | settings)), [3, 4], SIZE)
    made.sharpness = sharpness
    return made


def softmax(row: Logits, temperature: float = 1.0) -> Numbers:
    scaled = row.astype(np.float64) / temperature
    weights: Numbers = np.exp(scaled - scaled.max())
    return weights / float(weights.sum())


def is_near(row: Logits, token: int, temperature: float) -> bool:
    """Whether a guess looks at it: it need not look at what is far less likely than the best."""
    return bool(row.max() - row[token] <= 7.5 * temperature)


def agreement(target: Logits, draft: Logits, count: int = 1200) -> float:
    """The share of positions at which the draft's guess is the target's pick."""
    choose = sampler(seed=6)
    hits = [choose.pick(target, p) == choose.guess(draft, p).token for p in range(count)]
    return sum(hits) / count


def pair(seed: int, distance: float) -> tuple[Logits, Logits]:
    """Rows of a target and of a draft that has learned something else."""
    random = np.random.default_rng(seed)
    target = random.normal(0, 1.5, SIZE)
    draft = target + random.normal(0, distance, SIZE)
    return target.astype(np.float32), draft.astype(np.float32)


class TestSameNoise:
    @given(rows, temperatures, seeds, positions)
    def test_a_draft_that_thinks_like_the_target_says_what_it_says(
        self, row: Logits, temperature: float, seed: int, position: int
    ) -> None:
        choose = sampler(temperature, seed=seed)
        pick = choose.pick(row, position)
        assume(is_near(row, pick, temperature))
        assert choose.guess(row, position).token == pick

    def test_so_it_does_where_that_is_unlikely(self) -> None:
        row = np.linspace(0, -6, SIZE, dtype=np.float32)
        choose = sampler(seed=2)
        picks = [choose.pick(row, p) for p in range(4000)]
        assert [choose.guess(row, p).token for p in range(4000)] == picks
        assert set(picks) == set(range(SIZE))

    @given(rows, temperatures, seeds, positions, st.lists(st.integers(0, SIZE - 1), max_size=5))
    def test_penalties_do_not_part_them(
        self, row: Logits, temperature: float, seed: int, position: int, said: list[int]
    ) -> None:
        choose = sampler(
            temperature, seed=seed, repeat_penalty=1.25, frequency_penalty=0.5, logit_bias={2: 3.0}
        )
        adjusted = row.copy()
        adjusted[sorted({3, 4, *said})] *= [
            0.8 if row[token] > 0 else 1.25 for token in sorted({3, 4, *said})
        ]
        adjusted[2] += 3
        for token in said:
            choose.push(token)
            adjusted[token] -= 0.5
        pick = choose.pick(row, position)
        assume(is_near(adjusted, pick, temperature))
        assert choose.guess(row, position).token == pick

    def test_a_guess_is_not_the_same_everywhere(self) -> None:
        row = np.zeros(SIZE, dtype=np.float32)
        guesses = [sampler(seed=s).guess(row, p).token for s in range(5) for p in range(40)]
        assert set(guesses) == set(range(SIZE))

    @given(rows, seeds, positions)
    def test_filters_are_the_targets_business(self, row: Logits, seed: int, position: int) -> None:
        filtered = sampler(seed=seed, top_k=1, top_p=0.1, min_p=1.0)
        assert filtered.guess(row, position) == sampler(seed=seed).guess(row, position)

    @pytest.mark.parametrize("seed", [0, 1, 2])
    @pytest.mark.parametrize("distance", [0.3, 1.0, 2.5])
    def test_acceptance_is_within_its_bounds(self, seed: int, distance: float) -> None:
        """At least (1 - TV) / (1 + TV) (arXiv 2408.07978), which sampling apart never reaches."""
        target, draft = pair(seed, distance)
        p, q = softmax(target), softmax(draft)
        apart, tv = float((p * q).sum()), float(np.abs(p - q).sum() / 2)
        share, error = agreement(target, draft), 0.04
        assert (1 - tv) / (1 + tv) - error < share < 1 - tv + error
        assert share > apart + 0.15


class TestSharpness:
    def test_it_starts_at_the_measured_best(self) -> None:
        assert Sampler(Sampling(), [], 4).sharpness == SHARPNESS
        assert SHARPNESS in SHARPNESSES
        assert 1.0 in SHARPNESSES, "the plain coupling, which no draft that is right can beat"

    @given(rows, st.sampled_from([0.1, 0.7, 1.0, 3.0]), seeds, positions)
    def test_it_stretches_the_drafts_logits_against_the_noise(
        self, row: Logits, temperature: float, seed: int, position: int
    ) -> None:
        gumbel = noise.gumbel(noise.key_at(seed, position), np.arange(SIZE, dtype=np.uint32))
        for sharpness in SHARPNESSES:
            scores = sharpness * row.astype(np.float64) / temperature + gumbel
            token = int(scores.argmax())
            assume(is_near(row, token, temperature))
            assume(np.diff(np.sort(scores))[-1] > 1e-3)
            assert sampler(temperature, sharpness, seed=seed).guess(row, position).token == token

    @given(rows, st.sampled_from([0.1, 0.7, 1.0, 3.0]), seeds, positions)
    def test_every_guess_says_what_it_would_be_at_any_other(
        self, row: Logits, temperature: float, seed: int, position: int
    ) -> None:
        guesses = [sampler(temperature, s, seed=seed).guess(row, position) for s in SHARPNESSES]
        assert {guess.at_sharpness for guess in guesses} == {tuple(g.token for g in guesses)}

    @given(rows, positions)
    def test_without_noise_it_changes_nothing(self, row: Logits, position: int) -> None:
        guesses = {sampler(0.0, s).guess(row, position) for s in SHARPNESSES}
        assert len(guesses) == 1
        assert guesses.pop().at_sharpness == ()

    @given(rows, rows, st.sampled_from(SHARPNESSES), seeds, positions)
    def test_it_never_touches_the_targets_pick(
        self, row: Logits, draft: Logits, sharpness: float, seed: int, position: int
    ) -> None:
        choose = sampler(sharpness=sharpness, seed=seed)
        choose.guess(draft, position)
        assert choose.pick(row, position) == sampler(seed=seed).pick(row, position)


class TestConfidence:
    @given(rows, st.sampled_from([0.3, 0.7, 1.0, 3.0]), st.sampled_from([1.0, 1.6]), positions)
    def test_it_is_the_drafts_own_probability(
        self, row: Logits, temperature: float, sharpness: float, position: int
    ) -> None:
        """Unsharpened, and as good as exact: what is far below the best may be left out."""
        token, confidence, _ = sampler(temperature, sharpness).guess(row, position)
        assert confidence == pytest.approx(softmax(row, temperature)[token], rel=5e-3)
        assert 0 < confidence <= 1

    @given(rows, positions)
    def test_a_greedy_guess_is_the_favourite_and_as_likely_as_it_is(
        self, row: Logits, position: int
    ) -> None:
        token, confidence, _ = sampler(0.0).guess(row, position)
        assert token == int(row.argmax())
        assert confidence == pytest.approx(softmax(row)[token], rel=5e-3)

    def test_greedy_takes_the_first_of_equals(self) -> None:
        row = np.array([0, 2, 1, 2] + [0] * (SIZE - 4), dtype=np.float32)
        assert sampler(0.0).guess(row, 9).token == 1

    def test_what_is_forbidden_has_no_share_in_it(self) -> None:
        row = np.zeros(SIZE, dtype=np.float32)
        row[2:] = -np.inf
        assert sampler().guess(row, 3).confidence == pytest.approx(0.5)


class TestOtherVocabularies:
    @given(rows, temperatures, positions)
    def test_tokens_that_the_target_does_not_have_are_never_guessed(
        self, row: Logits, temperature: float, position: int
    ) -> None:
        padded = np.concatenate([row, np.full(4, 1000, dtype=np.float32)])
        choose = sampler(temperature, frequency_penalty=0.5)
        assert choose.guess(padded, position) == choose.guess(row, position)

    @given(rows, temperatures, positions)
    def test_a_draft_may_lack_the_targets_last_tokens(
        self, row: Logits, temperature: float, position: int
    ) -> None:
        choose = sampler(temperature, frequency_penalty=0.5, logit_bias={SIZE - 1: 2.0})
        short, forbidden = row[:-3], row.copy()
        forbidden[-3:] = -np.inf
        assert choose.guess(short, position) == choose.guess(forbidden, position)


@pytest.mark.parametrize("size", [2, 127, 128, 300, 8_191, 8_193, 32_001, 128_256])
def test_whatever_the_size_of_a_vocabulary_the_likeliest_token_is_guessed(size: int) -> None:
    choose, random = Sampler(Sampling(temperature=0), [], size), np.random.default_rng(size)
    for best in (0, size - 1, *random.integers(0, size, 6)):
        row = random.normal(0, 2, size).astype(np.float32)
        row[best] = row.max() + 1
        token, confidence, _ = choose.guess(row, 0)
        share = 1 / np.exp(row - row[best], dtype=np.float64).sum()
        assert token == best
        assert share <= confidence * (1 + 1e-5) <= 1 + 1e-5, "of a column one token counts"
