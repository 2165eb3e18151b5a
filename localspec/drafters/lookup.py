"""Guessing from text already seen, without a model: prompt, answer, and earlier answers.

The longest end of the text that occurred before says what comes next (prompt lookup, Saxena 2023;
with a suffix automaton, Hu et al. 2024, arXiv 2411.10666; with counts and the memory of earlier
answers, Oliaro et al. 2024, arXiv 2411.04975). A guess that came `count` of `followed` times after
a match of `length` tokens is believed to

    (count + a * shorter) / (followed + a),   a = doubt / length,

where `shorter` is the same for the next shorter match: smoothing with a shorter context as prior
(MacKay & Peto 1995) that trusts long matches sooner. Measured over 20 kinds of text, first guesses
from the text's own past are right, by length of the match, 1: 27 %, 2: 45 %, 3: 55 %, 4: 61 %,
5-8: 69 %, 9-16: 81 %, 17-32: 96 %, longer: 99 %; in prose, 1: 16 %, 2: 28 %. Confidences above
0.8 are true within 0.04 at every place of a draft, lower ones say up to 0.15 too much.
"""

from array import array
from collections import deque
from collections.abc import Sequence as Many

from localspec.decoding.draft import Draft
from localspec.decoding.sampling import Guess
from localspec.decoding.sequence import Sequence
from localspec.drafters.base import Ask
from localspec.drafters.suffix import ROOT, Cursor, SuffixAutomaton

__all__ = ["LookupDrafter"]

_DOUBTS = (4.0, 12.0, 12.0)
"""Of the text's own past and of the memory's two generations. Measured: at the same counts, other
texts are right less often."""
_UNSEEN = 0.1  # stands in for the next shorter match of a match of one token

_WORK, _LEARN = 512, 128
"""Most tokens a text is caught up by, and the memory learns, in one call: 1.3 and 0.3 ms."""
_AT_ONCE = 8
"""Tokens that are read together where nobody asks: one by one, after a decode each, a token takes
ten times as long, as nothing of this is left in the processor's caches."""
_LONGEST_MATCH = 32
"""In the memory, where a text comes upon it with a past; the own past knows no limit."""
_FORGETS = 8
"""A slot starts afresh where what is kept is this much smaller than all it has seen."""


class LookupDrafter:
    """Guesses how a text goes on from its own past first, then from a memory of other answers.

    `memory` is the most states in each of the memory's two generations (about 110 bytes each).
    """

    name = "lookup"

    def __init__(self, memory: int = 50_000) -> None:
        self._size = memory
        self.forget()

    def forget(self) -> None:
        """Begin with an empty memory."""
        self._memory = _Memory(self._size)
        self._texts: dict[int, _Text] = {}

    def propose(self, asks: Many[Ask]) -> list[Draft]:
        """Guess for each; nothing while a long prompt is still being read."""
        return [self._draft(ask) for ask in asks]

    def peek(self, sequence: Sequence) -> Draft:
        """What `propose` would guess first."""
        draft, text = Draft(self.name), self._read(sequence)
        guess = text.first(self._memory) if len(text) == len(sequence) else None
        if guess:
            draft.append(guess.token, guess.confidence)
        return draft

    def backlog(self, sequence: Sequence) -> int:
        """Tokens yet to be read, a few µs each: many only while a long prompt is new."""
        text = self._texts.get(sequence.slot)
        return len(sequence) - (len(text) if text else 0)

    def observe(self, sequence: Sequence) -> None:
        """Read on, in the text and, a little, in finished answers that wait to be remembered."""
        if self.backlog(sequence) >= _AT_ONCE:
            self._read(sequence)
        if self._memory.learn(_LEARN):
            for text in self._texts.values():
                text.remembered = None

    def truncate(self, slot: int, length: int) -> None:
        """Go back to the first `length` tokens; costs nothing where no more are known.

        What a text said before it was cut stays known to it: another answer to the same prompt
        is a likely one.
        """
        text = self._texts.get(slot)
        if text is None or length >= len(text):
            return
        if length * _FORGETS < len(text.automaton):
            self._memory.add(text.answer)
            del self._texts[slot]
        else:
            text.cut(length)

    def copy(self, source: int, slot: int, length: int) -> None:
        """Another text begins in `slot`; it is read when it is asked about."""
        self.truncate(slot, 0)

    def _read(self, sequence: Sequence) -> "_Text":
        text = self._texts.get(sequence.slot)
        if text is None:
            text = self._texts[sequence.slot] = _Text()
        text.read(sequence, self._memory)
        return text

    def _draft(self, ask: Ask) -> Draft:
        draft, text = Draft(self.name), self._read(ask.sequence)
        if len(text) < len(ask.sequence):
            return draft
        guess, views = text.first(self._memory), text.views(self._memory)
        while guess and len(draft) < ask.length and ask.more(draft):
            draft.append(guess.token, guess.confidence)
            views = [view.follow(guess.token) for view in views]
            guess = _likeliest(views)
        return draft


