"""The target's choice: checked settings, and a pick that a slow and plain reference confirms."""

import math
from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from localspec.decoding import noise
from localspec.decoding.sampling import Sampler, Sampling
from localspec.errors import UsageError
from localspec.llama.rows import Logits

OFF: dict[str, Any] = {"temperature": 1.0, "top_k": 0, "top_p": 1.0, "min_p": 0.0}
"""All filters off."""
GREEDY: dict[str, Any] = {"temperature": 0.0}


def logits(values: Iterable[float]) -> Logits:
    return np.array(list(values), dtype=np.float32)


def sampler(size: int, prompt: tuple[int, ...] = (), **settings: Any) -> Sampler:
    return Sampler(Sampling(**(OFF | settings)), prompt, size)


def reach(row: Logits, positions: int = 500, **settings: Any) -> set[int]:
    """All tokens that are picked somewhere: what the filters leave."""
    choose = sampler(len(row), **settings)
    return {choose.pick(row, position) for position in range(positions)}


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
samplings = st.builds(
    Sampling,
    temperature=st.sampled_from([0.0, 1e-6, 0.01, 0.3, 0.7, 1.0, 1.5, 4.0, 100.0]),
    top_k=st.one_of(st.just(0), st.integers(1, 45), st.just(10**9)),
    top_p=st.one_of(st.sampled_from([1.0, 0.0, 0.5, 0.9, 0.95, 0.99]), st.floats(0, 1)),
    min_p=st.one_of(st.just(0.0), st.sampled_from([1.0, 0.5, 0.05, 1e-9]), st.floats(0, 1)),
    seed=st.one_of(st.integers(0, 3), st.integers(0, 2**64 - 1)),
)
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
            ("temperature", -1, r"The temperature is -1; it must be 0(\.0)? to 100(\.0)?\."),
            ("temperature", 100.5, r"The temperature is 100\.5; .* 0(\.0)? to 100(\.0)?\."),
            ("temperature", math.nan, r"The temperature is nan; .* 0(\.0)? to 100(\.0)?\."),
            ("temperature", math.inf, r"The temperature is inf; .* 0(\.0)? to 100(\.0)?\."),
            ("top_k", -1, r"The top-k is -1; it must be at least 0\."),
            ("top_p", 2, r"The top-p is 2; it must be 0(\.0)? to 1(\.0)?\."),
            ("top_p", -0.1, r"The top-p is -0\.1; it must be 0(\.0)? to 1(\.0)?\."),
            ("top_p", math.nan, r"The top-p is nan; it must be 0(\.0)? to 1(\.0)?\."),
            ("min_p", 1.01, r"The min-p is 1\.01; it must be 0(\.0)? to 1(\.0)?\."),
            ("min_p", -1e-9, r"The min-p is -1e-09; it must be 0(\.0)? to 1(\.0)?\."),
            ("repeat_penalty", 0, r"The repeat-penalty is 0; .* 0\.01 to 100(\.0)?\."),
            ("repeat_penalty", -2, r"The repeat-penalty is -2; .* 0\.01 to 100(\.0)?\."),
            ("repeat_penalty", math.inf, r"The repeat-penalty is inf; .* 0\.01 to 100(\.0)?\."),
            ("frequency_penalty", -101, r"frequency-penalty is -101; .* -100(\.0)? to 100(\.0)?\."),
            ("frequency_penalty", math.nan, r"frequency-penalty is nan; .* -100(\.0)? to 100"),
            ("presence_penalty", 101, r"presence-penalty is 101; .* -100(\.0)? to 100(\.0)?\."),
            ("seed", -1, r"The seed is -1; it must be from 0 to 2\^64 - 1\."),
            ("seed", 2**64, rf"The seed is {2**64}; it must be from 0 to 2\^64 - 1\."),
            ("logit_bias", {3: math.inf}, r"logit bias of token \d is (inf|nan)"),
            ("logit_bias", {3: 1.0, 4: math.nan}, r"logit bias of token \d is (inf|nan)"),
        ],
    )
    def test_a_senseless_value_is_refused_in_words(
        self, name: str, value: Any, sentence: str
    ) -> None:
        with pytest.raises(UsageError, match=sentence) as raised:
            Sampling(**{name: value})
        assert str(raised.value)[0].isupper()
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


