"""Drafts: chains that grow and are cut, trees in which a guess is found by parent and token."""

from dataclasses import asdict

from hypothesis import given
from hypothesis import strategies as st

from localspec.decoding.draft import ROOT, Draft

tokens = st.lists(st.integers(0, 3), max_size=12)


def chain(tokens: list[int]) -> Draft:
    draft = Draft("test")
    for i, token in enumerate(tokens):
        draft.append(token, 1 / (i + 1), (token, i))
    return draft


@st.composite
def trees(draw: st.DrawFn) -> Draft:
    said = draw(tokens)
    parents = [draw(st.integers(ROOT, i - 1)) for i in range(len(said))]
    confidences = [1 / (i + 1) for i in range(len(said))]
    return Draft("test", said, parents, confidences, [(token,) for token in said])


@given(tokens)
def test_appending_makes_a_chain(said: list[int]) -> None:
    draft = chain(said)
    assert len(draft) == len(said)
    assert draft.tokens == said
    assert draft.parents == [ROOT, *range(len(said))][: len(said)]
    assert draft.confidences == [1 / (i + 1) for i in range(len(said))]
    assert draft.at_sharpness == [(token, i) for i, token in enumerate(said)]


@given(tokens)
def test_a_chain_is_walked_by_its_tokens(said: list[int]) -> None:
    draft, node = chain(said), ROOT
    for place, token in enumerate(said):
        assert draft.child(node, 99) is None
        assert draft.child(node, token) == place
        node = place
    assert all(draft.child(node, token) is None for token in range(4))


@given(trees(), st.integers(ROOT, 12), st.integers(0, 3))
def test_a_child_has_that_parent_and_that_token(draft: Draft, parent: int, token: int) -> None:
    places = [
        i for i in range(len(draft)) if (draft.parents[i], draft.tokens[i]) == (parent, token)
    ]
    assert draft.child(parent, token) == (places[0] if places else None)


@given(trees(), st.integers(0, 15))
def test_the_first_guesses_are_a_draft_of_their_own(draft: Draft, length: int) -> None:
    before = asdict(draft)
    first = draft.first(length)
    assert first.drafter == draft.drafter
    for name, of_each_guess in before.items():
        assert name == "drafter" or getattr(first, name) == of_each_guess[:length]
    assert all(ROOT <= parent < i for i, parent in enumerate(first.parents))
    first.append(1, 0.5)
    assert asdict(draft) == before


def test_drafts_do_not_share_their_lists() -> None:
    first, second = Draft("one"), Draft("two")
    first.append(1, 0.5)
    assert len(second) == 0
    assert second.child(ROOT, 1) is None
