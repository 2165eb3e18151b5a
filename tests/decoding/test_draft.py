"""Drafts: chains that grow and are cut."""

from dataclasses import asdict

from hypothesis import given
from hypothesis import strategies as st

from localspec.decoding.draft import Draft

tokens = st.lists(st.integers(0, 3), max_size=12)


def chain(tokens: list[int]) -> Draft:
    draft = Draft("test")
    for i, token in enumerate(tokens):
        draft.append(token, 1 / (i + 1), (token, i))
    return draft


@given(tokens)
def test_appending_makes_a_chain(said: list[int]) -> None:
    draft = chain(said)
    assert len(draft) == len(said)
    assert draft.tokens == said
    assert draft.confidences == [1 / (i + 1) for i in range(len(said))]
    assert draft.at_sharpness == [(token, i) for i, token in enumerate(said)]


@given(tokens, st.integers(0, 15))
def test_the_first_guesses_are_a_draft_of_their_own(said: list[int], length: int) -> None:
    draft = chain(said)
    before = asdict(draft)
    first = draft.first(length)
    assert first.drafter == draft.drafter
    for name, of_each_guess in before.items():
        assert name == "drafter" or getattr(first, name) == of_each_guess[:length]
    first.append(1, 0.5)
    assert asdict(draft) == before


def test_drafts_do_not_share_their_lists() -> None:
    first, second = Draft("one"), Draft("two")
    first.append(1, 0.5)
    assert len(second) == 0
