"""The loop: many sequences, one target batch and one draft batch a step.

A step is: admit, draft, decode, verify, roll back. Every sequence's run through the target is its
backlog (a chunk of prompt, or the newest token) followed by its guesses; what the target does not
confirm is cut from both caches, so that after any step they hold committed tokens only. The
engine owns the contexts and must be used from one thread.
"""

import logging
import time
from collections import Counter, deque
from collections.abc import Callable
from collections.abc import Sequence as Many
from dataclasses import dataclass, field
from functools import partial

from localspec.decoding.draft import Draft
from localspec.decoding.passes import fill_up, widen
from localspec.decoding.reading import portion
from localspec.decoding.sequence import Pieces, Request, Sequence
from localspec.decoding.verify import verify
from localspec.drafters.base import Drafter
from localspec.engine.pacing import Pacing
from localspec.engine.slots import Slots
from localspec.errors import ContextError, DecodeError, UsageError
from localspec.governor.costs import Costs
from localspec.governor.policy import Outcome, Policy, Step, Wish
from localspec.llama.rows import NO_LOGITS, Evaluator, Logits, Run

__all__ = ["Engine"]

log = logging.getLogger(__name__)

_MOST_LOGPROBS = 100


@dataclass
class _Turn:
    """A sequence's part in one step: `fed` tokens of its backlog, then its draft.

    Logits are wanted where `last`: where the backlog ends with this step. Tokens in `bulk` are
    evaluated apart from others.
    """

    sequence: Sequence
    fed: int
    last: bool
    bulk: bool = False
    draft: Draft = field(default_factory=Draft)

    @property
    def outputs(self) -> int:
        if self.sequence.reads_aloud:
            return self.fed + len(self.draft)
        return 1 + len(self.draft) if self.last else 0

    def run(self) -> Run:
        s = self.sequence
        tokens = s.tokens[s.cached : s.cached + self.fed] + self.draft.tokens
        return Run(s.slot, tokens, s.cached, self.outputs)


def _may_guess(sequence: Sequence) -> bool:
    return sequence.backlog == 1 and sequence.room > 1 and sequence.request.speculation != 0


