"""A request on its way: what it says, how much it may still say, why it ends, what it counts."""

from typing import Any

import numpy as np
import pytest
from fakes import END, VOCABULARY, FakeVocabulary, text
from hypothesis import given
from hypothesis import strategies as st

from localspec.decoding.draft import Draft
from localspec.decoding.sampling import Sampling
from localspec.decoding.sequence import Piece, Request, Sequence
from localspec.errors import DecodeError, UsageError
from localspec.llama.rows import Logits

NOBODY = Draft()


class Emoji(FakeVocabulary):
    """Tokens 1 to 4 are the bytes of one character."""

    def piece(self, token: int) -> bytes:
        return "🙂".encode()[token - 1 : token] if token < 5 else super().piece(token)


def sequence(
    prompt: tuple[int, ...] = (1, 2, 3), context: int = 50, now: float = 0.0, **request: Any
) -> Sequence:
    request = {"sampling": Sampling(temperature=0)} | request
    return Sequence(Request(prompt, **request), FakeVocabulary(), context, now)


def chain(name: str, length: int) -> Draft:
    draft = Draft(name)
    for token in range(length):
        draft.append(token, 0.5)
    return draft


def row_wanting(*tokens: int) -> Logits:
    """The first of them most."""
    row = np.zeros(VOCABULARY, dtype=np.float32)
    row[list(tokens)] = range(9, 9 - len(tokens), -1)
    return row


def say(s: Sequence, *tokens: int, drafter: str | None = None) -> None:
    for token in tokens:
        s.commit(token, drafter)


class TestTokens:
    def test_it_begins_with_its_prompt_and_nothing_said(self) -> None:
        s = sequence()
        assert (s.tokens, s.answer, len(s), s.backlog) == ([1, 2, 3], [], 3, 3)
        assert (s.finish_reason, s.error, s.take_pieces()) == (None, None, [])

    def test_the_requests_prompt_stays_as_it_is(self) -> None:
        prompt = [1, 2]
        s = Sequence(Request(prompt, Sampling()), FakeVocabulary(), 50)
        say(s, 5)
        assert (prompt, s.tokens) == ([1, 2], [1, 2, 5])

    def test_what_is_said_is_appended(self) -> None:
        s = sequence()
        say(s, 4, 5)
        assert (s.tokens, s.answer, len(s)) == ([1, 2, 3, 4, 5], [4, 5], 5)

    def test_the_backlog_is_what_the_target_has_not_seen(self) -> None:
        s = sequence()
        s.begin(2, now=1.0)
        assert (s.cached, s.backlog) == (2, 1)
        say(s, 4)
        assert s.backlog == 2
        s.cached = 3
        assert s.backlog == 1

    def test_pieces_are_handed_out_once(self) -> None:
        s = sequence()
        say(s, 4)
        say(s, 5, drafter="somebody")
        assert s.take_pieces() == [Piece("e", 4), Piece("f", 5, "somebody")]
        assert s.take_pieces() == []
        say(s, 6)
        assert s.take_pieces() == [Piece("g", 6)]

    def test_a_character_of_many_tokens_comes_with_the_last(self) -> None:
        s = Sequence(Request([9], Sampling()), Emoji(), 50)
        say(s, 5, 1, 2, 3, 4, 6)
        assert [piece.text for piece in s.take_pieces()] == ["f", "", "", "", "🙂", "g"]

    def test_penalties_know_the_prompt_and_what_was_said(self) -> None:
        sampling = Sampling(temperature=0, repeat_penalty=10.0, presence_penalty=50.0)
        s = sequence(sampling=sampling)
        row = row_wanting(3, 4, 5)
        assert s.sampler.pick(row, 3) == 4
        say(s, 4)
        assert s.sampler.pick(row, 4) == 5

    def test_a_bias_on_a_token_that_does_not_exist_is_refused(self) -> None:
        with pytest.raises(UsageError, match=f"token {VOCABULARY}"):
            sequence(sampling=Sampling(logit_bias={VOCABULARY: 1.0}))


