"""Looking for guesses takes time, and so is done less often in texts that have none."""

import itertools

from fakes import FakeVocabulary

from localspec.decoding.sampling import Sampling
from localspec.decoding.sequence import Request, Sequence
from localspec.drafters.lookup import LookupDrafter
from localspec.governor.attention import Attention
from localspec.governor.costs import Costs
from localspec.governor.governor import Governor
from localspec.governor.policy import Wish

STEP = 1.0


def looks(attention: Attention, steps: int, found: bool = False) -> int:
    """How many of so many steps were looked at, with guesses `found` or not."""
    number = 0
    for _ in range(steps):
        if attention.due():
            number += 1
            attention.found(found, STEP)
    return number


def slow(seconds: float) -> Attention:
    attention = Attention()
    for _ in range(200):
        attention.took(seconds)
    return attention


def test_beside_a_large_model_every_step_is_looked_at() -> None:
    assert looks(slow(0.001), 100) == 100


def test_beside_a_small_one_looking_takes_half_a_percent_where_there_is_nothing() -> None:
    attention = slow(0.03)
    looks(attention, 10)
    assert 0.003 <= looks(attention, 600) * 0.03 / 600 <= 0.006


def test_every_step_is_looked_at_where_guesses_are_found() -> None:
    attention = slow(0.03)
    assert looks(attention, 100, found=True) == 100


def test_the_first_find_brings_attention_back() -> None:
    attention = slow(0.03)
    looks(attention, 50)
    while not attention.due():
        pass
    attention.found(True, STEP)
    assert looks(attention, 2) == 2


def test_a_long_prompt_is_read_to_its_end_before_attention_wanes() -> None:
    prompt = [i * 7919 % 10_007 for i in range(8192)]  # says nothing twice
    speaking = Sequence(Request(prompt, Sampling()), FakeVocabulary(), 1 << 16)
    lookup, clock = LookupDrafter(), itertools.count(step=0.001)  # whatever is done takes long
    costs = Costs(16)
    costs.load([dict.fromkeys(range(1, 17), 0.003)])
    governor, looked = Governor(costs, clock=lambda: next(clock)), 0
    while lookup.backlog(speaking):
        assert governor.looks([speaking])
        governor.draft([Wish(speaking, 8)], [lookup])
        lookup.observe(speaking)
        looked += 1
    assert looked == len(prompt) / 1024, "as fast as it may read"