quarters = st.integers(-12, 12).map(lambda n: n / 4)
histories = st.lists(st.integers(0, 9), max_size=12)
adjustments = st.fixed_dictionaries(
    {},
    optional={
        "repeat_penalty": st.sampled_from([1.0, 2.0, 0.5]),
        "frequency_penalty": quarters,
        "presence_penalty": quarters,
        "logit_bias": st.dictionaries(st.integers(0, 9), quarters, max_size=4),
    },
)
ten_logits = st.lists(quarters, min_size=10, max_size=10)


def adjusted(
    values: list[float], prompt: list[int], answer: list[int], settings: dict[str, Any]
) -> Logits:
    """The formula, token by token. All numbers are quarters, so that it is exact in 32 bits too."""
    result = []
    for token, value in enumerate(values):
        if token in prompt or token in answer:
            by = settings.get("repeat_penalty", 1)
            value = value / by if value > 0 else value * by
        value += settings.get("logit_bias", {}).get(token, 0)
        value -= settings.get("frequency_penalty", 0) * answer.count(token)
        value -= settings.get("presence_penalty", 0) * (token in answer)
        result.append(value)
    return logits(result)


class TestPenalties:
    @given(ten_logits, histories, histories, adjustments)
    def test_they_are_a_formula_on_what_was_said(
        self, values: list[float], prompt: list[int], answer: list[int], settings: dict[str, Any]
    ) -> None:
        row = logits(values)
        for more in ({"temperature": 0}, {}, {"top_k": 4, "top_p": 0.8, "min_p": 0.1}):
            choose = sampler(10, tuple(prompt), **(settings | more))
            for token in answer:
                choose.push(token)
            expected = adjusted(values, prompt, answer, settings)
            for position in range(5):
                assert choose.pick(row, position) == sampler(10, **more).pick(expected, position)
        assert (row == logits(values)).all(), "the row belongs to llama.cpp"

    @given(ten_logits, histories, histories, histories, adjustments)
    def test_guesses_taken_back_leave_no_trace(
        self,
        values: list[float],
        prompt: list[int],
        answer: list[int],
        guesses: list[int],
        settings: dict[str, Any],
    ) -> None:
        plain, guessing = (sampler(10, tuple(prompt), **settings) for _ in range(2))
        for token in answer:
            for token_guessed in guesses:
                guessing.push(token_guessed)
            for token_guessed in reversed(guesses):
                guessing.pop(token_guessed)
            plain.push(token)
            guessing.push(token)
        row = logits(values)
        for position in range(5):
            assert guessing.pick(row, position) == plain.pick(row, position)
            assert guessing.guess(row, position) == plain.guess(row, position)

    @pytest.mark.parametrize(
        "setting",
        [
            {"repeat_penalty": 2.0},
            {"repeat_penalty": 0.5},
            {"frequency_penalty": 1.0},
            {"frequency_penalty": -1.0},
            {"presence_penalty": 1.0},
            {"presence_penalty": -1.0},
            {"logit_bias": {0: 1.0}},
        ],
        ids=str,
    )
    def test_each_works_alone(self, setting: dict[str, Any]) -> None:
        """Token 0 was said; the other is a little better or a little worse before that counts."""
        picks = []
        for other in (0.9, 1.1):
            choose = sampler(2, **(GREEDY | setting))
            choose.push(0)
            picks.append(choose.pick(logits([1, other]), 0))
        assert picks in ([0, 0], [1, 1]), "the setting decides"

    def test_repetition_lowers_what_the_prompt_said_whatever_its_sign(self) -> None:
        for values in ([3.0, 2.0], [-2.0, -3.0]):
            assert sampler(2, (0,), temperature=0).pick(logits(values), 0) == 0
            assert sampler(2, (0,), temperature=0, repeat_penalty=2.0).pick(logits(values), 0) == 1

    def test_frequency_and_presence_look_at_the_answer_only(self) -> None:
        row = logits([1.0, 0.9])
        for penalty in ({"frequency_penalty": 0.5}, {"presence_penalty": 0.5}):
            choose = sampler(2, (0, 0, 0), **(GREEDY | penalty))
            assert choose.pick(row, 0) == 0
            choose.push(0)
            assert choose.pick(row, 0) == 1

    def test_frequency_counts_and_presence_does_not(self) -> None:
        row = logits([1.0, 0.25])
        often, once = (
            sampler(2, **(GREEDY | {name: 0.5}))
            for name in ("frequency_penalty", "presence_penalty")
        )
        for choose in (often, once):
            choose.push(0)
            assert choose.pick(row, 0) == 0
            choose.push(0)
        assert often.pick(row, 0) == 1
        assert once.pick(row, 0) == 0

    def test_a_bias_bans_and_forces(self) -> None:
        row = logits([1, 2, 3, 4])
        assert 3 not in reach(row, logit_bias={3: -100.0})
        assert reach(row, logit_bias={0: 100.0}) == {0}

    def test_a_guess_is_penalized_like_a_pick(self) -> None:
        choose = sampler(3, temperature=0, presence_penalty=2.0, logit_bias={2: -5.0})
        row = logits([1, 0.5, 3])
        assert choose.guess(row, 0).token == choose.pick(row, 0) == 0
        choose.push(0)
        assert choose.guess(row, 0).token == choose.pick(row, 0) == 1


