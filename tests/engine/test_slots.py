"""Which slot of a cache a prompt goes to, and how much of it need not be read again.

Seen through the engine's doors, in the fake world of `test_engine`.
"""

from dataclasses import replace

import pytest
from fake_world import World, requests, rows, shared
from fakes import ENDLESS, PROMPT
from hypothesis import given, settings
from hypothesis import strategies as st

from localspec.decoding.sequence import Request

# Reuse of prefixes -----------------------------------------------------------------------------


@pytest.mark.parametrize("can_truncate", [True, False])
def test_the_next_turn_reads_only_what_is_new(can_truncate: bool) -> None:
    world = World(drafters="perfect", can_truncate=can_truncate)
    first = world.finish(world.submit(Request(PROMPT, ENDLESS, 20)))
    decodes = len(world.target.decodes)
    turn = [*first.tokens, 5, 5, 5]
    second = world.ask(turn, 1)
    world.run()
    assert second.statistics.prompt_tokens == len(turn)
    assert second.statistics.cached_tokens == len(first.tokens) - 1  # its last was never fed
    assert rows(world.target, decodes) == 4


@pytest.mark.parametrize("length", [1, 2, 8])
def test_the_last_token_of_a_prompt_is_always_read(length: int) -> None:
    world = World()
    world.finish(world.ask(PROMPT))
    decodes = len(world.target.decodes)
    s = world.ask(PROMPT[:length], 1)
    world.run()
    assert s.statistics.cached_tokens == length - 1
    assert rows(world.target, decodes) == 1


@settings(max_examples=25)
@given(
    requests=st.lists(requests, min_size=2, max_size=6),
    sequences=st.integers(2, 4),
    together=st.booleans(),
)
def test_as_much_of_a_prompt_is_reused_as_any_slot_holds(
    requests: list[Request], sequences: int, together: bool
) -> None:
    world = World(sequences, "lying from the third", length=64)
    if together:  # a slot may be busy and still lend what it holds
        world.submit(Request(PROMPT, ENDLESS))
        world.step()
    for request in requests:
        prompt = list(request.prompt)
        held = max(shared(cache, prompt) for cache in world.target.cache)
        s = world.submit(request)
        world.step()
        assert held - 4 < s.statistics.cached_tokens <= held, "a copy must be worth it"
        world.finish(s)


def test_a_busy_slot_lends_its_prefix_and_goes_on() -> None:
    world = World(2)
    common = PROMPT * 3
    first = world.ask([*common, 7, 7], 30)
    for _ in range(5):
        world.step()
    second = world.ask([*common, 8, 8], 30)
    world.step()
    assert second.slot != first.slot
    assert second.statistics.cached_tokens == len(common)
    world.run()


def test_with_fewer_answers_at_once_only_the_first_slots_are_used() -> None:
    world = World(4)
    world.engine.limit(2)
    answers = [world.ask([*PROMPT, n], 5) for n in range(5)]
    while world.engine.busy:
        world.step()
        assert world.engine.running <= 2
    assert {s.slot for s in answers} == {0, 1}
    assert all(len(s.answer) == 5 for s in answers)


def test_a_prompt_goes_to_the_slot_that_holds_most_of_it() -> None:
    world = World(3)
    texts = [[*PROMPT, n, n, n] for n in (7, 8, 9)]
    for text in texts:
        world.ask(text, 3)
    world.run()
    slots = [s.slot for s in world.sequences]
    for n in (1, 0, 2):
        again = world.finish(world.ask([*texts[n], 10], 3))
        assert again.slot == slots[n]
        assert again.statistics.cached_tokens == len(texts[n])


def test_a_text_that_shares_little_leaves_others_their_caches() -> None:
    world = World(3)
    common = PROMPT * 2
    first = world.finish(world.ask([*common, *[7] * 30], 3))
    branch = world.finish(world.ask([*common, 8], 3))
    assert branch.slot != first.slot, "an empty slot and a copy, not the end of what is there"
    assert branch.statistics.cached_tokens == len(common)
    again = world.finish(world.ask([*first.tokens, 1], 3))
    assert (again.slot, again.statistics.cached_tokens) == (first.slot, len(first.tokens) - 1)


