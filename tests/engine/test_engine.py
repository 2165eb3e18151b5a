"""The engine, seen through its doors: prepare, submit, step, busy.

The target is a fake whose logits are a function of the last three tokens and whose cache is a
list of tokens: both what is said and what is remembered can be compared to the letter. What must
hold after every step is written down in `fakes.World`.
"""

import random
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from fake_world import DRAFTERS, World, policies, requests, worlds
from fakes import (
    ENDLESS,
    PROMPT,
    VOCABULARY,
    FakeModel,
    FakeVocabulary,
    FixedPolicy,
    OracleDrafter,
    WildPolicy,
    answer,
    plain,
    run,
    submit,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from localspec.decoding.sampling import Sampling
from localspec.decoding.sequence import Request, Sequence
from localspec.engine.engine import Engine
from localspec.errors import UsageError
from localspec.governor.costs import Costs
from localspec.governor.governor import Governor
from localspec.governor.policy import Policy, Step
from localspec.llama.rows import Logits

# Exactness and rollback ------------------------------------------------------------------------


@pytest.mark.parametrize("drafters", DRAFTERS)
@settings(max_examples=15)
@given(
    policy=policies,
    joining=st.lists(st.tuples(requests, st.integers(0, 6)), min_size=1, max_size=6),
    sequences=st.integers(1, 3),
    gpu=st.booleans(),
)
def test_whoever_guesses_the_answer_is_that_of_plain_decoding(
    drafters: str, policy: Policy, joining: list[tuple[Request, int]], sequences: int, gpu: bool
) -> None:
    world = World(sequences, drafters, policy, length=64, gpu=gpu)
    world.run_as_they_come(joining)
    for s in world.sequences:
        assert (s.answer, s.finish_reason) == world.expected[s]


@pytest.mark.parametrize("even", [1, 2, 4])
@given(policy=policies, request=requests)
def test_no_pass_of_guesses_has_more_rows_than_round_alike(
    even: int, policy: Policy, request: Request
) -> None:
    world = World(1, "perfect", policy, length=64, even=even)
    world.run_as_they_come([(request, 0)])
    (sequence,) = world.sequences
    assert (sequence.answer, sequence.finish_reason) == world.expected[sequence]


def test_no_pass_is_filled_up_beyond_them() -> None:
    costs = Costs(17)
    costs.load([{1: 1.0, 3: 3.0, 4: 1.2, 17: 9.0}])
    request, said = Request(PROMPT, ENDLESS, 25), []
    for guesses in (0, 2):
        target = FakeModel(even=3)
        drafters = [OracleDrafter(target)]
        made = Engine(target, FakeVocabulary(), drafters, FixedPolicy(guesses, 0), costs)
        said.append(answer(made, request))
    assert said[0] == said[1]


@pytest.mark.parametrize(("answers", "guesses"), [(2, 2), (3, 1), (4, 0)])
def test_nor_is_one_that_neighbours_share(answers: int, guesses: int) -> None:
    costs, steps = Costs(17), list[Step]()
    costs.load([{1: 1.0, 7: 1.1, 8: 0.5, 17: 0.6}])
    target = FakeModel(even=7, sequences=answers, own_cells=True)
    drafters = [OracleDrafter(target)]
    made = Engine(target, FakeVocabulary(), drafters, FixedPolicy(4, 0), costs)
    made.listen(steps.append)
    said = [submit(made, Request([*PROMPT, n], ENDLESS, 25)) for n in range(answers)]
    run(made)
    assert max(rows for step in steps if not step.prefilling for rows in step.passes) <= 7
    drafts = [o.draft for step in steps if len(step.outcomes) == answers for o in step.outcomes]
    assert max(map(len, drafts)) == guesses
    assert [s.answer for s in said] == [plain(target, s.request)[0] for s in said]


class Life(RuleBasedStateMachine):
    """Requests come, go and come again in any order; `World.step` says what must hold."""

    @initialize(world=worlds)
    def load(self, world: World) -> None:
        self.world = world

    @rule(request=requests)
    def ask(self, request: Request) -> None:
        if len(request.prompt) < self.world.target.length:
            self.world.submit(request)

    @precondition(lambda self: self.world.sequences)
    @rule(which=st.randoms(), request=requests)
    def take_another_turn(self, which: random.Random, request: Request) -> None:
        text = which.choice(self.world.sequences).tokens
        self.ask(replace(request, prompt=[*text, *request.prompt[-3:]]))

    @precondition(lambda self: self.world.sequences)
    @rule(which=st.randoms())
    def ask_again(self, which: random.Random) -> None:
        self.ask(which.choice(self.world.sequences).request)

    @precondition(lambda self: self.world.engine.busy)
    @rule(which=st.randoms())
    def cancel(self, which: random.Random) -> None:
        running = [s for s in self.world.sequences if not s.finish_reason]
        which.choice(running).cancelled = True

    @rule(times=st.integers(1, 5))
    def step(self, times: int) -> None:
        for _ in range(times):
            self.world.step()

    @precondition(lambda self: self.world.sequences and not self.world.engine.busy)
    @rule()
    def forget(self) -> None:
        self.world.forget()

    @precondition(lambda self: len(self.world.sequences) % 5 == 4)
    @rule()
    def fail_next(self) -> None:
        for model in (self.world.target, *self.world.drafts[:1]):
            model.fails_at = len(model.decodes) + 1

    def teardown(self) -> None:
        if hasattr(self, "world"):
            self.world.run()
            for s in self.world.sequences:
                assert s.finish_reason in ("stop", "length", "error") or s.cancelled
                assert (s.error is not None) == (s.finish_reason == "error")


TestLife = Life.TestCase
TestLife.settings = settings(max_examples=40, stateful_step_count=30)


@settings(max_examples=10)
@given(
    joining=st.lists(requests, min_size=1, max_size=6),
    sequences=st.integers(1, 3),
    gpu=st.booleans(),
    change=st.sampled_from([0, 1e-4, 1]),
)
def test_a_policy_that_follows_the_clock_changes_no_answer(
    joining: list[Request], sequences: int, gpu: bool, change: float
) -> None:
    costs = Costs(32)
    costs.change = change if gpu else 0
    policy = Governor(costs, asynchronous=gpu)
    world = World(sequences, "several", policy, length=64, gpu=gpu)
    for request in joining:
        world.submit(request)
        world.step()
    world.run()


@pytest.mark.parametrize("n", [1, 3, 16])
def test_right_guesses_of_a_fixed_length_make_that_many_tokens_free(n: int) -> None:
    world = World(drafters="perfect", policy=FixedPolicy(1, 0.99))
    s = world.submit(Request(PROMPT, ENDLESS, 1 + 5 * (n + 1), speculation=n))
    world.run()
    prefill, *rest = world.target.decodes
    assert [[len(run.tokens) for run in runs] for runs in (prefill, *rest)] == [[8]] + [[n + 1]] * 5
    assert s.statistics.steps == 5
    assert s.statistics.accepted_tokens == s.statistics.draft_tokens == 5 * n
    assert s.statistics.tokens_per_step == n + 1


def test_pieces_say_who_guessed_them() -> None:
    world = World(drafters="lying from the third")
    s = world.submit(Request(PROMPT, ENDLESS, 10, speculation=4))
    world.run()
    pieces = s.take_pieces()
    assert [piece.token for piece in pieces] == s.answer
    # The prefill gives one token; then two guesses hold, and the target corrects the third.
    assert [piece.drafter for piece in pieces] == [None, *["oracle", "oracle", None] * 3]
    assert s.statistics.drafted_per_position == [3, 3, 2, 2]
    assert s.statistics.accepted_per_position == [3, 3, 0, 0]
    assert s.take_pieces() == []


@settings(max_examples=30)
@given(requests=st.lists(requests, min_size=1, max_size=4), sequences=st.integers(1, 3))
def test_the_policy_hears_what_every_decode_cost_and_bought(
    requests: list[Request], sequences: int
) -> None:
    policy = WildPolicy()
    world = World(sequences, "several", policy, length=64)
    for request in requests:
        world.submit(request)
    world.run()
    assert [step.rows for step in policy.steps] == [
        sum(len(run.tokens) for run in runs) for runs in world.target.decodes
    ]
    for s in world.sequences:
        told = [o for step in policy.steps for o in step.outcomes if o.sequence is s]
        assert sum(len(o.draft) for o in told) == s.statistics.draft_tokens
        assert sum(o.held for o in told) == s.statistics.accepted_tokens
        assert s.statistics.completion_tokens - len(s.answer) in (0, 1)  # an end token counts


# Log-probabilities and echo --------------------------------------------------------------------


def log_softmax(row: Logits) -> Logits:
    shifted: Logits = row - row.max()
    normalised: Logits = shifted - np.log(np.exp(shifted).sum())
    return normalised


@settings(max_examples=20)
@given(request=requests, drafters=st.sampled_from(["nobody", "twin", "several"]))
def test_how_likely_a_token_was_does_not_depend_on_who_guessed_it(
    request: Request, drafters: str
) -> None:
    world = World(drafters=drafters, length=64)
    s = world.submit(replace(request, logprobs=3))
    world.run()
    pieces = [piece for piece in s.take_pieces() if piece.token is not None]
    assert [piece.token for piece in pieces] == s.answer
    for i, piece in enumerate(pieces, start=len(request.prompt)):
        expected = log_softmax(world.target.logits(s.tokens[:i]))
        assert piece.logprob is not None
        assert piece.logprob.logprob == pytest.approx(expected[piece.token], abs=1e-4)
        best = [value for _, value in piece.logprob.top]
        assert best == pytest.approx(sorted(expected, reverse=True)[:3], abs=1e-4)


@given(
    prompt=st.lists(st.integers(1, VOCABULARY - 1), min_size=1, max_size=40),
    said=st.integers(0, 5),
    logprobs=st.sampled_from([None, 0, 2]),
    prefill=st.integers(0, 20),
    outputs=st.integers(2, 12),
    others=st.integers(0, 1),
)
def test_a_prompt_read_aloud_comes_first_whatever_the_chunks(
    prompt: list[int], said: int, logprobs: int | None, prefill: int, outputs: int, others: int
) -> None:
    world = World(2, "perfect", outputs=outputs, prefill=prefill)
    for _ in range(others):
        world.submit(Request(PROMPT, ENDLESS, 30))
        world.step()
    request = Request(prompt, ENDLESS, said, echo=True, logprobs=logprobs)
    s = world.engine.prepare(request)
    world.engine.submit(s)
    while not s.finish_reason:
        world.engine.step()
    pieces = s.take_pieces()
    assert [piece.token for piece in pieces] == s.tokens
    assert len(s.answer) == said
    for i, piece in enumerate(pieces):
        if logprobs is None:
            assert piece.logprob is None
        elif i == 0:
            assert piece.logprob is not None
            assert piece.logprob.logprob is None
        else:
            expected = log_softmax(world.target.logits(s.tokens[:i]))
            assert piece.logprob is not None
            assert piece.logprob.logprob == pytest.approx(expected[s.tokens[i]], abs=1e-4)


# Limits ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "wrong",
    [
        {"prompt": []},
        {"prompt": [1] * 32},
        {"prompt": [1] * 33},
        {"max_tokens": 0},
        {"max_tokens": -1},
        {"speculation": -1},
        {"sampling": Sampling(logit_bias={VOCABULARY: 1})},
    ],
)
def test_what_makes_no_sense_is_refused_in_a_sentence(wrong: dict[str, Any]) -> None:
    world = World(length=32)
    with pytest.raises(UsageError, match=r"^[A-Zms][^\n]+\.$"):
        world.engine.prepare(replace(Request(PROMPT, ENDLESS), **wrong))
    assert not world.engine.busy