class NoRepeats:
    """A grammar: nothing of the last two tokens may be said again. Longer than any row."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.said: list[int] = []

    def push(self, token: int) -> None:
        self.said.append(token)

    def pop(self) -> None:
        self.said.pop()

    def allowed(self) -> npt.NDArray[np.bool_]:
        flags = np.ones(self.size + 5, dtype=np.bool_)
        flags[self.said[-2:]] = False
        return flags


class TestConstraint:
    @given(st.lists(st.floats(-30, 30, width=32), min_size=10, max_size=10), histories, samplings)
    def test_what_it_forbids_is_taken_out_before_the_filters(
        self, values: list[float], said: list[int], sampling: Sampling
    ) -> None:
        row = logits(values)
        constrained = Sampler(sampling, [], 10, NoRepeats(10))
        for token in said:
            constrained.push(token)
        masked = row.copy()
        masked[said[-2:]] = -np.inf
        free = Sampler(sampling, [], 10)
        for position in range(5):
            assert constrained.pick(row, position) == free.pick(masked, position)
            assert constrained.guess(row, position) == free.guess(masked, position)
            assert constrained.pick(row, position) not in said[-2:]
            assert constrained.guess(row, position).token not in said[-2:]

    @pytest.mark.parametrize("temperature", [0, 1])
    def test_it_follows_what_is_pushed_and_popped(self, temperature: float) -> None:
        match = NoRepeats(4)
        choose = Sampler(Sampling(temperature=temperature, top_p=1), [], 4, match)
        row = logits([30, 20, 10, 0])
        assert choose.pick(row, 0) == choose.guess(row, 0).token == 0
        choose.push(0)
        choose.push(1)
        assert choose.pick(row, 0) == choose.guess(row, 0).token == 2
        choose.pop(1)
        assert choose.pick(row, 0) == choose.guess(row, 0).token == 1
        choose.pop(0)
        assert choose.pick(row, 0) == choose.guess(row, 0).token == 0
        assert match.said == []

    def test_it_holds_against_any_bias(self) -> None:
        choose = Sampler(Sampling(logit_bias={1: 100.0}), [], 4, NoRepeats(4))
        choose.push(1)
        row = logits([1, 2, 3, 4])
        assert 1 not in {choose.pick(row, p) for p in range(200)}
        assert 1 not in {choose.guess(row, p).token for p in range(200)}
