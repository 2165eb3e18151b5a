"""Guessing from text already seen, against brute force."""

from collections.abc import Iterable, Iterator
from collections.abc import Sequence as Many
from unittest.mock import patch

from brute_force import Tree, find, grow, letters
from fakes import FakeModel, answer, engine, run, submit
from hypothesis import given
from hypothesis import strategies as st

from localspec.decoding.draft import Draft
from localspec.decoding.sampling import Sampling
from localspec.decoding.sequence import Request, Sequence
from localspec.drafters import lookup, suffix
from localspec.drafters.base import Ask
from localspec.drafters.lookup import LookupDrafter
from localspec.drafters.suffix import ROOT, SuffixAutomaton


class Vocabulary:
    size = 10_000
    end_tokens: frozenset[int] = frozenset()

    def piece(self, token: int) -> bytes:
        return b"x"


def sequence(prompt: Many[int], slot: int = 0) -> Sequence:
    made = Sequence(Request(list(prompt), Sampling(temperature=0)), Vocabulary(), 100_000)
    made.slot = slot
    return made


def guess(drafter: LookupDrafter, asking: Sequence, length: int = 1) -> Draft:
    return drafter.propose([Ask(asking, length, lambda _: True)])[0]


def say(drafter: LookupDrafter, speaking: Sequence, tokens: Iterable[int]) -> None:
    """Commit one token a step, as the engine does."""
    for token in tokens:
        speaking.commit(token, None)
        drafter.truncate(speaking.slot, len(speaking) - 1)
        drafter.observe(speaking)


def test_the_likeliest_comes_first_and_of_equals_the_newest() -> None:
    drafter, asking = LookupDrafter(), sequence([1, 2, 50, 1, 3, 51, 1, 2, 52, 1, 3, 53, 1])
    assert guess(drafter, asking).tokens == [3]
    asking = sequence([1, 2, 50, 1, 2, 51, 1, 3, 52, 1], slot=1)
    assert guess(drafter, asking).tokens == [2]


@given(st.lists(letters, min_size=1, max_size=25))
def test_first_guess_is_what_brute_force_finds(text: list[int]) -> None:
    tree, whole = Tree(), tuple(text)
    for i in range(len(text)):
        tree.say(whole[: i + 1])
    with patch.object(suffix, "_DEPTH", 1000):
        draft = guess(LookupDrafter(), sequence(text))
    length = tree.longest_continued(whole)
    assert draft.tokens == ([tree.likeliest(whole[-length:])] if length else [])


@given(st.lists(st.tuples(st.integers(0, 1), st.lists(st.integers(0, 9), max_size=30)), max_size=6))
def test_guesses_continue_what_was_seen(turns: list[tuple[int, list[int]]]) -> None:
    drafter, seen = LookupDrafter(memory=40), []
    for slot, tokens in turns:
        drafter.truncate(slot, 0)
        asking = sequence([0, *tokens[:9]], slot)
        say(drafter, asking, tokens[9:])
        seen.append(asking.tokens)
        draft = guess(drafter, asking, 8)
        text = asking.tokens + draft.tokens
        for i in range(len(asking), len(text)):
            assert any(text[i - 1 : i + 1] == t[j : j + 2] for t in seen for j in range(len(t)))
        assert all(0 < sure < 1 for sure in draft.confidences)


def confidence(length: int, same: int = 1, other: int = 0) -> float:
    """After a match of `length` tokens that `same` times went on alike and else differently."""
    fresh: Iterator[int] = iter(range(100, 9000))
    match, text = list(range(1, length + 1)), list[int]()
    for end in [98] * other + [99] * same:
        text += [next(fresh), *match, end]
    drafter, asking = LookupDrafter(), sequence([*text, next(fresh), *match])
    while drafter.backlog(asking):
        drafter.peek(asking)
    draft = guess(drafter, asking)
    assert draft.tokens == [99]
    return draft.confidences[0]


def test_confidence_grows_with_the_match() -> None:
    for same, other in ((1, 0), (3, 0), (3, 1)):
        sure = [confidence(length, same, other) for length in (1, 2, 3, 5, 8, 13, 40, 100)]
        assert sure == sorted(set(sure))
    assert confidence(1) < 0.4
    assert confidence(100) > 0.9


def test_confidence_grows_with_what_agrees_and_falls_with_what_does_not() -> None:
    for length in (1, 2, 5, 20):
        sure = [confidence(length, same) for same in (1, 2, 3, 5, 9, 30)]
        assert sure == sorted(set(sure))
        unsure = [confidence(length, 5, other) for other in range(6)]
        assert unsure == sorted(set(unsure), reverse=True)


def test_confidence_stays_below_one_where_counting_was_cut_short() -> None:
    automaton, state = SuffixAutomaton(), ROOT
    for n in range(1, 3 * suffix._DEPTH):
        state = grow(automaton, range(n, 0, -1))
    automaton.extend(state, 99)
    for n in range(1, 3 * suffix._DEPTH):
        found = lookup._guess(find(automaton, range(n, 0, -1)), 1.0)
        assert found is not None
        assert found.token == 99
        assert 0 < found.confidence < 1


