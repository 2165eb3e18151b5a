"""What changes a row before the choice: penalties, biases, and a grammar that forbids tokens."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from samplers import GREEDY, logits, reach, sampler, samplings

from localspec.decoding.sampling import Sampler, Sampling
from localspec.llama.rows import Logits

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
