"""The loop: many sequences, one target batch and one draft batch a step.

A step is: admit, draft, decode, verify, roll back. Every sequence's run through the target is its
backlog (a chunk of prompt, or the newest token) followed by its guesses; what the target does not
confirm is cut from both caches, so that after any step they hold committed tokens only. The
engine owns the contexts and must be used from one thread.
"""

import time
from collections import deque
from collections.abc import Sequence as Many
from dataclasses import dataclass, field

from localspec.decoding.draft import Draft
from localspec.decoding.sequence import Pieces, Request, Sequence
from localspec.decoding.verify import verify
from localspec.drafters.base import Drafter
from localspec.errors import DecodeError, UsageError
from localspec.governor.policy import Outcome, Policy, Step, Wish
from localspec.llama.rows import Evaluator, Run

__all__ = ["Engine"]

_CHUNK = 128
"""Most prompt tokens in a step beside sequences that are decoding: they should not wait long."""


@dataclass
class _Slot:
    """A sequence's place in the caches. What a finished answer leaves there may be used again."""

    index: int
    tokens: list[int] = field(default_factory=list)
    sequence: Sequence | None = None
    last_used: float = 0.0

    def shared(self, prompt: Many[int]) -> int:
        """How many tokens of `prompt`, short of its last, are in the cache already."""
        held = self.sequence.tokens[: self.sequence.cached] if self.sequence else self.tokens
        most = min(len(held), len(prompt) - 1)
        return next((i for i in range(most) if held[i] != prompt[i]), most)


@dataclass
class _Turn:
    """A sequence's part in one step: `fed` tokens of its backlog, then its draft.

    Logits are wanted where `last`: where the backlog ends with this step.
    """

    sequence: Sequence
    fed: int
    last: bool
    draft: Draft = field(default_factory=Draft)

    @property
    def outputs(self) -> int:
        return 1 + len(self.draft) if self.last else 0

    def run(self) -> Run:
        s = self.sequence
        tokens = s.tokens[s.cached : s.cached + self.fed] + self.draft.tokens
        return Run(s.slot, tokens, s.cached, self.outputs)


def _may_guess(sequence: Sequence) -> bool:
    return sequence.backlog == 1 and sequence.room > 1 and sequence.request.speculation != 0


