"""The target's choice: checked settings, and a pick that a slow and plain reference confirms."""

import math
import tracemalloc
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from samplers import logits, reach, sampler, samplings

from localspec.decoding import noise
from localspec.decoding.sampling import Sampler, Sampling
from localspec.errors import DecodeError, UsageError
from localspec.llama.rows import Logits


def reference(row: Logits, sampling: Sampling, position: int) -> set[int]:
    """What pick must return, in plain 64-bit Python; more than one token where rounding decides."""
    s, x, t = sampling, [float(logit) for logit in row], sampling.temperature
    best = max(x)
    if t == 0:
        return {x.index(best)}
    ranked = sorted(range(len(x)), key=lambda i: -x[i])
    if s.top_k:
        ranked = ranked[: s.top_k]
    gumbel = noise.gumbel(noise.key_at(s.seed, position), np.arange(len(x), dtype=np.uint32))
    answers = set()
    for slack in (-1e-5, 0.0, 1e-5):
        kept = nucleus(ranked, [math.exp((x[i] - best) / t) for i in ranked], s.top_p, slack)
        if s.min_p:
            floor = best + t * math.log(s.min_p) + slack * (1 + abs(best) + t)
            kept = [i for i in kept if x[i] >= floor] or kept[:1]
        scores = {i: x[i] / t + float(gumbel[i]) for i in kept if x[i] > -math.inf}
        top = max(scores.values())
        answers |= {i for i in scores if scores[i] >= top - 3e-7 * (1 + abs(x[i]) / t)}
    return answers


def nucleus(ranked: list[int], weights: list[float], top_p: float, slack: float) -> list[int]:
    """The fewest of the ranked tokens that together hold a share top_p."""
    if top_p == 1:
        return ranked
    enough, share = top_p * (1 + slack) * math.fsum(weights), 0.0
    for i, weight in enumerate(weights):
        share += weight
        if share >= enough:
            return ranked[: i + 1]
    return ranked


logit = st.one_of(
    st.integers(-24, 24).map(lambda n: n / 4),
    st.floats(-30, 30, width=32),
    st.sampled_from([-math.inf, 1e6, -1e6, 1e4, 1e-30, -1e-30, 0.0]),
)
rows = st.one_of(
    st.lists(logit, min_size=1, max_size=40),
    st.builds(lambda x, n: [x] * n, st.floats(-30, 30, width=32), st.integers(1, 300)),
    st.builds(lambda peak, n: [0.0] * n + [peak] + [0.0] * n, logit, st.integers(0, 150)),
).map(logits)
positions = st.integers(0, 200_000)


def realistic(kind: str, seed: int, size: int = 16384) -> Logits:
    """A row as large as a real vocabulary."""
    random = np.random.default_rng(seed)
    row: Logits = random.normal(-2, 3, size).astype(np.float32)
    if kind == "rounded":
        row = np.round(row * 2) / np.float32(2)
    elif kind == "flat":
        row[:] = 1.25
    elif kind == "crowd against one":
        row[:] = 0
        row[random.integers(size)] = 9
    elif kind == "very peaked":
        row[random.integers(size)] = 60
    elif kind == "mostly forbidden":
        row[random.random(size) < 0.99] = -np.inf
    return row