class TestEnds:
    def test_a_token_that_ends_is_not_said(self) -> None:
        s = sequence()
        assert s.ends_with(END)
        assert not s.ends_with(4)
        say(s, 4, END)
        assert (s.finish_reason, s.answer) == ("stop", [4])
        assert s.take_pieces() == [Piece("e", 4)]

    @given(st.integers(1, 20), st.one_of(st.none(), st.integers(1, 40)))
    def test_room_runs_out_at_the_limit_or_where_the_context_ends(
        self, space: int, most: int | None
    ) -> None:
        s = sequence(context=3 + space, max_tokens=most)
        limit = space if most is None else min(space, most)
        for left in range(limit, 0, -1):
            assert s.room == left
            assert s.finish_reason is None
            say(s, 4)
        assert (s.room, s.finish_reason) == (0, "length")
        assert len(s.answer) == limit

    def test_a_stop_string_counts_more_than_the_limit(self) -> None:
        s = sequence(max_tokens=2, stops=["ef"])
        say(s, 4, 5)
        assert (s.finish_reason, text(s.take_pieces())) == ("stop", "")

    def test_a_stop_string_within_a_token_cuts_its_text(self) -> None:
        class Words(FakeVocabulary):
            def piece(self, token: int) -> bytes:
                return b"one END two"

        s = Sequence(Request([1], Sampling(), stops=["END"]), Words(), 50)
        say(s, 4)
        assert s.finish_reason == "stop"
        assert s.take_pieces() == [Piece("one ", 4)]
        assert s.answer == [4]

    @pytest.mark.parametrize("reason", ["cancelled", "error", "length", "stop"])
    def test_text_kept_back_is_let_go_at_any_end(self, reason: Any) -> None:
        s = sequence(stops=["efg"])
        say(s, 3, 4, 5)
        error = DecodeError("The lamp went out.") if reason == "error" else None
        s.finish(reason, error)
        assert (s.finish_reason, s.error) == (reason, error)
        assert s.take_pieces() == [
            Piece("d", 3),
            Piece("", 4),
            Piece("", 5),
            Piece("ef", None),
        ]

    def test_the_limit_lets_go_too(self) -> None:
        s = sequence(max_tokens=2, stops=["efg"])
        say(s, 4, 5)
        assert s.finish_reason == "length"
        assert text(s.take_pieces()) == "ef"

    def test_half_a_character_at_the_end_is_a_replacement_mark(self) -> None:
        s = Sequence(Request([9], Sampling(), max_tokens=2), Emoji(), 50)
        say(s, 1, 2)
        assert [(p.text, p.token) for p in s.take_pieces()] == [("", 1), ("", 2), ("�", None)]

    @given(
        st.lists(st.integers(1, 5), max_size=20),
        st.lists(st.text(alphabet="bcdef", min_size=1, max_size=3), max_size=2),
    )
    def test_nothing_is_lost_or_said_twice(self, tokens: list[int], stops: list[str]) -> None:
        s = sequence(stops=stops)
        spoken = ""
        for token in [*tokens, END]:
            if not s.finish_reason:
                say(s, token)
                spoken += "" if token == END else chr(ord("a") + token)
        found = [spoken.find(stop) for stop in stops if stop in spoken]
        assert text(s.take_pieces()) == (spoken[: min(found)] if found else spoken)
        assert s.finish_reason == "stop"


class TestConstraint:
    def test_each_sequence_begins_its_own_match(self) -> None:
        class Match:
            def __init__(self) -> None:
                self.said: list[int] = []
                matches.append(self)

            def push(self, token: int) -> None:
                self.said.append(token)

            def pop(self) -> None:
                self.said.pop()

            def allowed(self) -> Any:
                return np.arange(VOCABULARY) == len(self.said) + 7

        matches: list[Match] = []
        first, second = sequence(constraint=Match), sequence(constraint=Match)
        say(first, 7, 8)
        say(second, 7, END)
        assert [match.said for match in matches] == [[7, 8], [7]]
        assert first.sampler.pick(row_wanting(3), 5) == 9
        assert second.sampler.pick(row_wanting(3), 4) == 8


class TestStatistics:
    def test_the_first_decode_tells_the_time_of_the_prompt(self) -> None:
        s = sequence(now=10.0)
        s.begin(1, now=12.0)
        say(s, 4)
        s.record(NOBODY, 0, now=15.0)
        counted = s.statistics
        assert (counted.prompt_tokens, counted.cached_tokens) == (3, 1)
        assert (counted.prompt_seconds, counted.first_token_seconds) == (3.0, 5.0)
        assert (counted.completion_tokens, counted.predicted_tokens, counted.steps) == (1, 0, 0)
        assert (counted.predicted_seconds, counted.tokens_per_second) == (0.0, 0.0)

    def test_later_decodes_tell_the_speed(self) -> None:
        s = sequence()
        s.begin(0, now=0.0)
        say(s, 4)
        s.record(NOBODY, 0, now=1.0)
        say(s, 5, 6, 7)
        s.record(chain("oracle", 4), 2, now=1.5)
        say(s, 8)
        s.record(chain("oracle", 2), 0, now=2.0)
        counted = s.statistics
        assert (counted.completion_tokens, counted.predicted_tokens, counted.steps) == (5, 4, 2)
        assert (counted.predicted_seconds, counted.prompt_seconds) == (1.0, 1.0)
        assert (counted.tokens_per_second, counted.tokens_per_step) == (4.0, 2.0)
        assert (counted.draft_tokens, counted.accepted_tokens) == (6, 2)
        assert counted.draft_length == 3.0

    def test_a_guess_in_the_first_decode_does_not_lengthen_the_mean(self) -> None:
        """With a cached prompt the first decode has a draft too; each guess here has 4 tokens."""
        s = sequence()
        s.begin(2, now=0.0)
        say(s, 4, 5)
        s.record(chain("oracle", 4), 1, now=1.0)
        assert s.statistics.draft_length in (0.0, 4.0)
        say(s, 6, 7)
        s.record(chain("oracle", 4), 1, now=2.0)
        assert s.statistics.draft_length == 4.0

    def test_a_token_that_ends_counts_though_it_says_nothing(self) -> None:
        s = sequence()
        say(s, 4)
        s.record(NOBODY, 0, now=1.0)
        say(s, 5, END)
        s.record(chain("oracle", 2), 2, now=2.0)
        counted = s.statistics
        assert (counted.completion_tokens, counted.predicted_tokens) == (3, 2)
        assert (counted.accepted_tokens, len(s.answer)) == (2, 2)
