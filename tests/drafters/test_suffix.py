"""The suffix automaton behind the lookup, against brute force."""

from typing import Any
from unittest.mock import patch

import pytest
from brute_force import Text, Tree, find, grow, letters
from hypothesis import given
from hypothesis import strategies as st

from localspec.drafters import suffix
from localspec.drafters.suffix import ROOT, Cursor, SuffixAutomaton

texts = st.lists(st.lists(letters, max_size=12), min_size=1, max_size=4)


@given(texts, st.data())
def test_automaton_counts_every_run(texts: list[list[int]], data: st.DataObject) -> None:
    automaton, tree = SuffixAutomaton(), Tree()
    states, said = [ROOT] * len(texts), [0] * len(texts)
    with patch.object(suffix, "_DEPTH", 1000):
        while unfinished := [i for i, text in enumerate(texts) if said[i] < len(text)]:
            i = data.draw(st.sampled_from(unfinished))
            states[i] = automaton.extend(states[i], texts[i][said[i]])
            said[i] += 1
            tree.say(tuple(texts[i][: said[i]]))
    for part in tree.runs():
        cursor = find(automaton, part)
        assert cursor.length == len(part)
        assert automaton.count[cursor.state] == tree.count(part)
        followers = tree.followers(part)
        assert automaton.followed[cursor.state] == len(followers)
        for token in set(followers):
            reached = automaton.target(cursor.state, token)
            assert automaton.count[reached] == tree.count((*part, token))
        if followers:
            assert automaton.token[cursor.state] == tree.likeliest(part)
    assert len(automaton) <= max(2, 2 * len(tree.nodes))


@given(st.lists(letters, min_size=1, max_size=40))
def test_a_text_knows_the_longest_of_its_ends_that_came_before(text: list[int]) -> None:
    automaton, tree, state = SuffixAutomaton(), Tree(), ROOT
    for i, token in enumerate(text):
        state = automaton.extend(state, token)
        tree.say(tuple(text[: i + 1]))
        cursor = Cursor(automaton, state, i + 1).continued()
        assert cursor.length == tree.longest_continued(tuple(text[: i + 1]))


@given(texts, st.lists(st.integers(0, 3), max_size=30))
def test_a_cursor_finds_the_longest_known_end(texts: list[list[int]], other: list[int]) -> None:
    automaton = SuffixAutomaton()
    for text in texts:
        grow(automaton, text)
    cursor = Cursor(automaton)
    known = {tuple(t[i:j]) for t in texts for j in range(len(t) + 1) for i in range(j)}
    for i, token in enumerate(other, 1):
        cursor = cursor.follow(token)
        ends = (n for n in range(i, 0, -1) if tuple(other[i - n : i]) in known)
        assert cursor.length == next(ends, 0)


@given(st.lists(st.tuples(st.booleans(), letters), max_size=40))
def test_a_cursor_stays_true_while_the_automaton_grows(events: list[tuple[bool, int]]) -> None:
    automaton, tree = SuffixAutomaton(), Tree()
    state, cursor = ROOT, Cursor(automaton)
    said: Text = ()
    heard: Text = ()
    with patch.object(suffix, "_DEPTH", 1000):
        for grows, token in events:
            if grows:
                state, said = automaton.extend(state, token), (*said, token)
                tree.say(said)
            else:
                cursor, heard = cursor.follow(token), (*heard, token)
            seen = cursor.continued()
            if seen.length:
                part = heard[-seen.length :]
                assert automaton.count[seen.state] == tree.count(part)
                assert automaton.token[seen.state] == tree.likeliest(part)
            elif cursor.length:
                assert not tree.followers(heard[-1:])


def fibonacci(n: int) -> list[int]:
    a, b = [1], [1, 2]
    while len(b) < n:
        a, b = b, b + a
    return b[:n]


class Counting(list[int]):
    """A list that knows how often it was read."""

    reads = 0

    def __getitem__(self, at: Any) -> Any:
        Counting.reads += 1
        return super().__getitem__(at)


@pytest.mark.parametrize(
    "text",
    [
        [1] * 3000,
        [1, 2, 3] * 1000,
        fibonacci(3000),
        [1] * 1500 + [2] + [1] * 1499,
        [i * i * 7919 % 10007 % 4 for i in range(3000)],
        list(range(3000)),
        [t for n in range(75) for t in [1] * n + [2]],
    ],
    ids=["run", "period", "fibonacci", "broken run", "random", "all new", "longer runs"],
)
def test_a_token_costs_the_same_however_long_the_text(text: list[int]) -> None:
    automaton: Any = SuffixAutomaton()
    automaton.link = Counting([-1])
    Counting.reads = 0
    grow(automaton, text)
    assert Counting.reads <= (suffix._DEPTH + 4) * len(text)
    assert len(automaton) <= 2 * len(text)