class TestSettings:
    @pytest.mark.parametrize(
        ("name", "value", "sentence"),
        [
            ("temperature", -1, r"temperature is -1; it must be 0 to 100\."),
            ("temperature", 100.5, r"temperature is 100\.5; .* 0 to 100\."),
            ("temperature", math.nan, r"temperature is nan; .* 0 to 100\."),
            ("temperature", math.inf, r"temperature is inf; .* 0 to 100\."),
            ("top_k", -1, r"top_k is -1; it must be at least 0\."),
            ("top_p", 2, r"top_p is 2; it must be 0 to 1\."),
            ("top_p", -0.1, r"top_p is -0\.1; it must be 0 to 1\."),
            ("top_p", math.nan, r"top_p is nan; it must be 0 to 1\."),
            ("min_p", 1.01, r"min_p is 1\.01; it must be 0 to 1\."),
            ("min_p", -1e-9, r"min_p is -1e-09; it must be 0 to 1\."),
            ("repeat_penalty", 0, r"repeat_penalty is 0; .* 0\.01 to 100\."),
            ("repeat_penalty", -2, r"repeat_penalty is -2; .* 0\.01 to 100\."),
            ("repeat_penalty", math.inf, r"repeat_penalty is inf; .* 0\.01 to 100\."),
            ("frequency_penalty", -101, r"frequency_penalty is -101; .* -100 to 100\."),
            ("frequency_penalty", math.nan, r"frequency_penalty is nan; .* -100 to 100"),
            ("presence_penalty", 101, r"presence_penalty is 101; .* -100 to 100\."),
            ("seed", -1, r"seed is -1; it must be 0 to 2\^64 - 1\."),
            ("seed", 2**64, rf"seed is {2**64}; it must be 0 to 2\^64 - 1\."),
            ("logit_bias", {3: math.inf}, r"logit bias of token \d is (inf|nan)"),
            ("logit_bias", {3: 1.0, 4: math.nan}, r"logit bias of token \d is (inf|nan)"),
        ],
    )
    def test_a_senseless_value_is_refused_in_words(
        self, name: str, value: Any, sentence: str
    ) -> None:
        with pytest.raises(UsageError, match=sentence) as raised:
            Sampling(**{name: value})
        assert str(raised.value).endswith(".")

    @pytest.mark.parametrize(
        ("name", "values"),
        [
            ("temperature", (0, 0.0, 100)),
            ("top_k", (0, 1, 10**9)),
            ("top_p", (0, 1)),
            ("min_p", (0, 1)),
            ("repeat_penalty", (0.01, 100)),
            ("frequency_penalty", (-100, 100)),
            ("presence_penalty", (-100, 100)),
            ("seed", (0, 2**64 - 1)),
            ("logit_bias", ({}, {0: -100.0}, {1: 100.0})),
        ],
    )
    def test_the_ends_of_a_range_belong_to_it(self, name: str, values: tuple[Any, ...]) -> None:
        for value in values:
            choose = Sampler(Sampling(**{name: value}), [0, 1], 4)
            assert 0 <= choose.pick(logits([1, 2, 3, 4]), 7) < 4

    @pytest.mark.parametrize("token", [-1, 4, 10**6])
    def test_a_bias_on_a_token_that_does_not_exist_is_refused(self, token: int) -> None:
        with pytest.raises(UsageError, match=rf"token {token}; there are 4\."):
            sampler(4, logit_bias={token: 1.0})

    @pytest.mark.parametrize("bias", [1e38, 1e39, 1e300])
    def test_a_bias_of_any_size_is_refused_or_does_what_it_says(self, bias: float) -> None:
        try:
            wish, ban = sampler(4, logit_bias={2: bias}), sampler(4, logit_bias={2: -bias})
        except UsageError:
            return
        row = logits([1, 3, 2, -5])
        assert {wish.pick(row, p) for p in range(50)} == {2}
        assert 2 not in {ban.pick(row, p) for p in range(50)}
        assert wish.guess(row, 7)[:2] == (2, 1.0)

    @pytest.mark.parametrize("temperature", [1e-6, 1e-20, 1e-46])
    @pytest.mark.parametrize("top_p", [1.0, 0.95])
    def test_next_to_no_temperature_is_as_good_as_none(
        self, temperature: float, top_p: float
    ) -> None:
        choose = sampler(4, temperature=temperature, top_p=top_p)
        row = logits([1, 3, 2, -50])
        assert {choose.pick(row, p) for p in range(20)} == {1}
        token, confidence, _ = choose.guess(row, 7)
        assert token == 1
        assert 0 < confidence <= 1


class TestLogitsThatAreNoNumbers:
    @pytest.mark.parametrize("odd", [math.nan, math.inf])
    @given(sampling=samplings)
    def test_nothing_is_chosen_by_them(self, odd: float, sampling: Sampling) -> None:
        row, chooser = logits([0.0] * 5 + [odd] + [1.0] * 5), Sampler(sampling, [], 11)
        for choose in (chooser.pick, chooser.guess):
            with pytest.raises(DecodeError, match="no numbers"):
                choose(row, 7)