def test_a_draft_ends_where_it_should() -> None:
    drafter, asking = LookupDrafter(), sequence([1, 2, 3, 4, 5, 6, 7, 8, 1])
    assert guess(drafter, asking, 5).tokens == [2, 3, 4, 5, 6]
    assert guess(drafter, asking, 0).tokens == []
    asked: list[int] = []

    def more(draft: Draft) -> bool:
        asked.append(len(draft))
        return len(draft) < 3

    assert drafter.propose([Ask(asking, 9, more)])[0].tokens == [2, 3, 4]
    assert asked == [0, 1, 2, 3]
    assert guess(drafter, sequence([1, 2, 3], slot=1), 5).tokens == []


def test_a_draft_goes_on_past_the_end_of_a_repetition() -> None:
    assert guess(LookupDrafter(), sequence([7, 8, 9, 7, 8, 9]), 6).tokens == [7, 8, 9, 7, 8, 9]


@given(st.lists(st.tuples(st.integers(0, 2), letters), max_size=60))
def test_slots_do_not_disturb_each_other(said: list[tuple[int, int]]) -> None:
    shared, alone = LookupDrafter(), [LookupDrafter() for _ in range(3)]
    speaking = [sequence([slot], slot) for slot in range(3)]
    for slot, token in said:
        say(shared, speaking[slot], [token])
        alone[slot].observe(speaking[slot])
    drafts = shared.propose([Ask(s, 5, lambda _: True) for s in speaking])
    assert drafts == [guess(alone[s.slot], s, 5) for s in speaking]


