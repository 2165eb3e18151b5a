"""The benchmark: turns, medians, and what guesses add up to.

Nothing here depends on how fast anything is.
"""

import random
from statistics import median

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from records import record

from localspec.bench.contest import Question, Run, Spent, contest
from localspec.bench.guesses import guesses
from localspec.bench.results import (
    AUTO,
    PLAIN,
    TaskResult,
    geometric_mean,
    quantile,
    results,
    short_answers,
)
from localspec.decoding.statistics import Statistics

# Turns ------------------------------------------------------------------------------------------


class Scripted:
    """A contestant that notes what it is asked, and is interrupted at its `breaks_at`-th answer."""

    def __init__(self, name: str, log: list[tuple[str, int]], breaks_at: int = 0) -> None:
        self.name, self._log, self._left = name, log, breaks_at

    def answer(self, question: Question) -> Run:
        self._left -= 1
        if self._left == 0:
            raise KeyboardInterrupt
        self._log.append((self.name, question.number))
        return Run(1.0, 20)


QUESTIONS = [Question("a", n, (1, 2, 3)) for n in range(2)]


def test_contestants_answer_back_to_back_in_alternating_order_after_a_warm_up() -> None:
    log: list[tuple[str, int]] = []
    shares: list[float] = []
    found = list(
        contest(
            QUESTIONS, [Scripted("x", log), Scripted("y", log)], 2, lambda s, _: shares.append(s)
        )
    )
    warm_up, counted = log[:2], log[2:]
    assert warm_up == [("x", 0), ("y", 0)]
    assert counted == [
        *[("x", 0), ("y", 0), ("y", 1), ("x", 1)],
        *[("y", 0), ("x", 0), ("x", 1), ("y", 1)],
    ]
    assert [(r.contestant, r.question.number) for r in found] == counted
    assert [r.round for r in found] == [0] * 4 + [1] * 4
    assert shares == sorted(shares)
    assert shares[-1] < 1


def test_an_interrupt_costs_only_the_answer_it_hits() -> None:
    contestants = [Scripted("x", []), Scripted("y", [], breaks_at=3)]
    records = contest(QUESTIONS, contestants, 2, lambda *_: None)
    assert [next(records).contestant for _ in range(2)] == ["x", "y"]
    with pytest.raises(KeyboardInterrupt):
        next(records)


# Figures ----------------------------------------------------------------------------------------


def test_a_speedup_is_the_median_over_rounds_then_over_questions() -> None:
    rounds = [(10, 20), (10, 10), (10, 12)]  # 2.0, 1.0, 1.2
    records = [
        record(name, speed, turn=turn)
        for turn, pair in enumerate(rounds)
        for name, speed in zip((PLAIN, AUTO), pair, strict=True)
    ]
    records += [record(PLAIN, 5, number=1), record(AUTO, 10, number=1)]
    records += [record(PLAIN, 4, number=2), record(AUTO, 3, number=2)]
    (result,) = results(records)
    assert result.prompts == 3
    assert result.speedup == median([1.2, 2.0, 0.75])
    assert result.spread == pytest.approx((0.84, 1.84))
    assert result.plain_per_second == median([10, 5, 4])
    assert result.auto_per_second == median([12, 10, 3])
    assert result.oracle_speedup is None


@pytest.mark.parametrize("truths", [(1.0, 1.0, 1.0), (0.9, 1.0, 1.5), (1.3,)])
def test_what_is_called_chance_is_what_another_run_would_differ_by(truths: tuple[float]) -> None:
    chance = random.Random(1)

    def measured() -> TaskResult:
        pairs = [(n, turn, truth) for n, truth in enumerate(truths) for turn in range(3)]
        records = [record(PLAIN, 100, number=n, turn=turn) for n, turn, _ in pairs]
        records += [
            record(AUTO, 100 * truth * chance.gauss(1, 0.03), number=n, turn=turn)
            for n, turn, truth in pairs
        ]
        return results(records)[0]

    runs = [measured() for _ in range(100)]
    differ = float(np.std([run.speedup for run in runs]))
    assert median(run.error or 0 for run in runs) == pytest.approx(differ, rel=0.3)


