"""How the engine reads prompts: in chunks, beside answers, at the pace that is set."""

import pytest
from fake_world import World, rows, samplings
from fakes import PROMPT, VOCABULARY
from hypothesis import given
from hypothesis import strategies as st

from localspec.decoding.sampling import Sampling
from localspec.decoding.sequence import Request
from localspec.engine.pacing import Pacing


@given(
    prompt=st.lists(st.integers(0, VOCABULARY - 1), min_size=1, max_size=150),
    prefill=st.integers(1, 60),
    outputs=st.integers(1, 8),
    sampling=samplings,
)
def test_the_first_token_is_right_in_whatever_chunks_a_prompt_is_read(
    prompt: list[int], prefill: int, outputs: int, sampling: Sampling
) -> None:
    world = World(prefill=prefill, outputs=outputs)  # which asserts the size of each batch
    s = world.submit(Request(prompt, sampling, 1))
    world.run()
    assert s.answer == world.expected[s][0]
    assert rows(world.target) == len(prompt)
    *middle, (last,) = world.target.decodes
    assert all(run.outputs == 0 for runs in middle for run in runs)
    assert last.outputs == 1


def test_answers_go_on_while_a_long_prompt_is_read() -> None:
    world = World(2, length=2000, outputs=8, prefill=1000)
    first = world.ask(PROMPT, None)
    world.step()
    second = world.ask([2, 3] * 700)
    steps = 0
    while not second.answer:
        said = len(first)
        world.step()
        assert len(first) == said + 1
        by_slot = {run.slot: len(run.tokens) for run in world.target.decodes[-1]}
        assert by_slot[second.slot] <= 128, "those who wait for a token wait for a bounded chunk"
        steps += 1
    assert steps > 5
    first.cancelled = True
    world.run()


def test_short_prompts_do_not_wait_for_long_ones() -> None:
    world = World(2, length=2000, outputs=8, prefill=100)
    long, short = world.ask([2, 3] * 700), world.ask([4] * 30)
    world.finish(short)
    assert not long.answer
    world.run()


def test_prompts_are_read_at_the_pace_that_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(2, length=2000, outputs=8, prefill=1000)
    world.ask(PROMPT, None)
    world.step()
    paces = iter([0, 5, 0, 40])
    monkeypatch.setattr(Pacing, "tokens", lambda *_, **beside: next(paces))
    world.ask([2, 3] * 150, 1)
    for _ in range(4):
        world.step()
    read = [[len(run.tokens) for run in runs] for runs in world.target.decodes[1:]]
    assert read == [[1], [1, 5], [1], [1, 40]]
    monkeypatch.undo()
    for s in world.sequences:
        s.cancelled = True
    world.run()


def test_prompts_are_read_also_where_every_row_of_a_batch_may_give_logits() -> None:
    world = World(outputs=16, prefill=0)
    world.ask(PROMPT)
    world.run()
