"""The draft model as a drafter: propose and truncate, seen through what its model evaluates.

`guesses` says what must be proposed: a chain made token by token, without a cache. The engine's
part of the bargain is played by `say`: it commits tokens and rolls the draft back.
"""

from collections.abc import Iterable

import pytest
from fake_world import World, rows, samplings
from fakes import (
    END,
    ENDLESS,
    PROMPT,
    VOCABULARY,
    FakeModel,
    FakeVocabulary,
    Fickle,
    OracleDrafter,
    answer,
    engine,
    run,
    submit,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from localspec.decoding.draft import Draft
from localspec.decoding.sampling import Guess, Sampler, Sampling
from localspec.decoding.sequence import Request, Sequence
from localspec.drafters.base import Ask
from localspec.drafters.model import ModelDrafter


def sequence(
    prompt: Iterable[int] = PROMPT, slot: int = 0, sampling: Sampling = ENDLESS
) -> Sequence:
    made = Sequence(Request(list(prompt), sampling), FakeVocabulary(), 256)
    made.slot = slot
    return made


def ask(sequence: Sequence, length: int) -> Ask:
    return Ask(sequence, length, lambda draft: True)


def guesses(model: FakeModel, sequence: Sequence, length: int) -> list[Guess]:
    """The chain a draft model should come up with, and how sure of each guess it should be."""
    sampler = Sampler(sequence.request.sampling, sequence.request.prompt, VOCABULARY)
    for token in sequence.answer:
        sampler.push(token)
    text, made = list(sequence.tokens), list[Guess]()
    while len(made) < length and END not in text[len(sequence) :]:
        made.append(sampler.guess(model.logits(text), len(text)))
        text.append(made[-1].token)
        sampler.push(made[-1].token)
    return made


def say(drafter: ModelDrafter, sequence: Sequence, draft: Draft, held: int, then: int) -> None:
    """The target confirms the first `held` guesses and goes on with another token."""
    for token in draft.tokens[:held]:
        sequence.commit(token, draft.drafter)
    drafter.truncate(sequence.slot, len(sequence))
    sequence.commit(then, None)


def test_a_chain_continues_the_text_with_the_samplers_own_guesses() -> None:
    model, s = FakeModel(), sequence()
    [draft] = ModelDrafter(model).propose([ask(s, 5)])
    expected = guesses(model, s, 5)
    assert draft.drafter == ModelDrafter.name
    assert draft.tokens == [guess.token for guess in expected]
    assert draft.confidences == [guess.confidence for guess in expected]


@pytest.mark.parametrize("temperature", [0, 0.7, 1.5])
def test_a_confidence_is_the_probability_the_draft_model_itself_gives(temperature: float) -> None:
    model, s = FakeModel(), sequence(sampling=Sampling(temperature=temperature, seed=3))
    [draft] = ModelDrafter(model).propose([ask(s, 1)])
    logits = [float(logit) / (temperature or 1) for logit in model.logits(PROMPT)]
    weights = [2.718281828459045**logit for logit in logits]
    share = weights[draft.tokens[0]] / sum(weights)
    assert draft.confidences == [pytest.approx(share, rel=0.01)]  # the unlikeliest are not counted


def test_the_sequence_is_left_as_it_was() -> None:
    sampling = Sampling(temperature=0, repeat_penalty=2, frequency_penalty=5, presence_penalty=5)
    model, s = FakeModel(), sequence(sampling=sampling)
    row = model.logits(PROMPT)
    before = s.sampler.pick(row, 0)
    [draft] = ModelDrafter(model).propose([ask(s, 12)])
    assert before in draft.tokens
    assert s.sampler.pick(row, 0) == before, "guesses weigh on the penalties while they are made"
    assert s.tokens == PROMPT
    assert len(set(draft.tokens)) == len(draft), "but while they are made, they do weigh"


def test_texts_with_tokens_it_does_not_know_are_left_to_others() -> None:
    model = FakeModel(sequences=3)
    known, unknown, hinted = sequence([3, 4], 0), sequence([3, 22], 1), sequence([3, 5], 2)
    asks = [ask(known, 2), ask(unknown, 2), ask(hinted, 2)._replace(hint=[20])]
    drafts = ModelDrafter(model, vocabulary=20).propose(asks)
    assert [len(draft) for draft in drafts] == [2, 0, 0]
    assert {run.slot for runs in model.decodes for run in runs} == {0}


# What is evaluated -----------------------------------------------------------------------------


def test_many_sequences_take_one_decode_a_guess() -> None:
    model = FakeModel(sequences=3)
    many = [sequence([slot + 1] * (slot + 1), slot) for slot in range(3)]
    drafts = ModelDrafter(model).propose([ask(s, 2 + s.slot) for s in many])
    assert [draft.tokens for draft in drafts] == [
        [guess.token for guess in guesses(model, s, 2 + s.slot)] for s in many
    ]
    assert [[run.slot for run in runs] for runs in model.decodes] == [
        [0, 1, 2],
        [0, 1, 2],
        [1, 2],
        [2],
    ]


@given(right=st.integers(0, 6), wrong=st.integers(0, 3), length=st.integers(1, 9))
def test_a_hint_is_read_in_one_pass_and_changes_no_guess(
    right: int, wrong: int, length: int
) -> None:
    model, s = FakeModel(), sequence()
    expected = guesses(model, s, length)
    tokens = [guess.token for guess in expected]
    hint = tokens[:right] + [(token + 1) % VOCABULARY for token in tokens[right:][:wrong]]
    drafter = ModelDrafter(model)
    [draft] = drafter.propose([ask(s, length)._replace(hint=hint)])
    assert draft.tokens == tokens
    assert draft.confidences == [guess.confidence for guess in expected]
    assert len(model.decodes) == max(1, len(tokens) - min(right, len(tokens)))
    say(drafter, s, draft, held=len(draft) // 2, then=7)
    [draft] = drafter.propose([ask(s, 3)])
    assert draft.tokens == [guess.token for guess in guesses(model, s, 3)]


def test_of_a_hint_no_more_is_kept_than_was_guessed() -> None:
    model, s = FakeModel(), sequence()
    drafter = ModelDrafter(model)
    hint = [guess.token for guess in guesses(model, s, 4)]
    [draft] = drafter.propose([Ask(s, 4, lambda draft: len(draft) < 2, hint)])
    assert draft.tokens == hint[:2]
    assert model.cache[0] == [*s.tokens, *draft.tokens]
    others = [(token + 1) % VOCABULARY for token in hint[:3]]
    for token in others:  # somebody else's guesses were right
        s.commit(token, None)
    drafter.truncate(s.slot, len(s) - 1)
    drafter.observe(s)
    [draft] = drafter.propose([ask(s, 3)])
    assert draft.tokens == [guess.token for guess in guesses(model, s, 3)]


def test_after_full_acceptance_the_last_guess_is_fed_with_the_newest_token() -> None:
    model, s = FakeModel(), sequence()
    drafter = ModelDrafter(model)
    [draft] = drafter.propose([ask(s, 3)])
    say(drafter, s, draft, held=3, then=7)
    assert drafter.backlog(s) == 2
    drafter.propose([ask(s, 1)])
    assert model.decodes[-1][0].tokens == [draft.tokens[-1], 7]
    assert model.cache[0] == s.tokens


def test_refused_guesses_are_cut_and_the_correction_is_fed() -> None:
    model, s = FakeModel(), sequence()
    drafter = ModelDrafter(model)
    [draft] = drafter.propose([ask(s, 5)])
    say(drafter, s, draft, held=2, then=7)
    assert model.cache[0] == s.tokens[:-1]
    drafter.propose([ask(s, 1)])
    assert model.decodes[-1][0].tokens == [7]


def test_text_said_without_guesses_is_caught_up_with_at_the_next_wish() -> None:
    model, s = FakeModel(), sequence()
    drafter = ModelDrafter(model)
    for token in (5, 6, 7):
        say(drafter, s, Draft(), held=0, then=token)
        drafter.observe(s)
    assert model.decodes == [], "who is not asked does nothing"
    assert drafter.backlog(s) == len(s)
    [draft] = drafter.propose([ask(s, 1)])
    assert [run.tokens for run in model.decodes[0]] == [s.tokens]
    assert draft.tokens == [guess.token for guess in guesses(model, s, 1)]
    assert drafter.backlog(s) == 0


@pytest.mark.parametrize("lengths", [[100], [100, 1], [1, 100, 100], [60, 70, 80]])
@pytest.mark.parametrize("batch", [3, 8, 64])
def test_a_backlog_longer_than_a_batch_is_read_in_several(lengths: list[int], batch: int) -> None:
    model = FakeModel(sequences=3, batch=batch, outputs=3)  # which asserts what fits
    many = [sequence([slot + 1] * n, slot) for slot, n in enumerate(lengths)]
    drafts = ModelDrafter(model).propose([ask(s, 2) for s in many])
    for s, draft in zip(many, drafts, strict=True):
        assert draft.tokens == [guess.token for guess in guesses(model, s, 2)]
    assert rows(model) == sum(lengths) + len(lengths), "no token is read twice"


def test_truncating_beyond_what_is_known_does_nothing() -> None:
    model = FakeModel(can_truncate=False)  # which would complain
    drafter = ModelDrafter(model)
    drafter.truncate(0, 10)
    drafter.truncate(0, 0)
    assert drafter.backlog(sequence()) == len(PROMPT)


# Where a draft ends ----------------------------------------------------------------------------


def test_no_guess_follows_an_end_token() -> None:
    s = sequence(sampling=Sampling(logit_bias={END: 100}))
    [draft] = ModelDrafter(FakeModel()).propose([ask(s, 5)])
    assert draft.tokens == [END]


def test_more_is_asked_before_each_guess_and_ends_the_draft() -> None:
    lengths: list[int] = []

    def more(draft: Draft) -> bool:
        lengths.append(len(draft))
        return len(draft) < 3

    model = FakeModel()
    [draft] = ModelDrafter(model).propose([Ask(sequence(), 10, more)])
    assert len(draft) == 3
    assert lengths == [0, 1, 2, 3]
    assert len(model.decodes) == 3, "a guess nobody wants is not computed"


def test_one_sequence_may_stop_while_others_go_on() -> None:
    model = FakeModel(sequences=2)
    short, long = sequence(slot=0), sequence([4, 4], slot=1)
    asks = [Ask(short, 9, lambda draft: len(draft) < 1), ask(long, 6)]
    assert [len(draft) for draft in ModelDrafter(model).propose(asks)] == [1, 6]


@pytest.mark.parametrize(
    "wish", [Ask(sequence(), 0, lambda draft: True), Ask(sequence(), 4, lambda draft: False)]
)
def test_who_wants_no_guess_causes_no_work(wish: Ask) -> None:
    model = FakeModel()
    drafter = ModelDrafter(model)
    assert [len(draft) for draft in drafter.propose([wish])] == [0]
    assert drafter.propose([]) == []
    assert model.decodes == []


def test_a_guess_that_does_not_fit_the_drafts_own_context_is_not_begun() -> None:
    model = FakeModel(length=10, sequences=2)
    drafter = ModelDrafter(model)
    fitting, too_long = sequence(slot=0), sequence([1] * 12, slot=1)
    drafts = drafter.propose([ask(fitting, 2), ask(too_long, 2)])
    assert [len(draft) for draft in drafts] == [2, 0]
    assert model.cache[1] == [], "nor is its text read in vain"
    drafter.truncate(0, len(PROMPT) - 1)
    assert [len(draft) for draft in drafter.propose([ask(fitting, 3)])] == [0]


@pytest.mark.parametrize("fails_at", [2, 4])  # while it catches up, and while it guesses
def test_after_a_failed_decode_the_drafter_says_nothing_and_begins_anew(fails_at: int) -> None:
    model, s = FakeModel(batch=4), sequence()
    model.fails_at = fails_at
    drafter = ModelDrafter(model)
    assert [len(draft) for draft in drafter.propose([ask(s, 3)])] == [0]
    assert model.cache[0] == []
    assert drafter.backlog(s) == len(s) - len(model.cache[0])
    [draft] = drafter.propose([ask(s, 2)])
    assert draft.tokens == [guess.token for guess in guesses(model, s, 2)]


def test_a_draft_model_that_keeps_failing_is_left_alone() -> None:
    model, s = FakeModel(), sequence()
    drafter = ModelDrafter(model)
    for _ in range(5):
        model.fails_at = len(model.decodes) + 1
        drafter.propose([ask(s, 3)])
    assert len(model.decodes) == 3


# In the engine ---------------------------------------------------------------------------------


@pytest.mark.parametrize("drafters", ["twin", "stranger", "short"])
def test_a_draft_model_nobody_asks_does_no_work(drafters: str) -> None:
    world = World(2, drafters)
    for seed in range(4):
        world.submit(Request(PROMPT, Sampling(seed=seed), speculation=0))
    world.run()
    assert world.drafts[0].decodes == []
    assert all(s.statistics.draft_tokens == 0 for s in world.sequences)


def test_drafters_nobody_asks_hear_of_answers_when_they_have_ended() -> None:
    heard: list[tuple[int, int]] = []

    class Listener(OracleDrafter):
        def observe(self, sequence: Sequence) -> None:
            heard.append((sequence.slot, len(sequence.answer)))

    target = FakeModel(sequences=2)
    busy = engine(target, [Listener(target)])
    for prompt, n in ((PROMPT, 3), (PROMPT[::-1], 2)):
        submit(busy, Request(prompt, ENDLESS, n, speculation=0))
    run(busy)
    assert heard == [(1, 2), (0, 3)]


def test_the_draft_reuses_prefixes_too() -> None:
    world = World(drafters="twin")
    first = world.finish(world.submit(Request(PROMPT, ENDLESS, 20, speculation=4)))
    draft, decodes = world.drafts[0], len(world.drafts[0].decodes)
    world.submit(Request([*first.tokens, 5, 5], ENDLESS, 4, speculation=2))
    world.run()
    assert rows(draft, decodes) < 10


def test_a_guess_nobody_looked_at_leaves_no_trace_in_the_draft() -> None:
    world = World(drafters="stranger and perfect", policy=Fickle())
    world.submit(Request(PROMPT, ENDLESS, 20))
    world.run()  # which compares the draft's cache with what was said


def test_a_draft_that_cannot_roll_back_does_no_harm() -> None:
    world = World(drafters="stranger")
    world.drafts[0].can_truncate = False
    for _ in range(2):
        world.submit(Request(PROMPT, ENDLESS, 20, speculation=3))
    world.run()
    for s in world.sequences:
        assert (s.answer, s.finish_reason) == world.expected[s]


# Anything may happen ---------------------------------------------------------------------------


@settings(max_examples=60)
@given(
    sampling=samplings,
    batch=st.integers(3, 12),
    rounds=st.lists(
        st.lists(
            st.tuples(
                st.integers(0, 8),  # how many guesses are asked for
                st.integers(0, 8),  # how many hold, at the most
                st.integers(1, VOCABULARY - 1),  # what the target says then
                st.none() | st.integers(0, 12),  # another text that begins like this one
            ),
            min_size=3,
            max_size=3,
        ),
        max_size=10,
    ),
)
def test_guesses_are_those_of_a_model_that_read_the_text_afresh(
    sampling: Sampling, batch: int, rounds: list[list[tuple[int, int, int, int | None]]]
) -> None:
    model = FakeModel(1, sequences=3, batch=batch, outputs=3)
    drafter = ModelDrafter(model)
    slots = [sequence([7] * (slot + 1), slot, sampling) for slot in range(3)]
    for round in rounds:
        asked = [(slots[slot], *what) for slot, what in enumerate(round) if what[0]]
        drafts = drafter.propose([ask(s, length) for s, length, *_ in asked])
        for (s, length, held, then, _), draft in zip(asked, drafts, strict=True):
            expected = guesses(model, s, length)
            assert draft.tokens == [guess.token for guess in expected]
            if END in draft.tokens:
                held = min(held, len(draft) - 1)
            say(drafter, s, draft, held, then)
            cache = model.cache[s.slot]
            assert cache == s.tokens[: len(cache)]
            assert len(s) - len(cache) == drafter.backlog(s) <= 2
        for slot, (*_, kept) in enumerate(round):
            if kept is not None:
                text = slots[slot].tokens[:kept]
                drafter.truncate(slot, len(text))
                slots[slot] = sequence([*text, 9, 9], slot, sampling)


def test_where_another_number_of_rows_costs_much_one_sequence_is_fed_by_fours() -> None:
    texts, rows = [], []
    for settling in (1, 2):
        draft, target = FakeModel(seed=1, settling=settling), FakeModel()
        made = engine(target, [ModelDrafter(draft)])
        texts.append(
            answer(made, Request([3, 4, 5], Sampling(temperature=0.8, seed=2), max_tokens=50))
        )
        rows.append([sum(len(run.tokens) for run in runs) for runs in draft.decodes])
        told = [3, 4, 5, *texts[-1]]
        assert draft.cache[0] == told[: len(draft.cache[0])]
    assert texts[0] == texts[1]
    assert 1 in rows[0]
    assert set(rows[1]) == {4}
