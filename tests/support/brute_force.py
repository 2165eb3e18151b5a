"""What an automaton should know of texts, found by looking through all of them."""

from collections import Counter
from collections.abc import Iterable

from hypothesis import strategies as st

from localspec.drafters.suffix import ROOT, Cursor, SuffixAutomaton

Text = tuple[int, ...]
letters = st.integers(0, 2)


def grow(automaton: SuffixAutomaton, text: Iterable[int], state: int = ROOT) -> int:
    for token in text:
        state = automaton.extend(state, token)
    return state


def find(automaton: SuffixAutomaton, text: Iterable[int]) -> Cursor:
    cursor = Cursor(automaton)
    for token in text:
        cursor = cursor.follow(token)
    return cursor


class Tree:
    """All texts' beginnings in the order in which they were first said."""

    def __init__(self) -> None:
        self.nodes: dict[Text, None] = {}

    def say(self, text: Text) -> None:
        self.nodes.setdefault(text)

    def runs(self) -> set[Text]:
        return {n[i:j] for n in self.nodes for j in range(1, len(n) + 1) for i in range(j)}

    def count(self, part: Text) -> int:
        return sum(n[-len(part) :] == part for n in self.nodes)

    def followers(self, part: Text) -> list[int]:
        """What came after it, oldest first."""
        return [n[-1] for n in self.nodes if n[:-1][-len(part) :] == part]

    def likeliest(self, part: Text) -> int:
        came = self.followers(part)
        most = max(Counter(came).values())
        return next(t for t in reversed(came) if came.count(t) == most)

    def longest_continued(self, text: Text) -> int:
        lengths = (n for n in range(len(text), 0, -1) if self.followers(text[-n:]))
        return next(lengths, 0)
