"""What speculation gave: counts by drafter and by place in the guess, and the ratios shown."""

from dataclasses import asdict

from hypothesis import given
from hypothesis import strategies as st

from localspec.decoding.statistics import Statistics

guesses = st.lists(
    st.tuples(st.sampled_from(["draft model", "lookup"]), st.integers(0, 6), st.integers(0, 6)).map(
        lambda guess: (guess[0], guess[1], min(guess[1], guess[2]))
    ),
    max_size=20,
)


def counted(guesses: list[tuple[str, int, int]]) -> Statistics:
    statistics = Statistics()
    for guess in guesses:
        statistics.count_draft(*guess)
    return statistics


def test_an_answer_without_guesses_has_no_ratios_to_divide_by_zero() -> None:
    s = Statistics()
    ratios = s.acceptance_rate, s.tokens_per_step, s.draft_length, s.tokens_per_second
    assert ratios == (0, 0, 0, 0)


def test_an_example() -> None:
    s = counted([("draft model", 3, 3), ("lookup", 2, 0), ("draft model", 4, 1)])
    assert (s.draft_tokens, s.accepted_tokens) == (9, 4)
    assert s.acceptance_rate == 4 / 9
    assert s.drafted_by_drafter == {"draft model": 7, "lookup": 2}
    assert s.accepted_by_drafter == {"draft model": 4, "lookup": 0}
    assert s.drafted_per_position == [3, 3, 2, 1]
    assert s.accepted_per_position == [2, 1, 1, 0]


def test_no_guess_leaves_no_trace() -> None:
    s = counted([("", 0, 0), ("lookup", 0, 0)])
    assert asdict(s) == asdict(Statistics())


@given(guesses)
def test_all_counts_are_of_the_same_guesses(guesses: list[tuple[str, int, int]]) -> None:
    s = counted(guesses)
    drafted, accepted = sum(g[1] for g in guesses), sum(g[2] for g in guesses)
    assert s.draft_tokens == sum(s.drafted_by_drafter.values()) == drafted
    assert s.accepted_tokens == sum(s.accepted_by_drafter.values()) == accepted
    assert s.drafted_per_position == [
        sum(g[1] > place for g in guesses)
        for place in range(max((g[1] for g in guesses), default=0))
    ]
    assert s.accepted_per_position == [
        sum(g[2] > place for g in guesses) for place in range(len(s.drafted_per_position))
    ]
    for name in ("draft model", "lookup"):
        assert s.drafted_by_drafter.get(name, 0) == sum(g[1] for g in guesses if g[0] == name)
        assert s.accepted_by_drafter.get(name, 0) == sum(g[2] for g in guesses if g[0] == name)


def test_answers_do_not_share_their_counts() -> None:
    counted([("lookup", 2, 1)])
    assert Statistics().drafted_by_drafter == {}
    assert Statistics().drafted_per_position == []


def test_ratios() -> None:
    s = Statistics(predicted_tokens=30, steps=10, draft_tokens=40, predicted_seconds=1.5)
    s.accepted_tokens = 20
    assert (s.acceptance_rate, s.tokens_per_step) == (0.5, 3.0)
    assert (s.draft_length, s.tokens_per_second) == (4.0, 20.0)
