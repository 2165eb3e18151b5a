"""Where another number of rows costs much, steps stay at one."""

from collections.abc import Sequence as Many

import pytest
from fakes import Alternating, FakeModel, FakeVocabulary, plain
from hypothesis import given
from hypothesis import strategies as st
from simulated import FLAT, RIGHT, STEEP, Simulation

from localspec.decoding.draft import Draft
from localspec.decoding.sampling import Sampling
from localspec.decoding.sequence import Request, Sequence, Speculation
from localspec.drafters.base import Ask
from localspec.drafters.lookup import LookupDrafter
from localspec.engine.engine import Engine
from localspec.governor.costs import Costs
from localspec.governor.governor import Governor
from localspec.governor.stride import Stride

REPETITIVE = [3, 4, 5, 6, 7] * 6


def taken(stride: Stride, values: list[list[float]], change: float, ahead: int) -> list[int]:
    """The rows of steps that would have been worth so much."""
    rows = []
    for each in values:
        stride.learn(each)
        rows.append(stride.take(each, change, ahead))
    return rows


def test_rows_change_where_what_follows_pays_for_it() -> None:
    assert taken(Stride(), [[0, 0.2]] * 8, change=2, ahead=20) == [1] * 3 + [2] * 5
    assert set(taken(Stride(), [[0, 0.2]] * 80, change=2, ahead=8)) == {1}


def test_and_back_where_they_are_worth_nothing() -> None:
    stride = Stride()
    taken(stride, [[0, 0.3]] * 40, change=2, ahead=20)
    rows = taken(stride, [[0, -0.3]] * 40, change=2, ahead=20)
    assert (rows[0], rows[-1]) == (2, 1)


def test_ups_and_downs_change_nothing() -> None:
    values = [[0.0, 0.6], [0.0, -0.6]] * 40
    assert set(taken(Stride(), values, change=1, ahead=8)) == {1}


def test_a_step_that_alone_pays_for_a_change_is_taken_alone() -> None:
    values = [[0, v] for v in (0.9, 0, 1.1, 0, 0)]
    assert taken(Stride(), values, change=1, ahead=1) == [1, 1, 2, 1, 1]


@given(
    st.lists(st.floats(-1, 1), min_size=2, max_size=6),
    st.floats(0.1, 3),
    st.integers(1, 64),
)
def test_in_the_end_no_other_number_of_rows_would_pay(
    each: list[float], change: float, ahead: int
) -> None:
    stride = Stride()
    taken(stride, [each] * 40, change, ahead)
    nearly = 0.97  # averages begin at zero
    assert (max(each) - each[stride.rows - 1]) * ahead * nearly <= change


def test_the_first_step_of_a_text_changes_for_nothing() -> None:
    stride, texts = Stride(), [sequence() for _ in range(3)]
    stride.begin(texts[0])
    taken(stride, [[0, 0.2]] * 8, change=9, ahead=20)
    assert stride.rows == 1
    stride.begin(texts[1])
    assert taken(stride, [[0, 0.2]] * 2, change=9, ahead=20) == [2, 2]
    taken(stride, [[0, -2]] * 30, change=99, ahead=20)
    stride.begin(texts[2])
    assert taken(stride, [[0, 0.1]], change=9, ahead=20) == [1]


def test_one_text_of_many_does_not_stand_for_its_kind() -> None:
    stride, texts = Stride(), [sequence() for _ in range(9)]
    for text in texts[:7]:
        stride.begin(text)
        taken(stride, [[0, 0.2]] * 20, change=9, ahead=20)
    stride.begin(texts[7])
    taken(stride, [[0, -0.2]] * 20, change=99, ahead=20)
    stride.begin(texts[8])
    assert stride.rows == 2


def test_texts_of_each_kind_begin_with_what_was_best_for_theirs() -> None:
    stride, texts = Stride(), [sequence() for _ in range(6)]
    for number, text in enumerate(texts[:4]):
        stride.begin(text, number % 2)
        taken(stride, [[0, 0.2 if number % 2 else -0.2]] * 20, change=99, ahead=20)
    again = Stride()
    again.recall(stride.known())
    for known in (stride, again):
        rows = []
        for kind, text in enumerate(texts[4:]):
            known.begin(text, kind)
            rows.append(known.rows)
        assert rows == [1, 2]
    again.begin(sequence(), kind=5)
    assert again.rows == 2, "what nobody knows is like what is nearest to it"
    again.begin(sequence())
    assert again.rows == 2, "and a text of no known kind like the last one"


def test_what_was_known_some_other_time_counts_from_the_beginning() -> None:
    stride = Stride()
    stride.recall({0: [0, 0.1, 0.3, 0.2]})
    stride.begin(sequence())
    assert taken(stride, [[0, 0, 0, 0]], change=9, ahead=20) == [3]