class TestPick:
    @settings(max_examples=400)
    @given(rows, samplings, positions)
    @example(logits([5.0]), Sampling(temperature=1.0, top_k=1, top_p=0.0, min_p=1.0), 0)
    @example(logits([-math.inf, 0, -math.inf]), Sampling(temperature=1.0, top_k=2), 3)
    def test_it_is_what_the_reference_says(
        self, row: Logits, sampling: Sampling, position: int
    ) -> None:
        assume(row.max() > -math.inf)
        before = row.copy()
        assert Sampler(sampling, [], len(row)).pick(row, position) in reference(
            row, sampling, position
        )
        assert (row == before).all(), "the row belongs to llama.cpp"

    @settings(max_examples=40)
    @given(
        st.sampled_from(
            ["plain", "rounded", "flat", "crowd against one", "very peaked", "mostly forbidden"]
        ),
        st.integers(0, 2**32),
        samplings,
        positions,
    )
    def test_so_it_is_for_a_vocabulary_of_real_size(
        self, kind: str, seed: int, sampling: Sampling, position: int
    ) -> None:
        row = realistic(kind, seed)
        assert Sampler(sampling, [], len(row)).pick(row, position) in reference(
            row, sampling, position
        )

    @pytest.mark.parametrize("temperature", [0.5, 1.0, 2.0])
    @pytest.mark.parametrize("height", [4.0, 8.5, 10.0])
    def test_a_crowd_of_unlikely_tokens_has_its_chance(
        self, temperature: float, height: float
    ) -> None:
        """A single token far above 16 thousand others: they win by their number and their noise."""
        row = np.zeros(16384, dtype=np.float32)
        row[777] = height * temperature
        choose = sampler(len(row), temperature=temperature, seed=3)
        ids = np.arange(len(row), dtype=np.uint32)
        picks = [choose.pick(row, p) for p in range(150)]
        full = [row / temperature + noise.gumbel(noise.key_at(3, p), ids) for p in range(150)]
        assert picks == [int(scores.argmax()) for scores in full]
        assert len(set(picks)) > 20
        assert height < 8 or 777 in picks

    def test_the_luckiest_token_is_never_overlooked(self) -> None:
        """One of 131 thousand, with the noise of one in five million, against any favourite."""
        ids = np.arange(131072, dtype=np.uint32)
        keys = {position: noise.key_at(0, position) for position in range(300)}
        lucky = {p: found[0] for p in keys if len(found := noise.exceeding(keys[p], ids, 15.5))}
        assert len(lucky) >= 3
        row = np.full(len(ids), -1e4, dtype=np.float32)
        choose = sampler(len(ids), temperature=0.5)
        for position, winner in lucky.items():
            gumbel = noise.gumbel(keys[position], ids)
            for favourite in np.argsort(gumbel)[[0, 40_000, -10_000, -1000, -100, -10, -3]]:
                lead = gumbel[winner] - gumbel[favourite]
                for edge, expected in ((0.1, winner), (-0.1, favourite)):
                    row[[favourite, winner]] = 0, (edge - lead) / 2
                    assert choose.pick(row, position) == expected
                    row[[favourite, winner]] = -1e4

    @given(st.lists(st.sampled_from([0.0, 1.5, 3.0]), min_size=1, max_size=30), positions)
    def test_greedy_takes_the_first_of_the_best(self, values: list[float], position: int) -> None:
        for filters in ({}, {"top_k": 1}, {"top_p": 0.1, "min_p": 0.9}):
            choose = sampler(len(values), temperature=0, **filters)
            assert choose.pick(logits(values), position) == values.index(max(values))

    def test_a_vocabulary_of_one_leaves_no_choice(self) -> None:
        for filters in ({}, {"top_k": 1}, {"top_k": 5}, {"top_p": 0.0}, {"min_p": 1.0}):
            assert reach(logits([-3.5]), 20, **filters) == {0}

    def test_what_is_impossible_is_never_picked(self) -> None:
        row = logits([-math.inf, 0, -math.inf, 0, -math.inf])
        for filters in ({}, {"top_k": 4}, {"top_p": 0.999}, {"min_p": 1e-30}):
            assert reach(row, temperature=100.0, **filters) == {1, 3}

    def test_a_pick_depends_on_nothing_but_row_seed_and_position(self) -> None:
        row = logits(np.random.default_rng(1).normal(0, 1, 50))
        choose = sampler(50, seed=8)
        picks = [choose.pick(row, p) for p in range(200)]
        assert [choose.pick(row, p) for p in reversed(range(200))] == picks[::-1]
        assert [sampler(50, seed=8).pick(row, p) for p in range(200)] == picks
        assert [sampler(50, seed=9).pick(row, p) for p in range(200)] != picks