class _Text:
    """What one slot has said, as far as it was read, and what it had said before it was cut."""

    def __init__(self) -> None:
        self.automaton = SuffixAutomaton()
        self.states = array("i", [ROOT])  # before the first token, then after each
        self.tokens: list[int] = []
        self.prompt = 0
        self.remembered: list[Cursor] | None = None
        self._first: tuple[int, Guess | None] | None = None  # at which length it is the guess

    def __len__(self) -> int:
        return len(self.states) - 1

    @property
    def answer(self) -> list[int]:
        """What was said, and as much before it as a match in the memory may be long.

        Other prompts are not worth remembering: with them, guesses were no better.
        """
        said = len(self.tokens) > self.prompt
        return self.tokens[max(0, self.prompt - _LONGEST_MATCH) :] if said else []

    def cut(self, length: int) -> None:
        del self.states[length + 1 :]
        self._first = None

    def read(self, sequence: Sequence, memory: "_Memory") -> None:
        if self.tokens is not sequence.tokens:
            memory.add(self.answer)
            self.tokens, self.prompt = sequence.tokens, len(sequence.request.prompt)
            self.remembered = self._first = None
        for token in self.tokens[len(self) : len(self) + _WORK]:
            self.states.append(self.automaton.extend(self.states[-1], token))
            if self.remembered is not None:
                self.remembered = [cursor.follow(token) for cursor in self.remembered]

    def first(self, memory: "_Memory") -> Guess | None:
        """What comes next most likely; worked out once."""
        if self._first is None or self._first[0] != len(self):
            self._first = len(self), _likeliest(self.views(memory))
        return self._first[1]

    def views(self, memory: "_Memory") -> list[Cursor]:
        """Where the text stands in its own past and in the memory's generations."""
        if self.remembered is None:
            self.remembered = [Cursor(generation) for generation in memory.generations]
            for token in self.tokens[max(0, len(self) - _LONGEST_MATCH) : len(self)]:
                self.remembered = [cursor.follow(token) for cursor in self.remembered]
        return [Cursor(self.automaton, self.states[-1], len(self)), *self.remembered]


class _Memory:
    """Finished answers in two generations: a full young one becomes the old, which is dropped."""

    def __init__(self, size: int) -> None:
        self.generations = (SuffixAutomaton(), SuffixAutomaton())
        self._size = size
        self._waiting: deque[int | None] = deque(maxlen=size)  # None ends an answer
        self._state = ROOT

    def add(self, tokens: Many[int]) -> None:
        if tokens:
            self._waiting.extend(tokens)
            self._waiting.append(None)

    def learn(self, most: int) -> bool:
        """Take in up to `most` tokens of what waits; whether there is a new young generation."""
        young = self.generations[0]
        for _ in range(min(most, len(self._waiting))):
            token = self._waiting.popleft()
            self._state = ROOT if token is None else young.extend(self._state, token)
        if len(young) < self._size:
            return False
        self.generations, self._state = (SuffixAutomaton(), young), ROOT
        return True


def _likeliest(views: Many[Cursor]) -> Guess | None:
    """The surest guess, of equals the one from the text's own past."""
    best = None
    for cursor, doubt in zip(views, _DOUBTS, strict=True):
        guess = _guess(cursor, doubt)
        if guess and (best is None or guess.confidence > best.confidence):
            best = guess
    return best


def _guess(cursor: Cursor, doubt: float) -> Guess | None:
    """What came most often after the longest match."""
    seen, state, length = cursor.continued()
    if state == ROOT:
        return None
    token, shorter = seen.token[state], seen.link[state]
    belief = _UNSEEN
    if shorter != ROOT:
        count = seen.count[seen.target(shorter, token)]
        belief = _believe(count, seen.followed[shorter], doubt / seen.length[shorter], belief)
    count = seen.count[seen.to[state]]
    return Guess(token, _believe(count, seen.followed[state], doubt / length, belief))


def _believe(count: int, followed: int, doubt: float, prior: float) -> float:
    # Where the automaton does not count all contexts, `followed` may lack more than `count`.
    return (count + doubt * prior) / (max(count, followed) + doubt)