def test_one_long_guess_does_not_make_a_good_text() -> None:
    values = [[0, 9.0], *[[0, -0.4]] * 7]
    assert taken(Stride(), values, change=9.5, ahead=99)[-1] == 1


def test_a_draft_is_asked_in_every_step_of_several_rows_and_seldom_at_one() -> None:
    stride, (text, other) = Stride(), (sequence(), sequence())
    stride.begin(text)
    assert [stride.wants(0.5, 0.1) for _ in range(6)] == [True] * 3 + [False] * 3
    stride.probed()
    assert [stride.wants(0.5, 0.1) for _ in range(3)] == [True] + [False] * 2
    taken(stride, [[0, 0.3]] * 9, change=2, ahead=20)
    assert all(stride.wants(0.5, 0.1) for _ in range(20))
    assert not stride.wants(0.1, 0.1)
    taken(stride, [[0, -0.5]] * 99, change=2, ahead=20)
    stride.begin(other)
    assert not stride.wants(0.5, 0.1), "other texts were hopeless"


def test_rows_that_a_step_says_nothing_of_change_with_the_others() -> None:
    stride = Stride()
    taken(stride, [[0, 0.4, 0.6, 0.5]] * 9, change=2, ahead=20)
    *_, three, four = stride.means
    for _ in range(20):
        stride.learn([0, -0.6, -0.6])
    assert stride.means[3] - stride.means[2] == pytest.approx(four - three)
    assert stride.moves(change=2, ahead=20)


def sequence() -> Sequence:
    return Sequence(Request([3], Sampling(), max_tokens=9), FakeVocabulary(), 99)


class Gpu(Simulation):
    """Rows cost little, the two steps after a change of their number much."""

    EXTRA = (0.4, 0.8)

    def __init__(
        self,
        chance: float,
        guess: float = 0.1,
        truth: float | None = None,
        *,
        asynchronous: bool = False,
    ) -> None:
        super().__init__(FLAT, guess=guess, chance=chance)
        self.truth = chance if truth is None else truth
        if asynchronous:
            costs = self.governor.costs
            self.governor = Governor(costs, asynchronous=True, clock=lambda: self.now)
        self.asynchronous, self.busy = asynchronous, False
        self.governor.costs.change = sum(self.EXTRA)
        self.before, self.since, self.changes, self.peeks = 1, 9, 0, 0
        self.asked_before = self.asked_meanwhile = 0

    def read(self, chance: float) -> None:
        """The prompt of another text, whose guesses hold with this chance, and promise it."""
        self.another_text(chance)
        self.chance = chance
        self.sequence.tokens.append(RIGHT)
        self.work()
        self.sequence.cached = len(self.sequence)
        self.sequence.tokens.append(RIGHT)

    def work(self) -> None:
        """What is done while the target is at work takes no time."""
        if self.asynchronous:
            now, self.busy = self.now, True
            self.governor.meanwhile([self.sequence], [self])
            self.now, self.busy = now, False

    def propose(self, asks: Many[Ask]) -> list[Draft]:
        self.asked_meanwhile += self.busy
        self.asked_before += not self.busy
        return super().propose(asks)

    def peek(self, sequence: Sequence) -> None:
        self.peeks += 1

    def evaluate(self, draft: Draft) -> tuple[list[int], float]:
        self.sequence.cached = len(self.sequence) - 1
        self.work()
        rows = max(1 + len(draft), self.governor.costs.steady)
        self.since = 0 if rows != self.before else self.since + 1
        self.changes += rows != self.before
        self.before = rows
        return [rows], self.curve[rows] + (self.EXTRA[self.since] if self.since < 2 else 0.0)


@pytest.mark.parametrize("chance", [0.3, 0.6, 0.8, 0.95])
def test_speed_comes_close_to_the_best_fixed_length(chance: float) -> None:
    world = Gpu(chance)
    world.run(300)
    assert world.run(1500) >= max(0.94 * world.best(), 0.985)


def test_a_useless_draft_costs_next_to_nothing() -> None:
    world = Gpu(0.6, truth=0.02)
    world.run(100)
    assert world.run(1000) >= 0.98


def test_a_draft_that_was_hopeless_is_found_out_when_it_is_not() -> None:
    world = Gpu(0.6, truth=0.02)
    for _ in range(8):
        world.another_text(0.02)
        world.run(60)
    rates = []
    for _ in range(30):
        world.another_text(0.95)
        world.chance = 0.95
        rates.append(world.run(60))
    assert max(rates) > 1.5


def test_asking_just_to_see_takes_no_time_while_a_gpu_is_at_work() -> None:
    rates = []
    for asynchronous in (False, True):
        world = Gpu(0.6, truth=0.02, asynchronous=asynchronous)
        for _ in range(5):
            world.another_text(0.02)
            world.run(20)
        world.asked_before = 0
        world.another_text(0.02)
        rates.append(world.run(400))
        assert bool(world.asked_before) != asynchronous
        assert bool(world.asked_meanwhile) == asynchronous
    assert rates[0] < rates[1]
    assert rates[1] == pytest.approx(1)


