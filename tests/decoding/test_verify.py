"""The target's judgement: along the guesses as far as they are its own picks, then one of its own.

The heart of it is at the end: whatever is guessed, the answer is that of plain decoding.
"""

from collections.abc import Sequence as Many
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from fakes import END, VOCABULARY, Alternating, FakeModel, FakeVocabulary, plain, text
from hypothesis import given, settings
from hypothesis import strategies as st

from localspec.decoding.draft import Draft
from localspec.decoding.sampling import Sampling
from localspec.decoding.sequence import FinishReason, Piece, Request, Sequence
from localspec.decoding.verify import verify
from localspec.llama.rows import Logits

GREEDY = Sampling(temperature=0)


def sequence(prompt: Many[int] = (1, 2), **request: Any) -> Sequence:
    request = {"sampling": GREEDY} | request
    s = Sequence(Request(list(prompt), **request), FakeVocabulary(), 100)
    s.begin(cached=len(prompt), now=0.0)
    return s


def chain(*tokens: int) -> Draft:
    draft = Draft("test")
    for token in tokens:
        draft.append(token, 0.5)
    return draft


def preferring(*tokens: int) -> Logits:
    """Rows of which each wants one token."""
    rows = np.zeros((len(tokens), VOCABULARY), dtype=np.float32)
    rows[range(len(tokens)), tokens] = 5
    return rows


def spoken(sequence: Sequence) -> list[tuple[int | None, str | None]]:
    return [(piece.token, piece.drafter) for piece in sequence.take_pieces()]


class TestChains:
    def test_without_a_guess_the_target_says_one_token(self) -> None:
        s = sequence()
        assert verify(s, Draft(), preferring(7)) == 0
        assert s.answer == [7]
        assert spoken(s) == [(7, None)]

    def test_a_chain_that_holds_gives_one_token_more_than_it_has(self) -> None:
        s = sequence()
        assert verify(s, chain(3, 4, 5), preferring(3, 4, 5, 6)) == 3
        assert s.answer == [3, 4, 5, 6]
        assert spoken(s) == [(3, "test"), (4, "test"), (5, "test"), (6, None)]

    @pytest.mark.parametrize("held", range(4))
    def test_the_first_wrong_guess_is_replaced_and_ends_the_step(self, held: int) -> None:
        s = sequence()
        wanted = [3, 4, 5, 6]
        guessed = [token if i < held else 20 for i, token in enumerate(wanted)]
        # The rows after the wrong guess agree with the chain again: that must not count.
        rows = preferring(*wanted[: held + 1], *guessed[held + 1 :], 9)
        assert verify(s, chain(*guessed), rows) == held
        assert s.answer == wanted[: held + 1]
        assert spoken(s) == [(t, "test") for t in wanted[:held]] + [(wanted[held], None)]

    def test_a_right_guess_at_the_wrong_place_is_no_use(self) -> None:
        s = sequence()
        assert verify(s, chain(4, 3), preferring(3, 4, 9)) == 0
        assert s.answer == [3]

    def test_the_same_token_may_be_right_twice(self) -> None:
        s = sequence()
        assert verify(s, chain(3, 3, 3), preferring(3, 3, 4, 3)) == 2
        assert s.answer == [3, 3, 4]


class TestEnds:
    @pytest.mark.parametrize("place", range(4))
    def test_an_end_within_the_chain_ends_the_answer_there(self, place: int) -> None:
        wanted = [3, 4, 5, 6]
        wanted[place] = END
        s = sequence()
        assert verify(s, chain(*wanted), preferring(*wanted, 9)) == place + 1
        assert s.finish_reason == "stop"
        assert s.answer == wanted[:place]
        assert spoken(s) == [(token, "test") for token in wanted[:place]]

    def test_an_end_that_nobody_guessed(self) -> None:
        s = sequence()
        assert verify(s, chain(3, 4), preferring(3, END, 9)) == 1
        assert (s.answer, s.finish_reason) == ([3], "stop")

    def test_a_wrongly_guessed_end_ends_nothing(self) -> None:
        s = sequence()
        assert verify(s, chain(END, 4), preferring(3, 4, 9)) == 0
        assert (s.answer, s.finish_reason) == ([3], None)

    @pytest.mark.parametrize("most", range(1, 6))
    def test_the_limit_ends_the_answer_within_right_guesses(self, most: int) -> None:
        s = sequence(max_tokens=most)
        held = verify(s, chain(3, 4, 5), preferring(3, 4, 5, 6))
        assert held == min(most, 3)
        assert s.answer == [3, 4, 5, 6][:most]
        assert s.finish_reason == ("length" if most <= 4 else None)

    def test_a_stop_string_over_several_guesses_ends_the_answer_with_its_last(self) -> None:
        """Tokens d, e, f spell the stop string; b was said before, g was guessed after."""
        s = sequence(stops=["def"])
        held = verify(s, chain(1, 3, 4, 5, 6), preferring(1, 3, 4, 5, 6, 7))
        assert held == 4
        assert s.answer == [1, 3, 4, 5]
        assert s.finish_reason == "stop"
        assert text(s.take_pieces()) == "b"

    def test_a_stop_string_over_several_steps(self) -> None:
        s = sequence(stops=["def"])
        assert verify(s, chain(1, 3), preferring(1, 3, 4)) == 2
        assert text(s.take_pieces()) == "b"
        assert verify(s, chain(5, 6), preferring(5, 6, 7)) == 1
        assert s.finish_reason == "stop"
        assert text(s.take_pieces()) == ""

    def test_a_stop_string_that_stays_incomplete_is_said_at_the_end(self) -> None:
        s = sequence(stops=["def"])
        verify(s, chain(1, 3, 4), preferring(1, 3, 4, END))
        assert s.finish_reason == "stop"
        assert s.take_pieces() == [
            Piece("b", 1, "test"),
            Piece("", 3, "test"),
            Piece("", 4, "test"),
            Piece("de", None),
        ]