class TestFilters:
    """Kept sets, seen from outside: what is picked at any of 500 positions."""

    def test_top_k_keeps_the_k_best(self) -> None:
        row = logits([0.1, 0.5, 0.3, 0.4, 0.2])
        assert [len(reach(row, top_k=k)) for k in range(7)] == [5, 1, 2, 3, 4, 5, 5]
        assert reach(row, top_k=3) == {1, 3, 2}

    def test_top_k_prefers_the_first_of_equals(self) -> None:
        row = logits([1, 2, 1, 2, 1, 1])
        assert reach(row, top_k=1) == {1}
        assert reach(row, top_k=3) == {1, 3, 0}
        assert reach(row, top_k=5) == {1, 3, 0, 2, 4}

    def test_top_k_counts_tokens_however_far_below_the_best(self) -> None:
        """Far ones are never picked, but they must not be an endless search either."""
        assert reach(logits([0, -1000, -2000, -math.inf]), top_k=3) == {0}
        assert reach(logits([0, -1000, 0, -math.inf]), top_k=3) == {0, 2}

    @pytest.mark.parametrize("gap", [3.9, 4.1, 5.0, 6.5])
    @pytest.mark.parametrize("temperature", [0.5, 1.0])
    def test_top_k_reaches_down_as_far_as_it_must(self, gap: float, temperature: float) -> None:
        row = logits([0, -gap * temperature, -gap * temperature - 0.01])
        assert reach(row, 4000, temperature=temperature, top_k=2) == {0, 1}

    @pytest.mark.parametrize(
        ("top_p", "kept"), [(0, 1), (0.25, 1), (0.26, 2), (0.5, 2), (0.75, 3), (0.76, 4), (1, 4)]
    )
    def test_top_p_keeps_the_fewest_that_hold_its_share(self, top_p: float, kept: int) -> None:
        assert reach(logits([2, 2, 2, 2]), top_p=top_p) == set(range(kept))

    def test_the_token_that_crosses_top_p_is_kept(self) -> None:
        """Probabilities 0.5, 0.3, 0.15, 0.05."""
        row = logits(np.log([0.5, 0.3, 0.15, 0.05]))
        for top_p, kept in ((0.45, 1), (0.55, 2), (0.79, 2), (0.81, 3), (0.94, 3), (0.96, 4)):
            assert reach(row, top_p=top_p) == set(range(kept))

    def test_top_p_holds_for_wide_and_flat_rows(self) -> None:
        assert reach(np.zeros(64, dtype=np.float32), 2000, top_p=0.5) == set(range(32))

    def test_top_p_reaches_down_as_far_as_it_must(self) -> None:
        """One token, and ten that hold e^-5 of its share each: it and six of them make 97 %."""
        assert reach(logits([0.0] + [-5.0] * 10), 3000, top_p=0.97) == set(range(7))

    def test_min_p_is_a_share_of_the_best_tokens_probability(self) -> None:
        row = logits(np.log([0.4, 0.05, 0.3, 0.25]))
        for min_p, kept in ((0.1, {0, 1, 2, 3}), (0.13, {0, 2, 3}), (0.7, {0, 2}), (0.8, {0})):
            assert reach(row, min_p=min_p) == kept

    def test_min_p_of_one_keeps_all_that_are_best(self) -> None:
        assert reach(logits([3, 1, 3, 2]), min_p=1.0) == {0, 2}

    def test_temperature_comes_before_top_p_and_min_p(self) -> None:
        """At temperature 4 nine to one becomes less than two to one."""
        row = logits(np.log([0.9, 0.1]))
        assert reach(row, top_p=0.7) == reach(row, min_p=0.3) == {0}
        assert reach(row, temperature=4.0, top_p=0.7) == {0, 1}
        assert reach(row, temperature=4.0, min_p=0.3) == {0, 1}
        row = logits(np.log([0.6, 0.4]))
        assert reach(row, temperature=0.2, top_p=0.7) == reach(row, temperature=0.2, min_p=0.3)
        assert reach(row, temperature=0.2, top_p=0.7) == {0}

    def test_top_p_shares_out_what_top_k_has_left(self) -> None:
        """Of 0.4, 0.2, 0.2, 0.2 the best two hold 0.67 and 0.33 of what they hold together."""
        row = logits(np.log([0.4, 0.2, 0.2, 0.2]))
        assert reach(row, top_p=0.65) == {0, 1, 2}
        assert reach(row, top_k=2, top_p=0.65) == {0}
        assert reach(row, top_k=2, top_p=0.68) == {0, 1}

    def test_all_filters_hold_together(self) -> None:
        row = logits(np.log([0.3, 0.25, 0.2, 0.15, 0.1]))
        assert reach(row, top_k=4, top_p=0.8, min_p=0.1) == {0, 1, 2}
        assert reach(row, top_k=4, top_p=0.8, min_p=0.7) == {0, 1}
        assert reach(row, top_k=1, top_p=0.8, min_p=0.1) == {0}


def test_who_waits_for_a_turn_weighs_next_to_nothing() -> None:
    size, many = 100_000, 20
    sampler(size)
    tracemalloc.start()
    waiting = [sampler(size) for _ in range(many)]
    weight, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert weight < len(waiting) * size / 10