class Engine:
    """Answers requests with a target, its drafters and a policy that picks among them."""

    def __init__(
        self, target: Evaluator, vocabulary: Pieces, drafters: Many[Drafter], policy: Policy
    ) -> None:
        self._target, self._vocabulary, self._policy = target, vocabulary, policy
        self._drafters = list(drafters) if target.can_truncate else []
        self._slots = [_Slot(i) for i in range(target.sequences)]
        self._waiting: deque[Sequence] = deque()

    @property
    def context_length(self) -> int:
        """Most tokens of prompt and answer together."""
        return self._target.length

    @property
    def busy(self) -> bool:
        """Whether a step would do anything."""
        return bool(self._waiting) or any(slot.sequence for slot in self._slots)

    def prepare(self, request: Request) -> Sequence:
        """Check a request and make its sequence, on any thread. Raises UsageError."""
        if not request.prompt:
            raise UsageError("The prompt is empty; say something to answer.")
        if len(request.prompt) >= self._target.length:
            raise UsageError(
                f"The prompt has {len(request.prompt)} tokens and the context holds "
                f"{self._target.length}; shorten it."
            )
        if request.max_tokens is not None and request.max_tokens < 1:
            raise UsageError(f"max_tokens is {request.max_tokens}; it must be at least 1.")
        wanted = request.speculation
        if wanted != "auto" and not (isinstance(wanted, int) and wanted >= 0):
            raise UsageError('speculation must be "auto", or a number of tokens (0 for none).')
        return Sequence(request, self._vocabulary, self._target.length, time.perf_counter())

    def submit(self, sequence: Sequence) -> None:
        """Queue a prepared sequence; it fills up as steps are taken."""
        self._waiting.append(sequence)

    def forget(self) -> None:
        """Drop what earlier answers left in caches and drafters. Nothing may be in work."""
        if self.busy:
            raise RuntimeError("an engine cannot forget what it is working on")
        for slot in self._slots:
            slot.tokens = []
            self._target.truncate(slot.index, 0)
        for drafter in self._drafters:
            drafter.forget()

    def step(self) -> list[Sequence]:
        """Take one step; returns the sequences that said something or ended."""
        cancelled = self._drop_cancelled()
        self._admit()
        turns = self._plan()
        if not turns:
            return cancelled
        start = time.perf_counter()
        step = Step(
            prefilling=any(turn.sequence.backlog > 1 for turn in turns),
            depth=max(turn.sequence.cached for turn in turns),
        )
        try:
            self._draft(turns, step)
            self._advance(turns, step)
        except DecodeError as error:
            self._fail(turns, error)
        step.seconds = time.perf_counter() - start
        self._policy.observe(step)
        return cancelled + [turn.sequence for turn in turns]

    def _drop_cancelled(self) -> list[Sequence]:
        held = [slot.sequence for slot in self._slots if slot.sequence]
        cancelled = [s for s in (*held, *self._waiting) if s.cancelled]
        for sequence in cancelled:
            sequence.finish("cancelled")
            if sequence in self._waiting:
                self._waiting.remove(sequence)
        self._release()
        return cancelled

    def _admit(self) -> None:
        """Give waiting requests a slot, the one whose cache is of most use for the prompt."""
        while self._waiting and (free := [slot for slot in self._slots if not slot.sequence]):
            sequence = self._waiting.popleft()
            slot = max(free, key=lambda slot: (self._use(slot, sequence), -slot.last_used))
            own, shared, donor = self._use(slot, sequence), 0, slot
            if self._target.can_truncate:
                donor = max(self._slots, key=lambda slot: slot.shared(sequence.tokens))
                shared = donor.shared(sequence.tokens)
            if shared > own:
                self._target.copy(donor.index, slot.index, shared)
            else:
                self._target.truncate(slot.index, own)
            self._seat(sequence, slot, max(own, shared))

    def _use(self, slot: _Slot, sequence: Sequence) -> int:
        """How many tokens of a slot's cache can be kept for a sequence."""
        shared = slot.shared(sequence.tokens)
        return shared if self._target.can_truncate or shared == len(slot.tokens) else 0

    def _seat(self, sequence: Sequence, slot: _Slot, shared: int) -> None:
        for drafter in self._drafters:
            drafter.truncate(slot.index, slot.shared(sequence.tokens))
        slot.sequence, slot.tokens = sequence, []
        sequence.slot = slot.index
        sequence.begin(shared, time.perf_counter())

    def _plan(self) -> list[_Turn]:
        """Who takes part in the next decode, and with how much of its backlog."""
        active = [slot.sequence for slot in self._slots if slot.sequence]
        turns = [_Turn(s, 1, last=True) for s in active if s.backlog == 1]
        left = self._target.batch - len(turns)
        if turns:
            left = min(left, _CHUNK)
        for sequence in (s for s in active if s.backlog > 1):
            fed = min(sequence.backlog, left)
            if fed:
                turns.append(_Turn(sequence, fed, last=fed == sequence.backlog))
            left -= fed
        return turns

    def _draft(self, turns: Many[_Turn], step: Step) -> None:
        """Let the policy get guesses for the sequences that are decoding."""
        able = [t for t in turns if _may_guess(t.sequence)]
        if not able or not self._drafters:
            return
        start = time.perf_counter()
        rows = self._target.batch - sum(turn.fed for turn in turns)
        share = min(rows, self._target.outputs - len(self._slots)) // len(able)
        wishes = [Wish(t.sequence, min(share, t.sequence.room - 1)) for t in able]
        for turn, draft in zip(able, self._policy.draft(wishes, self._drafters), strict=True):
            turn.draft = draft
        step.draft_seconds = time.perf_counter() - start

    def _advance(self, turns: Many[_Turn], step: Step) -> None:
        """Decode all turns in one batch, let the target judge, and roll back what it refused."""
        start = time.perf_counter()
        runs = [turn.run() for turn in turns]
        logits = self._target.decode(runs)
        now = time.perf_counter()
        step.target_seconds, step.rows = now - start, sum(len(run.tokens) for run in runs)
        first = 0
        for turn in turns:
            rows = logits[first : first + turn.outputs]
            first += turn.outputs
            turn.sequence.cached += turn.fed
            if turn.outputs:
                held = len(verify(turn.sequence, turn.draft, rows))
                turn.sequence.record(turn.draft, held, now)
                step.outcomes.append(Outcome(turn.sequence, turn.draft, held, rows[held]))
                self._roll_back(turn, held)
        self._release()

    def _roll_back(self, turn: _Turn, held: int) -> None:
        """Cut both caches to the committed tokens: what is left of a draft was never said."""
        sequence = turn.sequence
        evaluated = sequence.cached + len(turn.draft)
        sequence.cached = min(sequence.cached + held, len(sequence))
        if sequence.cached < evaluated:
            self._target.truncate(sequence.slot, sequence.cached)
        for drafter in self._drafters:
            drafter.truncate(sequence.slot, sequence.cached)
            drafter.observe(sequence)

    def _release(self) -> None:
        """Free the slots of ended answers; their caches stay for a prompt that begins alike."""
        for slot in self._slots:
            if slot.sequence and slot.sequence.finish_reason:
                slot.tokens = slot.sequence.tokens[: slot.sequence.cached]
                slot.sequence, slot.last_used = None, time.monotonic()

    def _fail(self, turns: Many[_Turn], error: DecodeError) -> None:
        """End all answers of a failed decode, and forget caches nobody can vouch for."""
        for sequence in (turn.sequence for turn in turns):
            sequence.finish("error", error)
            sequence.cached = 0
            self._target.truncate(sequence.slot, 0)
            for drafter in self._drafters:
                drafter.truncate(sequence.slot, 0)
        self._release()