@pytest.mark.parametrize("speculation", [0, 5, 16])
@pytest.mark.parametrize("prompt", [1, 20, 30, 31])
@pytest.mark.parametrize("max_tokens", [None, 1000])
def test_an_answer_ends_exactly_when_the_context_is_full(
    speculation: int, prompt: int, max_tokens: int | None
) -> None:
    world = World(length=32, drafters="perfect")
    s = world.submit(Request([1] * prompt, ENDLESS, max_tokens, speculation=speculation))
    world.run()
    assert len(s.tokens) == world.engine.context_length == 32
    assert s.finish_reason == "length"
    assert s.tokens[:prompt] == [1] * prompt


@given(
    n=st.integers(1, 40),
    speculation=st.integers(0, 16),
    drafter=st.sampled_from(["perfect", "twin"]),
)
def test_max_tokens_is_exact(n: int, speculation: int, drafter: str) -> None:
    world = World(drafters=drafter)
    s = world.submit(Request(PROMPT, ENDLESS, n, speculation=speculation))
    world.run()
    assert (len(s.answer), s.finish_reason) == (n, "length")
    assert s.statistics.completion_tokens == n


def test_waiting_requests_are_served_in_turn() -> None:
    world = World(2)
    for n in (5, 20, 4, 4, 4):
        world.ask(PROMPT, n)
    ended: list[Sequence] = []
    while world.engine.busy:
        ended += [s for s in world.step() if s.finish_reason]
    first, long, *others = world.sequences
    assert ended == [first, *others, long]


def test_no_client_waits_for_all_that_another_one_asked() -> None:
    world = World(2)
    for _ in range(6):
        world.submit(Request(PROMPT, ENDLESS, 5, speculation=0, client="greedy"))
    world.step()
    modest = world.submit(Request([9, 9], ENDLESS, 5, speculation=0, client="modest"))
    world.finish(modest)
    ended = sum(bool(s.finish_reason) for s in world.sequences)
    assert ended <= 4, "it comes third or fourth, not seventh"
    world.run()