def test_long_prompts_are_read_in_parts() -> None:
    drafter, asking = LookupDrafter(), sequence(list(range(1000)) * 2)
    calls = 0
    draft = Draft()
    while backlog := drafter.backlog(asking):
        assert not draft.tokens
        draft = guess(drafter, asking)
        assert 0 < backlog - drafter.backlog(asking) <= lookup._WORK
        calls += 1
    assert calls == -(-2000 // lookup._WORK)
    assert draft.tokens == [0]


PROMPT, FIRST, SECOND = list(range(100, 200)), list(range(300, 340)), list(range(500, 540))


def test_cutting_nothing_off_changes_nothing() -> None:
    drafter, speaking = LookupDrafter(), sequence(PROMPT)
    say(drafter, speaking, FIRST)
    text = drafter._texts[0]
    before = text.states[:]
    for length in (len(speaking), len(speaking) + 5, 10**6):
        drafter.truncate(0, length)
    assert drafter._texts[0] is text
    assert text.states == before
    drafter.truncate(7, 0)


def test_another_answer_to_the_same_prompt_is_guessed_from_the_first() -> None:
    drafter, speaking = LookupDrafter(), sequence(PROMPT)
    say(drafter, speaking, FIRST)
    drafter.truncate(0, len(PROMPT) - 1)
    again = sequence(PROMPT)
    say(drafter, again, FIRST[:1])
    assert guess(drafter, again, 9).tokens == FIRST[1:10]
    assert drafter.backlog(again) == 0


def test_the_next_turn_goes_on_in_the_same_text() -> None:
    drafter, speaking = LookupDrafter(), sequence(PROMPT)
    say(drafter, speaking, FIRST)
    drafter.truncate(0, len(speaking) - 1)  # the newest token is in no cache yet
    automaton = drafter._texts[0].automaton
    turn = sequence([*speaking.tokens, 900, 901, 300])
    assert 4 <= drafter.backlog(turn) < 4 + lookup._AT_ONCE
    assert guess(drafter, turn, 4).tokens == FIRST[1:5]
    assert drafter._texts[0].automaton is automaton
    say(drafter, turn, FIRST[1:3])
    assert guess(drafter, turn, 2).tokens == FIRST[3:5]


def test_finished_answers_are_remembered_for_all_slots() -> None:
    drafter, speaking = LookupDrafter(), sequence(PROMPT)
    say(drafter, speaking, FIRST)
    other = sequence([1, 2], slot=1)
    assert guess(drafter, other).tokens == []
    drafter.truncate(0, 0)
    say(drafter, sequence([2, 3]), [4])
    assert guess(drafter, other).tokens == []
    say(drafter, other, FIRST[:3])
    assert guess(drafter, other, 5).tokens == FIRST[3:8]


def remember(drafter: LookupDrafter, *texts: Many[int], slot: int = 9) -> None:
    """Answer with them and let the memory learn them all."""
    for text in texts:
        say(drafter, sequence(text[:1], slot), text[1:])
        drafter.truncate(slot, 0)
    while drafter._memory._waiting:
        drafter.observe(sequence([1], slot))
        drafter.truncate(slot, 0)


def test_remembered_texts_do_not_run_into_each_other() -> None:
    drafter = LookupDrafter()
    remember(drafter, PROMPT, FIRST)
    assert guess(drafter, sequence(PROMPT[:5]), 3).tokens == PROMPT[5:8]
    assert guess(drafter, sequence(PROMPT[-5:], slot=1)).tokens == []
    assert guess(drafter, sequence(FIRST[:5], slot=2), 3).tokens == FIRST[5:8]


def test_the_own_past_comes_first_and_a_much_longer_match_before_it() -> None:
    drafter = LookupDrafter()
    remember(drafter, [*PROMPT, *FIRST], [*SECOND, *FIRST])
    asking = sequence([1, 305, 306, 77, 5, 305, 306])
    assert guess(drafter, asking).tokens == [77]
    asking = sequence([306, 77, *FIRST[:7]], slot=1)
    assert guess(drafter, asking).tokens == [307]


def test_the_next_turn_is_looked_up_in_the_memory_too() -> None:
    drafter = LookupDrafter()
    remember(drafter, FIRST)
    speaking = sequence(PROMPT)
    say(drafter, speaking, SECOND)
    assert guess(drafter, sequence([*speaking.tokens, *FIRST[:5]]), 3).tokens == FIRST[5:8]


def test_memory_is_bounded_and_forgets_the_oldest() -> None:
    drafter, size = LookupDrafter(memory=1000), 1000
    old = list(range(1, 100))
    remember(drafter, old)
    assert guess(drafter, sequence(old[:3])).tokens == [4]
    running = sequence([1, 2], slot=1)
    for n in range(1, 60):
        say(drafter, running, [n])
        remember(drafter, [n * 100 + i for i in range(100)])
        assert all(len(g) <= size + lookup._LEARN for g in drafter._memory.generations)
    assert guess(drafter, sequence([5940, 5941, 5942], slot=2)).tokens == [5943]
    assert guess(drafter, sequence([40, 41, 42], slot=3)).tokens == []
    say(drafter, running, [5940, 5941])
    assert guess(drafter, running, 3).tokens == [5942, 5943, 5944]


def test_every_answer_of_a_conversation_is_remembered_and_no_prompt() -> None:
    drafter = LookupDrafter()
    speaking = sequence(PROMPT)
    say(drafter, speaking, FIRST)
    say(drafter, sequence([*speaking.tokens, 900]), SECOND)
    drafter.truncate(0, 0)
    remember(drafter, [1, 2])
    for slot, (start, expected) in enumerate(
        [(FIRST[:3], FIRST[3:5]), (SECOND[:3], SECOND[3:5]), (PROMPT[-5:-2], PROMPT[-2:])]
    ):
        assert guess(drafter, sequence(start, slot), 2).tokens == expected
    assert guess(drafter, sequence(PROMPT[:3], slot=4)).tokens == []


def test_what_waits_to_be_remembered_is_bounded() -> None:
    drafter = LookupDrafter(memory=1000)
    for n in range(1, 9):
        speaking = sequence([n])
        speaking.tokens += [n] * 400
        drafter.observe(speaking)
        drafter.truncate(0, 0)
        assert len(drafter._memory._waiting) <= 1000


def test_a_slot_does_not_grow_with_the_number_of_its_answers() -> None:
    drafter = LookupDrafter()
    for n in range(60):
        drafter.truncate(0, len(PROMPT) - 1)
        say(drafter, sequence(PROMPT), [n * 100 + i * i % 97 for i in range(50)])
        most = lookup._FORGETS * len(PROMPT) + 2 * (len(PROMPT) + 50)
        assert len(drafter._texts[0].automaton) <= most
    assert len(drafter._texts[0]) > len(PROMPT) + 50 - lookup._AT_ONCE


@given(st.lists(letters, min_size=1, max_size=30), st.lists(letters, max_size=40))
def test_what_it_would_guess_first_can_be_seen_without_asking(
    prompt: list[int], said: list[int]
) -> None:
    asked, watched = LookupDrafter(), LookupDrafter()
    for drafter in (asked, watched):
        say(drafter, sequence([0, 1, 2, 1, 1, 0] * 3), [1, 0, 2])
        drafter.truncate(0, 0)
    speaking = sequence(prompt)
    for token in said:
        assert watched.peek(speaking) == guess(asked, speaking)
        assert guess(watched, speaking, 3) == guess(asked, speaking, 3)
        speaking.commit(token, None)
        for drafter in (asked, watched):
            drafter.truncate(speaking.slot, len(speaking) - 1)
            drafter.observe(speaking)


def test_in_the_engine_it_changes_the_cost_and_not_the_text() -> None:
    request = Request(list(range(1, 9)), Sampling(temperature=0.5, seed=3), max_tokens=60)
    plain = answer(engine(FakeModel(seed=5)), request)
    drafter = LookupDrafter()
    target = FakeModel(seed=5, sequences=2)
    loop = engine(target, [drafter])
    first, second = submit(loop, request), submit(loop, request)
    run(loop)
    third = submit(loop, request)
    run(loop)
    assert first.answer == second.answer == third.answer == plain
    assert third.statistics.accepted_by_drafter["lookup"] > len(plain) // 2
