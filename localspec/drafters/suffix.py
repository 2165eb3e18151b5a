"""A suffix automaton of texts that grow token by token (Blumer et al. 1985).

It knows every run of tokens that any of the texts contains, how often it occurred and what came
after it. A state stands for all runs that ended at the same places so far: `length` is that of
its longest one, `link` leads to the longest of their own ends that ended in more places, so that
following links drops tokens from the front. Texts with the same beginning share it; they are a
tree, as a conversation with several answers is, and an occurrence is a node of that tree.

A state's likeliest edge stands in two arrays and only further edges need a dict: most states have
one edge. A token costs about 2.5 µs, 5 at the worst, and 100 to 250 bytes; it makes two states at
the most, 1.3 in real text.
"""

from array import array
from typing import NamedTuple

__all__ = ["ROOT", "Cursor", "SuffixAutomaton"]

ROOT = 0
"""The state of the empty text. No edge leads to it."""

_DEPTH = 16
"""Contexts that an occurrence is counted for, the longest first. Text has far fewer; a run of one
token repeated n times has n of them, which would make the counting quadratic."""


class SuffixAutomaton:
    """Texts are begun at ROOT and grown with `extend`, in any order, several at a time.

    Of each state, by number: `count` is how often its runs occurred, `followed` how often
    something came after them, `token` what came most often (the newest of equals) and `to` where
    that leads, ROOT where nothing ever came.
    """

    def __init__(self) -> None:
        self.length, self.link = array("i", [0]), array("i", [-1])
        self.count, self.followed = array("i", [0]), array("i", [0])
        self.token, self.to = array("i", [-1]), array("i", [ROOT])
        self._others: dict[int, dict[int, int]] = {}
        self._whole = bytearray([True])  # whether the longest run is a text from its beginning

    def __len__(self) -> int:
        return len(self.length)

    def target(self, state: int, token: int) -> int:
        """Where `token` leads from `state`; ROOT where it never came."""
        if self.token[state] == token:
            return self.to[state]
        others = self._others.get(state)
        return others.get(token, ROOT) if others else ROOT

    def extend(self, state: int, token: int) -> int:
        """The state of a text that goes on with `token` from `state`, its state so far.

        What another text with the same beginning has said already is not counted again.
        """
        new, length = self.target(state, token), self.length[state] + 1
        if not new:
            new = self._new(length)
            self._connect(state, token, new)
        elif self.length[new] > length:
            new = self._split(state, token, new)
        elif self._whole[new]:
            return new
        self._whole[new] = True
        self._count(state, token)
        return new

    def _connect(self, state: int, token: int, new: int) -> None:
        """Let `token` lead to `new` from all ends of the text that it never followed."""
        known = end = ROOT
        while state >= 0 and not known:
            end = state
            if not self.to[state]:
                self.token[state], self.to[state] = token, new
            elif not (known := self.target(state, token)):
                self._others.setdefault(state, {})[token] = new
            state = self.link[state]
        if known and self.length[known] > self.length[end] + 1:
            known = self._split(end, token, known)
        self.link[new] = known

    def _split(self, state: int, token: int, whole: int) -> int:
        """Of the runs of `whole`, those that end `state`'s text now end in one place more."""
        part = self._copy(whole, self.length[state] + 1)
        self.link[whole] = part
        while state >= 0 and self.target(state, token) == whole:
            if self.token[state] == token:
                self.to[state] = part
            else:
                self._others[state][token] = part
            state = self.link[state]
        return part

    def _new(self, length: int) -> int:
        """A state whose only run so far is a whole text."""
        self.length.append(length)
        self.link.append(ROOT)
        self.count.append(0)
        self.followed.append(0)
        self.token.append(-1)
        self.to.append(ROOT)
        self._whole.append(True)
        return len(self.length) - 1

    def _copy(self, state: int, length: int) -> int:
        """A state that has seen what `state` has."""
        new = len(self.length)
        self.length.append(length)
        for values in (self.link, self.count, self.followed, self.token, self.to):
            values.append(values[state])
        self._whole.append(False)
        if state in self._others:
            self._others[new] = self._others[state].copy()
        return new

    def _count(self, state: int, token: int) -> None:
        """`token` came after the text of `state` and all its ends: keep the likeliest in front."""
        tokens, to, link = self.token, self.to, self.link
        count, followed, others = self.count, self.followed, self._others
        counted = ROOT
        for _ in range(_DEPTH):
            first = to[state]
            reached = first if tokens[state] == token else others[state][token]
            if reached != counted:
                count[reached] += 1
                counted = reached
            if state == ROOT:
                return
            followed[state] += 1
            if reached != first and count[reached] >= count[first]:
                del others[state][token]
                others[state][tokens[state]] = first
                tokens[state], to[state] = token, reached
            state = link[state]


class Cursor(NamedTuple):
    """The longest end of some text that `automaton` knows: `length` tokens, in `state`."""

    automaton: SuffixAutomaton
    state: int = ROOT
    length: int = 0

    def follow(self, token: int) -> "Cursor":
        """The same after one more token of the text, which the automaton need not know."""
        known, length, state = self.automaton, self.length, self._settled()
        while not (reached := known.target(state, token)):
            if state == ROOT:
                return Cursor(known)
            state = known.link[state]
            length = known.length[state]
        return Cursor(known, reached, length + 1)

    def continued(self) -> "Cursor":
        """The longest end that something came after; at ROOT where there is none."""
        known, length, state = self.automaton, self.length, self._settled()
        while state != ROOT and not known.to[state]:
            state = known.link[state]
            length = known.length[state]
        return Cursor(known, state, length)

    def _settled(self) -> int:
        """The state, which may have been split since the cursor was made."""
        known, state = self.automaton, self.state
        while state != ROOT and self.length <= known.length[known.link[state]]:
            state = known.link[state]
        return state
