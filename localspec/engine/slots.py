"""Places in the caches: who sits where, and which of what earlier answers left is used again.

A slot keeps its cache when its answer ends. A prompt that begins alike continues it, or takes a
copy, which costs less than reading it again. Where another answer is reading the same prompt right
now, the later one follows it: it waits, and takes a copy too.
"""

from collections.abc import Iterable
from collections.abc import Sequence as Many
from dataclasses import dataclass, field
from typing import NamedTuple

from localspec.decoding.reading import Held, Reuse, bulk_of, reuse
from localspec.decoding.sequence import Sequence
from localspec.drafters.base import Drafter
from localspec.llama.rows import Evaluator

__all__ = ["Slot", "Slots"]

_WORTH_COPYING = 4
"""Tokens more than the slot's own cache holds. A copy takes as long as reading two or three: it
moves all cells of the donor's stream, most of them empty."""
_GAP, _WIDEST = 24, 3
"""Tokens of prompt that an idle slot between busy ones costs in an answer, as it is evaluated with
them; where there are more, they take a pass of their own."""
_LIKELY = 0.2  # that a cache is gone on with, where it was left last


class _Lead(NamedTuple):
    """An answer in another slot which reads the first `shared` tokens for us."""

    slot: "Slot"
    sequence: Sequence
    shared: int


@dataclass
class Slot:
    """A sequence's place in the caches, or the tokens a finished one left there."""

    index: int
    tokens: list[int] = field(default_factory=list)
    sequence: Sequence | None = None
    last_used: int = 0
    lead: _Lead | None = None
    held: Held = field(default_factory=Held)
    prompt: int = 0
    """Tokens of the latest one's prompt."""
    can_truncate: bool = True

    def shared(self, sequence: Sequence, most: int | None = None) -> Reuse:
        """What is in the cache already of a prompt, short of its last token, or of its first `most`
        ones.
        """
        here = self.sequence.tokens[: self.sequence.cached] if self.sequence else self.tokens
        common = _common(here, sequence.tokens, len(sequence) - 1 if most is None else most)
        whole = not self.sequence and self.prompt < len(here) == common
        return reuse(self.held, common, sequence.bulk, whole=whole, can_truncate=self.can_truncate)


def _common(held: list[int], prompt: Many[int], most: int) -> int:
    """Tokens with which both begin, at most `most`."""
    most = min(len(held), most)
    if held[:most] == prompt[:most]:
        return most
    low, high = 0, most  # comparing slices is quick; comparing tokens one by one is not
    while high - low > 1:
        middle = (low + high) // 2
        if held[low:middle] == prompt[low:middle]:
            low = middle
        else:
            high = middle
    return low


