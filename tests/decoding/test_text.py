"""Bytes in any portions become text; nothing of a stop string is shown and nothing else is lost."""

import itertools

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from localspec.decoding.text import TextStream

letters = st.sampled_from(["aé", "abé🙂"])
crowded = letters.flatmap(lambda alphabet: st.text(alphabet, max_size=30))
"""Few letters, so that stop strings do occur, overlap and almost occur."""
texts = st.one_of(crowded, st.text(max_size=30))
stop_strings = letters.flatmap(
    lambda alphabet: st.lists(st.text(alphabet, min_size=1, max_size=5), max_size=3)
)
cuts = st.lists(st.integers(0, 130), max_size=12)


def portions(data: bytes, cuts: list[int]) -> list[bytes]:
    """The bytes, cut at some places; cutting twice at one place makes an empty portion."""
    ends = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    return [data[start:end] for start, end in itertools.pairwise(ends)]


def shown(data: list[bytes], stops: list[str]) -> tuple[list[str], str, bool]:
    """What each portion shows, what the end shows, and whether a stop string was met."""
    stream = TextStream(stops)
    pieces = [stream.feed(portion) for portion in data]
    return pieces, stream.flush(), stream.stopped


def until_stop(text: str, stops: list[str]) -> str:
    return text[: min((text.index(stop) for stop in stops if stop in text), default=len(text))]


def nested(stops: list[str]) -> bool:
    """Whether one lies within another. If not, the first to begin is the first to be complete."""
    return any(one in other for one, other in itertools.permutations(set(stops), 2))


class TestWithoutStops:
    @given(texts, cuts)
    def test_everything_comes_out_in_order(self, text: str, cuts: list[int]) -> None:
        pieces, rest, stopped = shown(portions(text.encode(), cuts), [])
        assert "".join(pieces) == text
        assert rest == ""
        assert not stopped

    @given(texts)
    def test_a_character_comes_with_its_last_byte(self, text: str) -> None:
        stream = TextStream()
        for character in text:
            *first, last = [stream.feed(bytes([byte])) for byte in character.encode()]
            assert "".join(first) == ""
            assert last == character

    @given(st.binary(max_size=60), cuts)
    def test_bytes_that_are_no_text_become_replacement_marks(
        self, data: bytes, cuts: list[int]
    ) -> None:
        pieces, rest, _ = shown(portions(data, cuts), [])
        assert "".join(pieces) + rest == data.decode("utf-8", "replace")

    def test_half_a_character_is_shown_as_a_mark_at_the_end_and_not_before(self) -> None:
        assert shown([b"a\xf0\x9f", b"\x99"], []) == (["a", ""], "�", False)