class Engine:
    """Answers requests with a target, its drafters and a policy that picks among them.

    `costs` tell what a pass of n rows takes the target, where that is known.
    """

    def __init__(
        self,
        target: Evaluator,
        vocabulary: Pieces,
        drafters: Many[Drafter],
        policy: Policy,
        costs: Costs | None = None,
    ) -> None:
        self._target, self._vocabulary, self._policy = target, vocabulary, policy
        self._costs = costs if target.can_truncate else None
        self._drafters = list(drafters) if target.can_truncate else []
        self._slots = Slots(target, self._drafters)
        self._waiting: deque[Sequence] = deque()
        self._eldest_first = False
        self._pacing = Pacing()
        self._ended = 0.0  # when the last step did; 0 where nobody waits for the next one
        self._listeners: list[Callable[[Step], None]] = []

    @property
    def context_length(self) -> int:
        """Most tokens of prompt and answer together."""
        return self._target.length

    @property
    def busy(self) -> bool:
        """Whether a step would do anything."""
        return bool(self._waiting or self._slots.sequences)

    @property
    def running(self) -> int:
        """Answers that have a slot. May be asked on any thread."""
        return len(self._slots.sequences)

    def limit(self, answers: int) -> None:
        """Work on so many answers at once from now on, at most as many as there are slots."""
        self._slots.width = min(answers, self._target.sequences)

    def prepare(self, request: Request) -> Sequence:
        """Check a request and make its sequence, on any thread. Raises UsageError."""
        if not request.prompt:
            raise UsageError("The prompt is empty; say something to answer.")
        if len(request.prompt) >= self._target.length:
            raise ContextError(
                # By these words agents know that they must shorten it, and by how much.
                f"The prompt is too long: {len(request.prompt)} tokens > {self._target.length}, "
                "the maximum context length; shorten it."
            )
        least = 0 if request.echo else 1
        if request.max_tokens is not None and request.max_tokens < least:
            sentence = f"max_tokens is {request.max_tokens}; it must be at least {least}."
            raise UsageError(sentence, "max_tokens")
        if request.logprobs is not None and not 0 <= request.logprobs <= _MOST_LOGPROBS:
            raise UsageError(f"logprobs is {request.logprobs}; it must be 0 to {_MOST_LOGPROBS}.")
        wanted = request.speculation
        if wanted != "auto" and not (isinstance(wanted, int) and wanted >= 0):
            raise UsageError('speculation must be "auto", or a number of tokens (0 for none).')
        return Sequence(request, self._vocabulary, self._target.length, time.perf_counter())

    def submit(self, sequence: Sequence) -> None:
        """Queue a prepared sequence; it fills up as steps are taken."""
        self._waiting.append(sequence)

    def listen(self, listener: Callable[[Step], None]) -> None:
        """Tell `listener` of every step from now on, after the policy."""
        self._listeners.append(listener)

    def forget(self) -> None:
        """Drop what earlier answers left in caches and drafters. Nothing may be in work."""
        if self.busy:
            raise RuntimeError("an engine cannot forget what it is working on")
        self._slots.wipe_all()

    def step(self) -> list[Sequence]:
        """Take one step; returns the sequences that said something or ended."""
        start = self._ended or time.perf_counter()
        ended = self._drop_cancelled() + self._admit()
        turns = self._plan()
        if not turns:
            self._ended = 0.0
            return ended
        step = Step(
            prefilling=any(turn.sequence.backlog > 1 for turn in turns),
            depth=max(turn.sequence.cached for turn in turns),
        )
        try:
            self._draft(turns, step)
            self._advance(turns, step)
        except DecodeError as error:
            self._fail(turns, error, step)
        end = time.perf_counter()
        step.seconds = end - start
        self._ended = end if self._slots.sequences else 0.0
        self._pacing.observe(step)
        self._policy.observe(step)
        self._tell(step)
        return ended + [turn.sequence for turn in turns]

    def _tell(self, step: Step) -> None:
        for listener in list(self._listeners):
            try:
                listener(step)
            except Exception:  # it concerns whoever listens, not those who are answered
                log.exception("Whoever listened to steps failed, and hears of no more.")
                self._listeners.remove(listener)

    def _drop_cancelled(self) -> list[Sequence]:
        cancelled = [s for s in (*self._slots.sequences, *self._waiting) if s.cancelled]
        for sequence in cancelled:
            sequence.finish("cancelled")
            if sequence in self._waiting:
                self._waiting.remove(sequence)
        self._slots.release()
        return cancelled

    def _admit(self) -> list[Sequence]:
        """Give waiting requests a slot; returns those for which that failed."""
        failed = []
        while self._waiting and self._slots.any_free:
            sequence = self._next()
            try:
                self._slots.seat(sequence, time.perf_counter())
            except DecodeError as error:
                sequence.finish("error", error)
                self._slots.wipe(sequence.slot)
                failed.append(sequence)
        return failed

    def _next(self) -> Sequence:
        """Who has waited longest among those whose client has the fewest answers in work."""
        working = Counter(s.request.client for s in self._slots.sequences)
        sequence = min(self._waiting, key=lambda s: working[s.request.client])
        self._waiting.remove(sequence)
        return sequence

    def _plan(self) -> list[_Turn]:
        """Who takes part in the next decode, and with how much of its backlog."""
        self._slots.follow()
        active = self._slots.sequences
        turns = [_Turn(s, 1, last=True) for s in active if s.backlog == 1]
        reading = self._in_order(
            [s for s in active if s.backlog > 1 and not self._slots.follows(s)]
        )
        waiting = sum(sequence.backlog for sequence in reading)
        least = reading[0].bulk.due(reading[0].cached) if reading else 0
        left = self._pacing.tokens(waiting, len(reading), beside=len(turns), least=least)
        left = min(left, max(least, self._target.batch - len(turns)))
        rows_with_logits = self._target.outputs - len(active)
        for sequence in reading:
            if left < max(1, sequence.bulk.due(sequence.cached)):
                break
            fed, bulk = portion(sequence.backlog, sequence.cached, left, sequence.bulk)
            if sequence.reads_aloud:
                fed = min(fed, 1 + rows_with_logits)
                rows_with_logits -= max(0, fed - 1)
            if fed:
                turns.append(_Turn(sequence, fed, fed == sequence.backlog, bulk))
            left -= fed
        return sorted(turns, key=lambda turn: turn.sequence.slot)  # neighbours share a pass

    def _in_order(self, reading: list[Sequence]) -> list[Sequence]:
        """One prompt after another, as rows of one sequence share a pass: who has least left and
        who has waited longest come first by turns, so that nobody waits for long, and all once.
        """
        self._eldest_first = not self._eldest_first
        if self._eldest_first:
            return sorted(reading, key=lambda sequence: sequence.submitted)
        return sorted(reading, key=lambda sequence: sequence.backlog)

    def _draft(self, turns: Many[_Turn], step: Step) -> None:
        """Let the policy get guesses for the sequences that are decoding."""
        able = [t for t in turns if _may_guess(t.sequence)]
        most = self._target.even // len(turns) - 1  # guesses of each, as neighbours share a pass
        if not (able and self._drafters and most > 0):
            return
        if not self._policy.looks([t.sequence for t in able]):
            return
        start, step.looked = time.perf_counter(), True
        rows = self._target.batch - sum(turn.fed for turn in turns if not turn.bulk)
        share = min(rows, self._target.outputs - sum(t.outputs for t in turns)) // len(able)
        share = min(share, most)
        wishes = [Wish(t.sequence, min(share, t.sequence.room - 1)) for t in able]
        for turn, draft in zip(able, self._policy.draft(wishes, self._drafters), strict=True):
            turn.draft = draft
        step.draft_seconds = time.perf_counter() - start

    def _advance(self, turns: Many[_Turn], step: Step) -> None:
        """Decode all turns in one batch, let the target judge, and roll back what it refused."""
        start = time.perf_counter()
        sequences = [turn.sequence for turn in turns if turn.last]
        meanwhile = partial(self._policy.meanwhile, sequences, self._drafters)
        logits = self._evaluate(turns, step, meanwhile)
        now = time.perf_counter()
        step.target_seconds = now - start
        first = 0
        for turn in turns:
            rows = logits[first : first + turn.outputs]
            first += turn.outputs
            if turn.sequence.reads_aloud:
                turn.sequence.read(rows[: turn.fed])
            turn.sequence.cached += turn.fed
            if turn.last:
                try:
                    self._judge(turn, rows[turn.outputs - 1 - len(turn.draft) :], now, step)
                except DecodeError as error:  # it concerns this answer, not those beside it
                    self._fail([turn], error, step)
        self._slots.release()

    def _evaluate(self, turns: Many[_Turn], step: Step, meanwhile: Callable[[], None]) -> Logits:
        """Read in bulk, one after another, what is to be read so, and decode the rest together."""
        bulks = [turn.run() for turn in turns if turn.bulk]
        for run in bulks:
            self._target.read(run)
        runs = [turn.run() for turn in turns if not turn.bulk]
        logits = self._decode(runs, step, meanwhile) if runs else NO_LOGITS
        step.passes = [*(len(run.tokens) for run in bulks), *step.passes]
        return logits

    def _decode(self, runs: list[Run], step: Step, meanwhile: Callable[[], None]) -> Logits:
        """Logits of the runs, in as few passes as pays."""
        rows = sum(len(run.tokens) for run in runs)
        mixed = len(runs) > 1 and not self._target.own_cells
        if mixed or step.prefilling or not self._costs or max(rows, self._costs.steady) == 1:
            step.passes = [rows]
            return self._target.decode(runs, meanwhile)
        if len(runs) == 1 and self._costs.steady >= rows:  # more where the one it is for has gone
            return self._decode_steadily(runs[0], self._costs.steady, step, meanwhile)
        most = self._target.even if rows <= self._target.even else self._target.batch
        room = (most, self._target.length)
        runs, step.passes = fill_up(runs, self._slots.cached, room, self._costs.step)
        logits = self._target.decode(runs, meanwhile)
        for run in runs:
            if run.surplus:
                self._target.truncate(run.slot, run.position + len(run.tokens) - run.surplus)
        return logits

    def _decode_steadily(
        self, run: Run, rows: int, step: Step, meanwhile: Callable[[], None]
    ) -> Logits:
        """As many rows as always, all with logits: else llama.cpp would build another graph."""
        end = run.position + len(run.tokens)
        run = widen(run, min(rows, self._target.length - run.position))
        step.passes = [len(run.tokens)]
        logits = self._target.decode([run], meanwhile)
        self._target.truncate(run.slot, end)
        return logits

    def _judge(self, turn: _Turn, rows: Logits, now: float, step: Step) -> None:
        """Let the target say what holds of a turn's draft, and what follows."""
        if turn.sequence.room <= 0:  # it only wanted its prompt read
            turn.sequence.finish("length")
        held = 0 if turn.sequence.finish_reason else verify(turn.sequence, turn.draft, rows)
        turn.sequence.record(turn.draft, held, now, step.draft_seconds, step.target_seconds)
        step.outcomes.append(Outcome(turn.sequence, turn.draft, held, rows[held]))
        self._roll_back(turn, held, step)

    def _roll_back(self, turn: _Turn, held: int, step: Step) -> None:
        """Cut both caches to the committed tokens: what is left of a draft was never said.

        Drafters nobody asked have nothing to take back, and hear of the answer when it has ended.
        """
        sequence = turn.sequence
        evaluated = sequence.cached + len(turn.draft)
        sequence.cached = min(sequence.cached + held, len(sequence))
        if sequence.cached < evaluated:
            self._target.truncate(sequence.slot, sequence.cached)
        if step.looked or sequence.finish_reason:
            for drafter in self._drafters:
                drafter.truncate(sequence.slot, sequence.cached)
                drafter.observe(sequence)

    def _fail(self, turns: Many[_Turn], error: DecodeError, step: Step) -> None:
        """End the answers of what failed, and forget caches nobody can vouch for. What the step
        took says nothing.
        """
        step.passes = ()
        for sequence in (turn.sequence for turn in turns):
            sequence.finish("error", error)
            sequence.cached = 0
            self._slots.wipe(sequence.slot)
        self._slots.release()
