"""Answers that end before their time: cancelled, or by a decode that fails."""

import math
import time
from collections.abc import Sequence as Many
from dataclasses import replace

import numpy as np
import pytest
from fake_world import World
from fakes import ENDLESS, PROMPT, FixedPolicy

from localspec.decoding.sequence import Request
from localspec.engine import engine
from localspec.errors import DecodeError
from localspec.governor.costs import Costs
from localspec.governor.governor import Governor
from localspec.governor.policy import Step
from localspec.llama.rows import Logits

# Cancellation ----------------------------------------------------------------------------------


def test_cancelling_takes_one_step_and_keeps_what_was_said() -> None:
    world = World(drafters="twin")
    s = world.submit(Request(PROMPT, ENDLESS))
    for _ in range(6):
        world.step()
    said = list(s.answer)
    assert said
    s.cancelled = True
    assert world.step() == [s]
    assert (s.answer, s.finish_reason, s.error) == (said, "cancelled", None)
    assert world.step() == []


def test_a_request_can_be_cancelled_while_it_waits() -> None:
    world = World()
    world.ask(PROMPT, 20)
    world.step()
    waiting, last = world.ask(PROMPT), world.ask(PROMPT)
    waiting.cancelled = True
    assert waiting in world.step()
    assert (waiting.answer, waiting.finish_reason) == ([], "cancelled")
    world.run()
    assert last.finish_reason == "length"


def test_what_was_read_of_a_cancelled_prompt_is_not_read_again() -> None:
    world = World(prefill=10, outputs=1)
    s = world.ask([1, 2] * 50)
    for _ in range(4):
        world.step()
    read = s.cached
    assert 0 < read < 100
    s.cancelled = True
    again = world.ask([1, 2] * 50)
    assert s in world.step()
    assert (s.answer, s.finish_reason) == ([], "cancelled")
    assert again.slot == s.slot, "the slot is free in the very step that cancels"
    assert again.statistics.cached_tokens == read
    world.run()


def test_a_pause_after_a_cancelled_answer_is_no_part_of_a_step(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Else the governor would take it for the time of a step."""
    policy = Watching()
    world = World(policy=policy)
    s = world.ask(PROMPT)
    for _ in range(4):
        world.step()
    s.cancelled = True
    world.step()
    night = time.perf_counter() + 30_000
    monkeypatch.setattr(engine.time, "perf_counter", lambda: night)
    world.ask(PROMPT, 4)
    world.run()
    assert max(policy.seconds) < 1000


class Watching(FixedPolicy):
    """Notes how long steps took."""

    def __init__(self) -> None:
        super().__init__()
        self.seconds: list[float] = []

    def observe(self, step: Step) -> None:
        self.seconds.append(step.seconds)


# Errors ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("at", [2, 5])
def test_after_a_failed_decode_the_governor_goes_on(at: int) -> None:
    policy = Governor(Costs(17), own_cells=True)
    world = World(3, "perfect", policy, own_cells=True)
    world.target.fails_at = at
    for n in (3, 4, 5):
        world.submit(Request([*PROMPT, n], ENDLESS, 25))
    world.run()
    later = world.submit(Request(PROMPT, ENDLESS, 25))
    world.run()
    assert later.finish_reason == "length"


@pytest.mark.parametrize("drafters", ["nobody", "perfect", "stranger"])
@pytest.mark.parametrize("at", range(1, 12))
def test_a_failed_decode_ends_its_own_answers_and_no_others(at: int, drafters: str) -> None:
    world = World(2, drafters, prefill=10, outputs=8)
    world.target.fails_at = at
    texts = ([1] * 25, PROMPT, [*PROMPT, 4], [1] * 26)
    for seed, text in enumerate(texts):
        world.submit(Request(text, replace(ENDLESS, seed=seed), 25, speculation=2))
    while len(world.target.decodes) < at:
        told = world.step()
    assert told
    for s in told:
        assert s.finish_reason == "error"
        assert isinstance(s.error, DecodeError)
        assert world.target.cache[s.slot] == [], "nobody vouches for a cache after a failure"
    world.run()
    for s in set(world.sequences) - set(told):
        assert (s.answer, s.finish_reason) == world.expected[s]
    again = [world.submit(Request(text, ENDLESS, 12)) for text in texts]
    world.run()
    assert [(s.answer, s.finish_reason) for s in again] == [world.expected[s] for s in again]


@pytest.mark.parametrize("drafters", ["nobody", "twin"])
def test_logits_that_are_no_numbers_end_their_own_answer_and_no_others(
    drafters: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World(3, drafters, Governor(Costs(17), own_cells=True), own_cells=True)
    before, odd, after = (world.submit(Request([*PROMPT, n], ENDLESS, 25)) for n in (3, 4, 5))
    logits, prompt = world.target.logits, list(odd.tokens)

    def odd_from_the_sixth_on(text: Many[int], bulk: int) -> Logits:
        is_odd = text[: len(prompt)] == prompt and len(text) >= len(prompt) + 5
        return logits(text, bulk) * np.float32(math.nan if is_odd else 1)

    monkeypatch.setattr(world.target, "logits", odd_from_the_sixth_on)
    world.run()
    assert (len(odd.answer), odd.finish_reason) == (5, "error")
    assert isinstance(odd.error, DecodeError)
    for s in (before, after, world.finish(world.ask(PROMPT))):
        assert (s.answer, s.finish_reason) == world.expected[s]


@pytest.mark.parametrize("at", range(1, 8))
def test_a_failed_draft_ends_no_answer(at: int) -> None:
    world = World(2, "twin")
    world.drafts[0].fails_at = at
    penalised = replace(ENDLESS, repeat_penalty=1.3, frequency_penalty=0.5)
    for _ in range(4):
        world.submit(Request(PROMPT, penalised, 12, speculation=2))
    world.run()
    assert len(world.drafts[0].decodes) >= at
    for s in world.sequences:
        assert (s.answer, s.finish_reason) == world.expected[s]


def test_a_slot_that_cannot_be_prepared_fails_one_request_and_no_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = World(2)
    world.finish(world.ask(PROMPT))
    going_on = world.ask([9, 9, 9], 20)
    world.step()

    truncate = world.target.truncate

    def fail(slot: int, length: int) -> None:
        if length:
            raise DecodeError("the fake cache was told to fail.")
        truncate(slot, 0)

    monkeypatch.setattr(world.target, "truncate", fail)
    unlucky = world.ask(PROMPT[:4])  # which keeps three tokens of what PROMPT left
    assert unlucky in world.step()
    assert isinstance(unlucky.error, DecodeError)
    monkeypatch.undo()
    again = world.ask(PROMPT[:4])
    world.run()
    assert going_on.finish_reason == again.finish_reason == "length"