class TestStops:
    @settings(max_examples=400)
    @given(texts, stop_strings, cuts)
    @example("xaab", ["aab"], [3])
    @example("ababac", ["abac"], [4])
    def test_the_text_ends_before_the_first_stop_string(
        self, text: str, stops: list[str], cuts: list[int]
    ) -> None:
        """However its bytes are portioned. (Of stop strings in stop strings, see below.)"""
        assume(not nested(stops))
        pieces, rest, stopped = shown(portions(text.encode(), cuts), stops)
        assert "".join(pieces) + rest == until_stop(text, stops)
        assert stopped == any(stop in text for stop in stops)

    @settings(max_examples=400)
    @given(texts, stop_strings, cuts)
    @example("abc", ["b", "abc"], [2])
    @example("abc", ["bc", "c", "abc"], [1, 2])
    def test_portions_do_not_decide_where_the_text_ends(
        self, text: str, stops: list[str], cuts: list[int]
    ) -> None:
        """Nor where one stop string lies within another, and it is a question which is first."""
        pieces, rest, stopped = shown(portions(text.encode(), cuts), stops)
        whole, whole_rest, whole_stopped = shown([text.encode()], stops)
        assert "".join(pieces) + rest == "".join(whole) + whole_rest
        assert stopped == whole_stopped

    @given(st.binary(max_size=60), stop_strings, cuts)
    def test_bytes_that_are_no_text_are_no_trouble(
        self, data: bytes, stops: list[str], cuts: list[int]
    ) -> None:
        assume(not nested(stops))
        pieces, rest, _ = shown(portions(data, cuts), stops)
        assert "".join(pieces) + rest == until_stop(data.decode("utf-8", "replace"), stops)

    @given(texts, stop_strings, cuts)
    def test_nothing_is_held_back_without_need(
        self, text: str, stops: list[str], cuts: list[int]
    ) -> None:
        """What is held back is the longest end of the text that begins a stop string."""
        assume(not any(stop in text for stop in stops))
        stream, given_so_far, shown_so_far = TextStream(stops), "", ""
        for portion in portions(text.encode(), [len(text[:n].encode()) for n in cuts]):
            given_so_far += portion.decode()
            shown_so_far += stream.feed(portion)
            beginnings = {stop[:n] for stop in stops for n in range(1, len(stop))}
            held = max((len(b) for b in beginnings if given_so_far.endswith(b)), default=0)
            assert shown_so_far == given_so_far[: len(given_so_far) - held]

    def test_a_stop_string_may_come_in_many_portions(self) -> None:
        assert shown([b"Hi", b" E", b"N", b"", b"D", b"!"], ["END"]) == (
            ["Hi", " ", "", "", "", ""],
            "",
            True,
        )

    def test_a_stop_string_may_be_cut_within_a_character(self) -> None:
        assert shown([b"a\xf0\x9f", b"\x99\x82", b"b"], ["🙂"]) == (["a", "", ""], "", True)

    def test_a_stop_string_may_begin_within_its_own_beginning(self) -> None:
        assert shown([b"xaa", b"b"], ["aab"]) == (["x", ""], "", True)
        assert shown([b"xaa", b"ab"], ["aab"]) == (["x", "a"], "", True)
        assert shown([b"aba", b"bac"], ["abac"]) == (["", "ab"], "", True)

    def test_what_only_began_like_a_stop_string_is_let_go(self) -> None:
        assert shown([b"E", b"N", b"T"], ["END"]) == (["", "", "ENT"], "", False)
        assert shown([b"E", b"N"], ["END"]) == (["", ""], "EN", False)
        assert shown([b"EN", b"END"], ["END"]) == (["", "EN"], "", True)

    def test_text_before_and_after_in_one_portion(self) -> None:
        assert shown([b"one END two"], ["END"]) == (["one "], "", True)

    @pytest.mark.parametrize("stops", [["b", "c"], ["c", "b"]])
    def test_of_two_the_first_in_the_text_counts(self, stops: list[str]) -> None:
        assert shown([b"abc"], stops) == (["a"], "", True)
        assert shown([b"acb"], stops) == (["a"], "", True)

    @pytest.mark.parametrize("stops", [["bcd", "cd"], ["cd", "bcd"]])
    @pytest.mark.parametrize("data", [[b"abcd"], [b"a", b"b", b"c", b"d"]])
    def test_of_two_that_end_together_nothing_of_the_longer_is_shown(
        self, stops: list[str], data: list[bytes]
    ) -> None:
        pieces, rest, stopped = shown(data, stops)
        assert ("".join(pieces) + rest, stopped) == ("a", True)

    def test_after_a_stop_string_there_is_silence(self) -> None:
        stream = TextStream(["b"])
        assert stream.feed(b"ab") == "a"
        assert [stream.feed(b"more"), stream.feed(b"\xf0"), stream.flush()] == ["", "", ""]

    def test_the_rest_comes_once(self) -> None:
        for data, rest in ((b"EN", "EN"), (b"EN\xf0", "EN�"), (b"\xf0", "�")):
            stream = TextStream(["END"])
            assert stream.feed(data) == ""
            assert [stream.flush(), stream.flush()] == [rest, ""]