class TestSampler:
    def test_penalties_see_each_guess_that_held_and_no_other(self) -> None:
        """All rows want 3, then 4, then 5; what was said is not said again."""
        rows = np.zeros((4, VOCABULARY), dtype=np.float32)
        rows[:, [3, 4, 5, 6]] = 9, 8, 7, 6
        strict = Sampling(temperature=0, presence_penalty=20.0)
        s = sequence(sampling=strict)
        assert verify(s, chain(3, 4, 6), rows) == 2
        assert s.answer == [3, 4, 5]
        assert verify(s, Draft(), rows[:1]) == 0
        assert s.answer == [3, 4, 5, 6]

    def test_noise_is_that_of_the_place_in_the_text(self) -> None:
        """Flat rows: the pick is the noise's alone, and it knows where prompt and answer are."""
        sampling = Sampling(temperature=1, top_p=1, logit_bias={END: -100.0})
        rows = np.zeros((1, VOCABULARY), dtype=np.float32)
        long, late = sequence([1], sampling=sampling), sequence([1] * 6, sampling=sampling)
        for _ in range(10):
            verify(long, Draft(), rows)
        for _ in range(5):
            verify(late, Draft(), rows)
        assert long.answer[5:] == late.answer
        assert len(set(long.answer)) > 4

    def test_a_constraint_binds_guesses_and_picks(self) -> None:
        class Ascending:
            def __init__(self) -> None:
                self.said = [1]

            def push(self, token: int) -> None:
                self.said.append(token)

            def pop(self) -> None:
                self.said.pop()

            def allowed(self) -> npt.NDArray[np.bool_]:
                return np.arange(VOCABULARY) > self.said[-1]

        s = sequence(constraint=Ascending)
        assert verify(s, chain(3, 2), preferring(3, 2, 9)) == 1
        assert s.answer == [3, 4]
        assert sequence(constraint=Ascending).sampler.pick(preferring(2)[0], 2) == 2


def rows_of(model: FakeModel, tokens: list[int], draft: Draft) -> Logits:
    """What a decode gives: a row after the last token, and one after each guess."""
    said = [[*tokens, *draft.tokens[:n]] for n in range(len(draft) + 1)]
    return np.array([model.logits(text) for text in said])


@st.composite
def guesses(draw: st.DrawFn, future: list[int]) -> Draft:
    """Guesses that follow the future in part; they may be wrong, or go past the end."""
    draft = Draft("test")
    for i in range(draw(st.integers(0, 6))):
        right = future[i] if i < len(future) else END
        draft.append(draw(st.sampled_from([right, right, right, 1, 2, END])), 0.5)
    return draft


requests = st.builds(
    Request,
    prompt=st.lists(st.integers(1, VOCABULARY - 1), min_size=1, max_size=5),
    sampling=st.builds(
        Sampling,
        temperature=st.sampled_from([0.0, 0.7, 1.5]),
        top_k=st.sampled_from([0, 5]),
        top_p=st.sampled_from([1.0, 0.9]),
        repeat_penalty=st.sampled_from([1.0, 1.4]),
        frequency_penalty=st.sampled_from([0.0, 0.6]),
        logit_bias=st.sampled_from([{}, {END: 2.0}]),
        seed=st.integers(0, 50),
    ),
    max_tokens=st.one_of(st.none(), st.integers(1, 25)),
    stops=st.lists(st.text(alphabet="abcdefgh", min_size=1, max_size=2), max_size=2),
    constraint=st.sampled_from([None, Alternating]),
)


class TestExactness:
    @settings(max_examples=100)
    @given(st.data(), requests, st.integers(0, 5))
    def test_the_answer_is_that_of_plain_decoding_whatever_is_guessed(
        self, data: st.DataObject, request: Request, seed: int
    ) -> None:
        model = FakeModel(seed, length=60)
        expected, reason = plain(model, request)
        s = Sequence(request, FakeVocabulary(), model.length)
        pieces: list[Piece] = []
        while not s.finish_reason:
            before = len(s.answer)
            draft = data.draw(guesses(expected[before:]))
            held = verify(s, draft, rows_of(model, s.tokens, draft))
            new = s.take_pieces()
            pieces += new
            assert_told(draft, held, [p for p in new if p.token is not None], s.finish_reason)
        assert (s.answer, s.finish_reason) == (expected, reason)
        assert [p.token for p in pieces if p.token is not None] == expected
        letters = "".join(chr(ord("a") + token) for token in expected)
        found = [letters.find(stop) for stop in request.stops if stop in letters]
        assert text(pieces) == (letters[: min(found)] if found else letters)


def assert_told(draft: Draft, held: int, pieces: list[Piece], reason: FinishReason | None) -> None:
    """The guesses that held were said first, and then one token of the target's."""
    right = [token for token in draft.tokens[:held] if token != END]
    assert [(p.token, p.drafter) for p in pieces[: len(right)]] == [(t, "test") for t in right]
    own = pieces[len(right) :]
    assert [p.drafter for p in own] in ([], [None])
    assert own or reason
