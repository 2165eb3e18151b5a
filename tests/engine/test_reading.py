"""Prompts that are read in bulk: up to where, and what of a cache they go on from.

The fake model gives other logits for each number of tokens that were read in bulk, so that every
answer in its world tells whether its prompt was read as it would have been alone.
"""

import pytest
from fake_world import World, requests, rows
from fakes import ENDLESS, VOCABULARY
from hypothesis import given, settings
from hypothesis import strategies as st

from localspec.decoding import reading
from localspec.decoding.reading import Bulk, Held, bulk_of, portion, reuse
from localspec.decoding.sequence import Request

BULK = 16
LONG = [2, 9, 4, 7, 3] * 8


def in_bulk(world: World, slot: int) -> int:
    """Tokens of a slot that were read in bulk, which must be the first ones."""
    marks = [bool(size) for size in world.target.read_so[slot]]
    assert marks == sorted(marks, reverse=True)
    return sum(marks)


@pytest.mark.parametrize(
    ("length", "expected", "among"),
    [(1, 0, 0), (5, 0, 0), (6, 5, 5), (16, 15, 5), (17, 16, 16), (40, 39, 16)],
)
def test_all_but_its_last_token_is_read_so_where_there_is_enough(
    length: int, expected: int, among: int
) -> None:
    world = World(bulks=[5, BULK])
    s = world.ask(LONG[:length])
    world.run()
    assert in_bulk(world, s.slot) == expected
    assert max(world.target.read_so[s.slot]) == among


@given(
    prompt=st.lists(st.integers(0, VOCABULARY - 1), min_size=1, max_size=150),
    prefill=st.integers(1, 60),
    outputs=st.integers(1, 8),
    bulks=st.sampled_from([[5], [BULK], [5, BULK], [8, 24]]),
)
def test_it_does_not_matter_in_which_chunks_that_happens(
    prompt: list[int], prefill: int, outputs: int, bulks: list[int]
) -> None:
    world = World(prefill=prefill, outputs=outputs, bulks=bulks)
    s = world.submit(Request(prompt, ENDLESS, 3))
    world.run()  # which compares the answer
    assert in_bulk(world, s.slot) == bulk_of(len(prompt), world.target.bulks).end


@settings(max_examples=300)
@given(
    backlog=st.integers(1, 400),
    short=st.integers(0, 30),
    most=st.integers(1, 200),
    least=st.integers(0, 40),
)
def test_what_is_left_of_a_bulk_is_enough_for_another_one(
    backlog: int, short: int, most: int, least: int
) -> None:
    rest = max(0, backlog - 1 - short)
    rows, bulk = portion(backlog, 7, most, Bulk(7 + rest, least))
    assert 0 < rows <= backlog
    if bulk:
        assert rows >= least
        assert rest - rows == 0 or rest - rows >= least
        assert rows < max(most, 2 * least) + least
    else:
        assert rows <= most


@settings(max_examples=40)
@given(
    prompts=st.lists(
        st.tuples(st.integers(1, 40), st.lists(st.integers(0, 3), max_size=12)), max_size=5
    ),
    sequences=st.integers(1, 3),
    apart=st.integers(0, 6),
    bulks=st.sampled_from([[5], [BULK], [5, BULK], [8, 24]]),
)
def test_prompts_that_begin_alike_are_answered_as_if_they_had_been_read_alone(
    prompts: list[tuple[int, list[int]]], sequences: int, apart: int, bulks: list[int]
) -> None:
    world = World(sequences, bulks=bulks)
    asked = [Request([*LONG[:n], *rest], ENDLESS, 4) for n, rest in prompts]
    world.run_as_they_come((request, apart) for request in asked)


def test_a_prompt_of_the_same_length_reads_only_what_differs() -> None:
    world = World(bulks=[BULK])
    world.finish(world.ask([*LONG, 5, 6]))
    decodes = len(world.target.decodes)
    s = world.ask([*LONG, 5, 7], 1)
    world.run()
    assert s.statistics.cached_tokens == len(LONG) + 1
    assert rows(world.target, decodes) == 1


def test_one_of_another_length_takes_over_what_both_read_in_bulk() -> None:
    world = World(bulks=[BULK])
    world.finish(world.ask(LONG))
    s = world.ask([*LONG, *LONG], 1)
    world.run()
    assert s.statistics.cached_tokens == len(LONG) - 1
    shorter = world.ask(LONG[:30], 1)
    world.run()
    assert shorter.statistics.cached_tokens == 29


def test_too_little_to_be_read_in_bulk_is_read_with_some_that_was_there() -> None:
    world = World(bulks=[BULK])
    world.finish(world.ask([*LONG, *LONG]))
    other = world.ask([*LONG, 5, 6, 7], 1)
    world.run()
    assert other.statistics.cached_tokens == len(LONG) + 2 - BULK