class Slots:
    """All slots of a target and of its drafters, of which the first `width` are used.

    Neighbouring slots share a pass of the target where gaps between busy ones cost passes, so a
    batch that is quickest with a few answers at a time uses the few first slots.
    """

    def __init__(self, target: Evaluator, drafters: Iterable[Drafter]) -> None:
        self._target, self._drafters = target, list(drafters)
        can_truncate = target.can_truncate
        self._all = [Slot(i, can_truncate=can_truncate) for i in range(target.sequences)]
        self.width = target.sequences
        self._uses = 0

    @property
    def sequences(self) -> list[Sequence]:
        """Those that have a slot."""
        return [slot.sequence for slot in self._all if slot.sequence]

    @property
    def any_free(self) -> bool:
        """Whether a sequence can be seated."""
        return any(slot.sequence is None for slot in self._all[: self.width])

    def seat(self, sequence: Sequence, now: float) -> None:
        """Give a sequence the free slot where it costs least. Raises DecodeError."""
        if not sequence.reads_aloud:
            sequence.bulk = bulk_of(len(sequence), self._target.bulks)
        slot = max(
            (slot for slot in self._all[: self.width] if not slot.sequence),
            key=lambda slot: self._merit(slot, sequence),
        )
        own = self._usable(slot, sequence)
        sequence.slot = slot.index
        slot.tokens, old = [], slot.tokens
        donor, taken = slot, own
        if self._target.can_truncate and not sequence.reads_aloud:
            offers = [(s, s.shared(sequence)) for s in self._all if s is not slot]
            donor, taken = max(offers, key=lambda offer: offer[1].tokens, default=(slot, own))
        if taken.tokens >= own.tokens + _WORTH_COPYING:
            self._lend(donor, slot, taken.tokens)
        else:
            taken = own
            self._target.truncate(slot.index, own.tokens)
            for drafter in self._drafters:
                drafter.truncate(slot.index, min(own.tokens, len(old)))
        slot.held, slot.prompt = taken.held, len(sequence)
        slot.sequence, slot.lead = sequence, self._lead(slot, sequence, taken.tokens)
        sequence.begin(taken.tokens, now)

    def follow(self) -> None:
        """Whoever's leader has read what they share takes a copy of it. Raises DecodeError."""
        for slot in self._all:
            lead, sequence = slot.lead, slot.sequence
            if not lead or not sequence:
                continue
            reading = lead.slot.sequence is lead.sequence
            if reading and lead.sequence.cached < lead.shared:
                continue
            slot.lead = None
            taken = lead.slot.shared(sequence, lead.shared)
            if taken.tokens > sequence.cached:
                self._lend(lead.slot, slot, taken.tokens)
                slot.held = taken.held
                sequence.begin(taken.tokens, sequence.began)

    def follows(self, sequence: Sequence) -> bool:
        """Whether a sequence waits for what another one reads."""
        return self._all[sequence.slot].lead is not None

    @property
    def cached(self) -> list[int]:
        """Tokens that each slot holds in the target's cache, whoever they belong to."""
        return [s.sequence.cached if s.sequence else len(s.tokens) for s in self._all]

    def release(self) -> None:
        """Free the slots of ended answers; their caches stay."""
        for slot in self._all:
            if slot.sequence and slot.sequence.finish_reason:
                slot.tokens = slot.sequence.tokens[: slot.sequence.cached]
                self._uses += 1
                slot.sequence, slot.lead, slot.last_used = None, None, self._uses

    def wipe(self, index: int) -> None:
        """Forget a cache nobody can vouch for."""
        self._all[index].tokens = []
        self._target.truncate(index, 0)
        for drafter in self._drafters:
            drafter.truncate(index, 0)

    def wipe_all(self) -> None:
        """Forget everything; no slot may be in use."""
        for slot in self._all:
            slot.tokens = []
            self._target.truncate(slot.index, 0)
        for drafter in self._drafters:
            drafter.forget()

    def _usable(self, slot: Slot, sequence: Sequence) -> Reuse:
        """What of a slot's cache can be kept for a sequence."""
        if not sequence.reads_aloud:
            shared = slot.shared(sequence)
            if self._target.can_truncate or shared.tokens == len(slot.tokens):
                return shared
        return reuse(Held(), 0, sequence.bulk, whole=False)

    def _merit(self, slot: Slot, sequence: Sequence) -> float:
        """In tokens that need not be read: what goes on there, less what is lost, the likelier
        needed the later it was left, and what it costs to be apart from others.
        """
        own = self._usable(slot, sequence).tokens
        goes_on = own if 2 * own >= len(slot.tokens) else 0
        lost = len(slot.tokens) - own
        recent = slot.last_used / self._uses if self._uses else 0.0
        return goes_on - _LIKELY * recent * lost - _GAP * min(self._apart(slot), _WIDEST)

    def _apart(self, slot: Slot) -> int:
        """Idle slots between it and the next busy one, where neighbours share a pass."""
        busy = [other.index for other in self._all if other.sequence]
        if not (busy and self._target.own_cells):
            return 0
        return min(abs(index - slot.index) for index in busy) - 1

    def _lead(self, slot: Slot, sequence: Sequence, shared: int) -> _Lead | None:
        """Who is about to read much of what this sequence still has to."""
        if not self._target.can_truncate or sequence.reads_aloud:
            return None
        leads = [
            _Lead(other, other.sequence, self._ahead(other, sequence, most))
            for other in self._all
            if other is not slot and other.sequence and other.sequence.backlog > 1
            for most in [min(len(other.sequence), len(sequence)) - 1]
        ]
        best = max(leads, key=lambda lead: lead.shared, default=None)
        return best if best and best.shared >= shared + _WORTH_COPYING else None

    def _ahead(self, leader: Slot, sequence: Sequence, most: int) -> int:
        """How many tokens a leader will have read of a sequence's prompt."""
        assert leader.sequence
        common = _common(leader.sequence.tokens, sequence.tokens, most)
        return reuse(leader.held, common, sequence.bulk, whole=False).tokens

    def _lend(self, donor: Slot, slot: Slot, length: int) -> None:
        self._target.copy(donor.index, slot.index, length)
        for drafter in self._drafters:
            drafter.copy(donor.index, slot.index, length)