def test_what_is_seen_meanwhile_leads_to_guesses_where_they_pay() -> None:
    world = Gpu(0.9, asynchronous=True)
    world.run(300)
    assert world.run(1500) >= 0.94 * world.best()


def test_a_draft_that_is_sure_of_its_own_answer_guesses_from_the_first_step() -> None:
    world = Gpu(0.5, asynchronous=True)
    first: dict[float, list[int]] = {0.95: [], 0.05: []}
    for _ in range(6):
        for chance in first:
            world.read(chance)
            world.run(1)
            first[chance].append(world.before)
            world.run(40)
    assert min(first[0.95][2:]) > 2
    assert set(first[0.05][2:]) == {1}


def test_a_prompt_is_not_read_by_a_draft_that_is_useless() -> None:
    world = Gpu(0.5, asynchronous=True)
    world.curve = STEEP
    world.governor.costs.load([STEEP])
    for _ in range(12):
        world.read(0.02)
        world.run(40)
    world.asked_meanwhile = 0
    world.read(0.02)
    assert not world.asked_meanwhile


def test_nor_by_one_that_nobody_will_ask() -> None:
    world = Gpu(0.5, asynchronous=True)
    request = Request([3], Sampling(), max_tokens=9, speculation=0)
    world.sequence = Sequence(request, FakeVocabulary(), 99)
    world.sequence.tokens.append(RIGHT)
    world.work()
    assert not world.asked_meanwhile


def test_steps_keep_their_rows() -> None:
    world = Gpu(0.8)
    world.run(1000)
    assert world.changes < 50


def test_most_steps_go_on_without_being_weighed() -> None:
    world = Gpu(0.8)
    world.run(1000)
    assert 80 < world.peeks < 250


def test_steps_that_are_not_weighed_teach_too() -> None:
    world = Gpu(0.8)
    world.run(200)
    world.another_text(0.02)
    world.chance = 0.02
    world.run(15)
    assert world.before == 1, "weighed steps alone would take twice as many"


def test_what_a_grammar_forces_is_looked_for_in_every_step() -> None:
    world = Gpu(0.8)
    request = Request([3], Sampling(), constraint=Alternating)
    world.sequence = Sequence(request, FakeVocabulary(), 1 << 20)
    world.run(200)
    assert world.peeks > 190


def test_lookups_that_mislead_cost_little() -> None:
    world = Gpu(0.02)
    world.run(50)
    world.chance, world.truth = 0.9, 0.1
    assert world.run(300) >= 0.9


def engine(change: float) -> tuple[Engine, FakeModel, Costs]:
    """With costs that stay as they are, in a world in which real time hardly passes."""

    class Known(Costs):
        def observe(self, *_: object, **__: object) -> None: ...

    costs = Known(64)
    costs.load([{1: 1e-4, 16: 1.15e-4}])
    costs.change = change * 1e-4
    target = FakeModel()
    policy = Governor(costs)
    return Engine(target, FakeVocabulary(), [LookupDrafter()], policy, costs), target, costs


@pytest.mark.parametrize("temperature", [0.0, 0.8])
@pytest.mark.parametrize("change", [0.5, 3.0])
def test_the_text_is_that_of_plain_decoding(temperature: float, change: float) -> None:
    def answer(engine: Engine, speculation: Speculation) -> list[int]:
        sampling = Sampling(temperature=temperature, seed=5)
        request = Request(REPETITIVE, sampling, max_tokens=60, speculation=speculation)
        sequence = engine.prepare(request)
        engine.submit(sequence)
        while engine.busy:
            engine.step()
        return sequence.answer

    spoken = answer(engine(change)[0], "auto")
    assert spoken == answer(engine(0)[0], 0)


def test_the_cache_holds_nothing_that_was_not_said() -> None:
    made, target, _ = engine(0.1)
    sequence = made.prepare(Request(REPETITIVE, Sampling(temperature=0), max_tokens=100))
    made.submit(sequence)
    while made.busy:
        made.step()
        assert target.cache[0] == sequence.tokens[: len(target.cache[0])]
    assert len({sum(len(run.tokens) for run in runs) for runs in target.decodes}) > 2


def test_rows_kept_for_an_answer_that_is_gone_cut_no_guesses_of_another() -> None:
    made, target, costs = engine(0.1)
    costs.steady = 2  # as before the last step of an answer, which is cancelled now
    request = Request(REPETITIVE[:1], Sampling(temperature=0), 20, speculation=16)
    sequence = made.prepare(request)
    made.submit(sequence)
    while made.busy:
        made.step()
        costs.steady = 2
    assert sequence.statistics.draft_tokens > 2
    assert (sequence.answer, sequence.finish_reason) == plain(target, request)