def test_of_the_same_prompt_asked_at_once_only_one_is_read() -> None:
    world = World(4, "twin", outputs=8, prefill=10)
    prompt = [2, 3] * 40
    for seed in range(4):
        world.submit(Request(prompt, replace(ENDLESS, seed=seed), 10))
    world.run()
    assert rows(world.target) < len(prompt) + 4 * 20
    assert [s.statistics.cached_tokens for s in world.sequences] == [0, 79, 79, 79]


@pytest.mark.parametrize("end", ["cancel", "fail"])
def test_who_waits_for_another_to_read_goes_on_when_that_one_ends(end: str) -> None:
    world = World(2, outputs=8, prefill=10)
    first, second = (world.ask([2, 3] * 40) for _ in range(2))
    for _ in range(3):
        world.step()
    assert second.cached == 0
    if end == "cancel":
        first.cancelled = True
    else:
        world.target.fails_at = len(world.target.decodes) + 1
    world.run()
    assert (second.answer, second.finish_reason) == world.expected[second]


def test_a_new_text_takes_the_slot_that_was_left_alone_longest() -> None:
    world = World(3)
    old = world.finish(world.ask([1, 1, 1]))
    recent = world.finish(world.ask([2, 2, 2]))
    newest = world.finish(world.ask([3, 3, 3]))
    assert len({old.slot, recent.slot, newest.slot}) == 3, "an empty slot comes first"
    assert world.finish(world.ask([4, 4, 4])).slot == old.slot
    assert world.finish(world.ask([5, 5, 5])).slot == recent.slot


@pytest.mark.parametrize(("own_cells", "slots"), [(True, [0, 1, 2]), (False, [0, 3, 4])])
def test_answers_sit_together_where_neighbours_share_a_pass(
    own_cells: bool, slots: list[int]
) -> None:
    world = World(6, own_cells=own_cells)
    texts = [[n] * 9 for n in range(2, 8)]
    left = [world.finish(world.ask(text)) for text in texts]
    for answer in left[1:3]:  # so that 0, 3, 4 and 5 were left alone longest
        assert world.finish(world.ask([*answer.tokens, 1])).slot == answer.slot
    answers = [world.ask([9, n], 20) for n in (3, 5, 7)]
    world.step()
    assert [s.slot for s in answers] == slots
    world.run()


def test_a_text_goes_on_in_its_slot_however_far_that_is() -> None:
    world = World(6, own_cells=True)
    left = [world.finish(world.ask([n] * 90, 5)) for n in range(2, 8)]
    world.ask([9, 9], 60)
    again = world.ask([*left[5].tokens, 1], 3)
    world.step()
    assert again.slot == left[5].slot
    world.run()


def test_an_idle_engine_forgets_everything_when_told() -> None:
    world = World(2, "twin")
    for _ in range(2):
        s = world.submit(Request(PROMPT, ENDLESS, 20))
    with pytest.raises(RuntimeError):
        world.engine.forget()
    world.run()
    world.forget()
    assert not any([*world.target.cache, *world.drafts[0].cache])
    again = world.submit(s.request)
    world.run()
    assert again.statistics.cached_tokens == 0


# Caches that cannot be cut back ----------------------------------------------------------------


@settings(max_examples=30)
@given(
    joining=st.lists(st.tuples(requests, st.integers(0, 30)), min_size=1, max_size=6),
    sequences=st.integers(1, 3),
)
def test_a_target_that_cannot_roll_back_decodes_plainly(
    joining: list[tuple[Request, int]], sequences: int
) -> None:
    world = World(sequences, "several", length=64, can_truncate=False)
    world.run_as_they_come(joining)
    for s in world.sequences:
        assert (s.answer, s.finish_reason) == world.expected[s]
        assert s.statistics.draft_tokens == 0
    assert world.drafts[0].decodes == []


def test_a_cache_that_cannot_be_cut_back_is_reused_as_a_whole_or_not_at_all() -> None:
    world = World(can_truncate=False)
    world.finish(world.ask(PROMPT))
    assert world.finish(world.ask(PROMPT)).statistics.cached_tokens == 0
    whole = list(world.target.cache[0])
    assert world.finish(world.ask([*whole, 1])).statistics.cached_tokens == len(whole)


def test_a_cache_of_use_as_a_whole_is_chosen_before_one_that_shares_more() -> None:
    world = World(2, can_truncate=False)
    world.ask(PROMPT, 1)
    world.ask([*PROMPT, *[7] * 20], 1)
    world.run()
    turn = world.finish(world.ask([*PROMPT, 7, 7, 9]))
    assert turn.statistics.cached_tokens == len(PROMPT)
