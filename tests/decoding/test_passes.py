"""Several sequences in one decode: passes over the weights, and rows that save one."""

from collections.abc import Mapping

from fakes import FakeModel, FakeVocabulary, WildPolicy
from hypothesis import given
from hypothesis import strategies as st

from localspec.decoding.passes import fill_up, passes, seconds
from localspec.decoding.sampling import Sampling
from localspec.decoding.sequence import Request
from localspec.drafters.lookup import LookupDrafter
from localspec.engine.engine import Engine
from localspec.governor.costs import Costs
from localspec.llama.rows import Run

ROOMY = (512, 512)
BY_SLOT = st.dictionaries(st.integers(0, 15), st.integers(1, 9), min_size=1, max_size=8)


def flat() -> Costs:
    """A pass takes as long with one row as with many."""
    costs = Costs(64)
    costs.load([{1: 1.0, 64: 1.0}])
    return costs


def runs_of(rows: Mapping[int, int], held: int = 3) -> list[Run]:
    return [Run(slot, [7] * n, held, 1) for slot, n in sorted(rows.items())]


def mostly_weights(rows: int) -> float:
    """What a pass takes where reading the weights takes as long as evaluating ten rows."""
    return 10 + rows


def test_neighbours_with_as_many_rows_share_a_pass() -> None:
    assert passes({0: 2, 1: 2, 2: 2}) == [6]


def test_who_has_more_rows_gets_passes_of_its_own() -> None:
    assert passes({0: 1, 1: 4}) == [2, 3]
    assert passes({0: 4, 1: 1, 2: 4}) == [3, 3, 3]


def test_an_idle_slot_between_two_parts_them() -> None:
    assert passes({0: 1, 2: 1}) == [1, 1]


@given(BY_SLOT)
def test_passes_evaluate_all_rows_and_no_others(rows: dict[int, int]) -> None:
    assert sum(passes(rows)) == sum(rows.values())


def test_one_pass_is_filled_up_where_that_is_cheaper() -> None:
    runs, made = fill_up(runs_of({0: 3, 2: 1}), [3, 5, 3], ROOMY, mostly_weights)
    assert made == [9]
    assert [(run.slot, len(run.tokens), run.position, run.surplus) for run in runs] == [
        (0, 3, 3, 0), (1, 3, 5, 3), (2, 3, 3, 2),
    ]  # fmt: skip


def test_it_is_left_alone_where_rows_cost_as_much_as_passes() -> None:
    given_runs = runs_of({0: 3, 2: 1})
    assert fill_up(given_runs, [3, 5, 3], ROOMY, float) == (given_runs, [3, 1])


def test_it_is_left_alone_where_a_cache_or_a_batch_would_overflow() -> None:
    given_runs = runs_of({0: 3, 2: 1})
    for room in (8, 512), (512, 7):
        assert fill_up(given_runs, [3, 5, 3], room, mostly_weights) == (given_runs, [3, 1])


@given(BY_SLOT)
def test_what_was_wanted_is_evaluated_and_costs_no_more(rows: dict[int, int]) -> None:
    runs, made = fill_up(runs_of(rows), [3] * 16, ROOMY, mostly_weights)
    wanted = {run.slot: len(run.tokens) - run.surplus for run in runs}
    assert {slot: n for slot, n in wanted.items() if n} == rows
    taken = sum(map(mostly_weights, made))
    assert taken == seconds(rows, mostly_weights) <= sum(map(mostly_weights, passes(rows)))
    assert made == passes({run.slot: len(run.tokens) for run in runs})


@given(st.integers(0, 10**6))
def test_answers_are_the_same_where_rows_are_free_and_all_share_one_pass(seed: int) -> None:
    texts, made = [], []
    for own_cells in (False, True):
        target = FakeModel(own_cells=own_cells, sequences=4)
        policy = WildPolicy(seed)
        engine = Engine(target, FakeVocabulary(), [LookupDrafter()], policy, flat())
        answers = [
            engine.prepare(
                Request([3, 4, 5, n], Sampling(temperature=0.8, seed=n), max_tokens=4 * n)
            )
            for n in (5, 1, 7, 3)
        ]
        for answer in answers:
            engine.submit(answer)
        while engine.busy:
            engine.step()
        texts.append([answer.answer for answer in answers])
        made.append([len(step.passes) for step in policy.steps if not step.prefilling])
    assert texts[0] == texts[1]
    assert set(made[1]) == {1}


def test_a_fourth_row_is_added_where_four_take_less_than_three() -> None:
    def cliff(rows: int) -> float:
        return {1: 1.0, 2: 1.7, 3: 2.3, 4: 1.8}.get(rows, 3.0)

    (run,), made = fill_up(runs_of({5: 3}), [3] * 6, ROOMY, cliff)
    assert (len(run.tokens), run.surplus, made) == (4, 1, [4])
    assert fill_up(runs_of({5: 2}), [3] * 6, ROOMY, cliff) == (runs_of({5: 2}), [2])
    assert fill_up(runs_of({5: 1}), [3] * 6, ROOMY, cliff) == (runs_of({5: 1}), [1])