def test_an_answer_that_is_gone_on_with_is_not_read_again() -> None:
    world = World(bulks=[BULK])
    first = world.finish(world.ask(LONG, 20))
    turn = [*first.tokens, *LONG]
    second = world.finish(world.ask(turn, 3))
    assert second.statistics.cached_tokens == len(first.tokens) - 1
    said = world.target.read_so[second.slot][len(LONG) - 1 : len(first.tokens) - 1]
    assert not any(said)
    decodes = len(world.target.decodes)
    again = world.finish(world.ask(turn, 3))
    assert again.answer == second.answer
    assert again.statistics.cached_tokens == len(turn) - 1
    assert rows(world.target, decodes) == 3
    other = world.finish(world.ask(LONG, 20))
    assert other.answer == first.answer


@pytest.mark.parametrize(("new", "cached"), [(3, 23), (13, 20), (21, 23)])
def test_what_is_new_after_an_answer_is_read_in_bulk_where_it_is_not_a_few_tokens(
    new: int, cached: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "_FEW", 12)
    world = World(bulks=[BULK])
    first = world.finish(world.ask(LONG[:20], 4))
    reads = world.target.reads
    turn = world.ask([*first.tokens, *LONG[:new]], 1)
    world.run()
    assert turn.statistics.cached_tokens == cached
    assert (world.target.reads > reads) == (new > 3)


def test_an_earlier_turn_can_be_asked_again() -> None:
    world = World(bulks=[BULK])
    first = world.finish(world.ask(LONG, 6))
    turn = [*first.tokens, *LONG]
    second = world.finish(world.ask(turn, 6))
    world.finish(world.ask([*second.tokens, *LONG], 6))
    again = world.finish(world.ask(turn, 6))
    assert again.statistics.cached_tokens == len(turn) - 1
    assert again.answer == second.answer


def test_another_next_message_is_read_as_it_would_be_after_the_same_answer() -> None:
    world, other = World(bulks=[BULK]), World(bulks=[BULK])
    first = world.finish(world.ask(LONG[:20], 4))
    other.finish(other.ask(LONG[:20], 4))
    long, short = [*first.tokens, *LONG], [*first.tokens, *LONG[:5], 7, 7]
    alone = other.finish(other.ask(short, 6))
    world.finish(world.ask(long, 6))
    forked = world.finish(world.ask(short, 6))
    assert forked.answer == alone.answer
    assert forked.statistics.cached_tokens == len(first.tokens) - 1


def test_bulks_of_one_size_are_not_taken_for_those_of_another() -> None:
    world = World(bulks=[8, 64], length=512, prefill=200)
    first = world.finish(world.ask(LONG, 4))
    world.finish(world.ask([*first.tokens, *LONG[:30]], 4))  # in one of 64, from within the prompt
    assert 64 in world.target.read_so[0]
    world.finish(world.ask([*LONG, *[5] * 10], 4))


@pytest.mark.parametrize("new", [3, BULK - 1, BULK + 5])
def test_where_nothing_can_be_cut_an_answer_is_gone_on_with_all_the_same(
    new: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "_FEW", 12)
    world = World(bulks=[BULK], can_truncate=False)
    first = world.finish(world.ask(LONG, 4))
    turn = world.finish(world.ask([*first.tokens, *LONG[: new - 1]], 3))
    assert turn.statistics.cached_tokens == len(first.tokens) - 1


def test_what_was_read_after_an_answer_is_nobody_elses() -> None:
    world = World(bulks=[BULK])
    first = world.finish(world.ask(LONG[:10], 4))
    second = world.finish(world.ask([*first.tokens, *LONG], 4))
    world.finish(world.ask([*second.tokens, 5], 2))
    other = world.ask([*second.tokens[:14], 5], 1)  # so short that nothing of it is read in bulk
    world.run()
    assert other.statistics.cached_tokens == len(first.tokens) - 1
    assert in_bulk(world, other.slot) == 0


def test_a_prompt_whose_tokens_are_rated_is_decoded() -> None:
    world = World(bulks=[BULK])
    world.finish(world.submit(Request(LONG, ENDLESS, 2, echo=True, logprobs=0)))
    assert not world.target.reads
    world.finish(world.ask(LONG, 2))
    assert world.target.reads


def test_answers_go_on_beside() -> None:
    world = World(2, length=2000, outputs=8, prefill=1000, bulks=[64])
    first = world.ask(LONG, None)
    while not first.answer:
        world.step()
    second = world.ask([2, 3] * 700)
    while not second.answer:
        said = len(first)
        world.step()
        assert len(first) == said + 1
    first.cancelled = True
    world.run()


@settings(max_examples=40)
@given(asked=st.lists(st.tuples(requests, st.integers(0, 5)), max_size=5), gpu=st.booleans())
def test_whatever_is_asked(asked: list[tuple[Request, int]], gpu: bool) -> None:
    world = World(3, "several", length=64, gpu=gpu, bulks=[3, 20])
    world.run_as_they_come(asked)


def test_where_nothing_is_read_in_bulk_all_that_is_there_is_taken_over() -> None:
    held = Held()
    for common, whole in ((20, False), (30, True), (37, False), (50, True), (49, False)):
        tokens, held = reuse(held, common, Bulk(), whole=whole)
        assert tokens == common