def test_one_round_says_nothing_of_chance() -> None:
    (result,) = results([record(PLAIN, 10), record(AUTO, 12)])
    assert result.error is None


def test_speeds_of_different_rounds_are_not_compared() -> None:
    records = [record(PLAIN, 10, turn=0), record(AUTO, 99, turn=1)]
    assert results(records) == []
    (result,) = results([*records, record(PLAIN, 33, turn=1)])
    assert result.speedup == 3


def test_short_answers_are_counted_and_not_timed() -> None:
    records = [
        *[record(PLAIN, 10), record(AUTO, 20)],
        *[record(PLAIN, 10, number=1, count=15), record(AUTO, 90, number=1, count=15)],
        *[record(PLAIN, 10, task="b", count=3), record(AUTO, 90, task="b", count=3)],
    ]
    (result,) = results(records)
    assert (result.task, result.prompts, result.speedup) == ("a", 1, 2)
    assert short_answers(records) == {"a": 1, "b": 1}


def test_one_differing_answer_is_enough_to_say_so() -> None:
    records = [record(PLAIN, 1), record(AUTO, 1), record("llama-server plain", 1, tokens=())]
    assert results(records)[0].outputs_equal
    records.append(record("3", 1, tokens=(1, 3)))
    assert not results(records)[0].outputs_equal


def test_the_oracle_takes_the_best_fixed_setting_and_never_loses() -> None:
    records = [record(PLAIN, 10), record(AUTO, 12), record("1", 13), record("2", 5)]
    (result,) = results(records, fixed=[1, 2, 3])
    assert result.fixed == {1: 1.3, 2: 0.5}
    assert result.oracle_speedup == 1.3
    (result,) = results([*records[:2], records[3]], fixed=[1, 2, 3])
    assert result.oracle_speedup == 1


def test_peers_are_medians_of_their_own_speeds() -> None:
    records = [record(PLAIN, 10), record(AUTO, 12)]
    records += [record("llama-server plain", speed, turn=i) for i, speed in enumerate((7, 9, 30))]
    (result,) = results(records, peers={"plain": "llama-server plain", "default": "none"})
    assert result.peers == {"plain": 9}


@given(st.lists(st.floats(0.1, 10), min_size=1, max_size=20), st.floats(0, 1))
def test_quantiles_are_those_of_numpy(values: list[float], share: float) -> None:
    assert quantile(values, share) == pytest.approx(float(np.quantile(values, share)))


def test_the_mean_of_a_half_and_a_double_is_one() -> None:
    assert geometric_mean([0.5, 2.0]) == pytest.approx(1)


def run_with(drafts: list[tuple[str, int, int]], spent: Spent) -> Run:
    """An answer in whose steps these drafters guessed so much, and so much held."""
    statistics = Statistics(steps=len(drafts))
    for drafter, drafted, held in drafts:
        statistics.count_draft(drafter, drafted, held)
        statistics.predicted_tokens += 1 + held
    return Run(1.0, 20, statistics=statistics, spent=spent)


def test_a_guess_in_the_decode_that_ends_the_prefill_counts_in_the_length() -> None:
    """The target was asked once more than the steps tell, and what it was shown is counted."""
    statistics = Statistics(steps=4, drafted_first=True)
    for _ in range(5):
        statistics.count_draft("m", 8, 8)
    found = guesses([Run(1.0, 20, statistics=statistics)] * 3)
    assert found.length == statistics.draft_length == 8


def test_guesses_add_up_over_answers() -> None:
    found = guesses(
        [
            run_with([("m", 3, 1), ("m", 1, 1)], Spent(total=4, target=2, draft=1)),
            run_with([("m", 2, 2), ("l", 4, 0), ("", 0, 0)], Spent(total=6, target=5, draft=0)),
            Run(1.0, 20),
        ]
    )
    assert found.acceptance_rate == 4 / 10
    assert found.acceptance_per_position == [3 / 4, 1 / 3, 0, 0]
    assert found.by_drafter == {"m": (6, 4), "l": (4, 0)}
    assert found.tokens_per_step == 9 / 5
    assert found.length == 10 / 5
    assert found.time_share == pytest.approx({"draft": 0.1, "verify": 0.7, "overhead": 0.2})
