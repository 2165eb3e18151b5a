"""The one thread that owns the engine, and the streams by which others hear from it.

All decodes of an engine happen on its thread, those while it is being built too. That is not
only because contexts are not thread-safe: an OpenMP build of llama.cpp keeps a pool of threads
for each thread that ever decoded, and with two pools on one processor every barrier sleeps
instead of spinning, which was measured to make a decode four times as slow.
"""

import logging
import queue
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from contextlib import ExitStack
from dataclasses import dataclass
from typing import NamedTuple, Self

from localspec.conversation.calling.notation import Calling
from localspec.conversation.thinking import Thinking
from localspec.decoding.sequence import FinishReason, Piece, Request, Sequence, TokenLogprob
from localspec.decoding.statistics import Statistics
from localspec.engine.engine import Engine
from localspec.errors import BusyError, LocalspecError, UsageError
from localspec.governor.policy import Step

__all__ = ["Answer", "Stream", "Worker"]

log = logging.getLogger(__name__)

_POLL_SECONDS = 0.2  # how long Ctrl-C may take where a blocked queue cannot be interrupted
_GONE = "This model was closed, or has failed; load it again."
_ELSEWHERE = "This model was loaded before the process forked; load it again here."


class _Job(NamedTuple):
    """Something to be done on the engine's thread, between steps or when no answer is in work."""

    work: Callable[[], None]
    done: Future[None]
    when_idle: bool


class _Delivery(NamedTuple):
    """What one step gave; after the last one nothing comes."""

    pieces: list[Piece]
    last: bool


@dataclass(frozen=True)
class Answer:
    """A whole answer."""

    text: str
    tokens: list[int]
    finish_reason: FinishReason
    seed: int
    statistics: Statistics
    logprobs: list[TokenLogprob] | None = None
    """One a token, where they were asked for."""
    stop: str | None = None
    """The stop string that ended it, if one did."""
    thinking: Thinking | None = None
    """How to tell its thoughts from the rest."""
    calling: Calling | None = None
    """How to tell its calls from the rest, where there may be any."""


class Stream:
    """An answer on its way: iterate over its pieces; `answer` is what has come so far.

    Iterating again goes on where it was left. `cancel`, `close`, the end of a `with` block and
    letting go of the stream end the generation.
    """

    def __init__(self, sequence: Sequence, outbox: "_Outbox") -> None:
        self._sequence, self._inbox = sequence, outbox.queue
        self._unread: deque[Piece] = deque()
        self._text: list[str] = []
        self._tokens: list[int] = []
        self._logprobs: list[TokenLogprob] = []
        self._ended = self._complained = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __del__(self) -> None:
        self.cancel()

    def __iter__(self) -> Iterator[Piece]:
        while self._unread or not self._ended:
            if self._unread:
                yield self._read()
            else:
                self._receive(_wait(self._inbox))
        self._complain()

    def take(self) -> list[Piece]:
        """The pieces that have come, without waiting. After the last ones `ended` is true.

        Raises what went wrong once there are no pieces left.
        """
        while not self._inbox.empty():
            self._receive(self._inbox.get())
        pieces = [self._read() for _ in range(len(self._unread))]
        if self._ended and not pieces:
            self._complain()
        return pieces

    @property
    def ended(self) -> bool:
        """Whether all has been read."""
        return self._ended and not self._unread

    def _receive(self, delivery: _Delivery) -> None:
        pieces, self._ended = delivery
        self._unread.extend(pieces)

    def _read(self) -> Piece:
        piece = self._unread.popleft()
        self._text.append(piece.text)
        if piece.token is not None:
            self._tokens.append(piece.token)
        if piece.logprob is not None:
            self._logprobs.append(piece.logprob)
        return piece

    def _complain(self) -> None:
        if self._sequence.error and not self._complained:
            self._complained = True
            raise self._sequence.error

    @property
    def thinking(self) -> Thinking | None:
        """How to tell the answer's thoughts from the rest."""
        return self._sequence.request.thinking

    @property
    def calling(self) -> Calling | None:
        """How to tell calls from the rest, where there may be any."""
        return self._sequence.request.calling

    @property
    def sequence(self) -> Sequence:
        """What the engine works on; only to be looked at."""
        return self._sequence

    @property
    def finished(self) -> bool:
        """Whether the answer has come to its end, read or not."""
        return self._sequence.finish_reason is not None

    def cancel(self) -> None:
        """Stop after the step that is being taken; what it says still comes."""
        self._sequence.cancelled = True

    def close(self) -> None:
        """Cancel, and take what still comes."""
        self.cancel()
        for _ in self:
            pass

    @property
    def answer(self) -> Answer:
        """What has been read so far, with its statistics."""
        request = self._sequence.request
        return Answer(
            text="".join(self._text),
            tokens=list(self._tokens),
            finish_reason=self._sequence.finish_reason or "cancelled",
            seed=request.sampling.seed,
            statistics=self._sequence.statistics,
            logprobs=None if request.logprobs is None else list(self._logprobs),
            stop=self._sequence.stop,
            thinking=request.thinking,
            calling=request.calling,
        )


def _wait(inbox: queue.SimpleQueue[_Delivery]) -> _Delivery:
    while True:
        try:
            return inbox.get(timeout=_POLL_SECONDS)
        except queue.Empty:
            continue


@dataclass(frozen=True)
class _Outbox:
    """Where an answer is put, and whom to tell of it."""

    queue: queue.SimpleQueue[_Delivery]
    told: Callable[[bool], None]

    def put(self, delivery: _Delivery) -> None:
        self.queue.put(delivery)
        try:
            self.told(delivery.last)
        except Exception:  # it concerns whoever asked, not the engine
            log.exception("Whoever was told of an answer failed.")


def _do(job: _Job) -> None:
    try:
        job.work()
    except Exception as error:  # it concerns whoever asked, not the engine
        job.done.set_exception(error)
    else:
        job.done.set_result(None)


def _nobody(last: bool) -> None:
    """Whoever reads the stream waits for it."""


class Worker:
    """Steps an engine for as long as there is something to do. Its methods are for any thread."""

    def __init__(self, build: Callable[[ExitStack], Engine], most: int | None = None) -> None:
        """Build the engine on the new thread, with resources that live as long as it does.

        No more than `most` answers may be unfinished at once. Raises what `build` raises.
        """
        self._build, self._most = build, most
        self._built: Future[Engine] = Future()
        self._inbox: queue.SimpleQueue[Sequence | _Job | None] = queue.SimpleQueue()
        self._outboxes: dict[Sequence, _Outbox] = {}
        self._lock = threading.Lock()
        self._ended = False
        self._thread = threading.Thread(target=self._run, name="localspec-engine", daemon=True)
        try:
            self._thread.start()
            self._engine = self._built.result()
        except BaseException:  # Ctrl-C: what is built in spite of it would be nobody's
            self._inbox.put(None)
            raise

    def stream(self, request: Request, told: Callable[[bool], None] | None = None) -> Stream:
        """Begin to answer; see `streams`."""
        return self.streams([request], told)[0]

    def streams(
        self, requests: Iterable[Request], told: Callable[[bool], None] | None = None
    ) -> list[Stream]:
        """Begin to answer all requests or none.

        Raises UsageError where one makes no sense, BusyError where too many would wait, and what
        `check` raises. `told` is called on the engine's thread whenever there is something to read,
        with whether it is the last of an answer; it must be quick.
        """
        sequences = [self._engine.prepare(request) for request in requests]
        if self._most is not None and len(sequences) > self._most:
            raise UsageError(
                f"{len(sequences)} answers at once are too many; {self._most} can be made or wait."
            )
        outboxes = {
            sequence: _Outbox(queue.SimpleQueue(), told or _nobody) for sequence in sequences
        }
        with self._lock:
            self.check()
            if self._most is not None and len(self._outboxes) + len(sequences) > self._most:
                raise BusyError(
                    f"No more than {self._most} answers can be made or wait; ask again later."
                )
            self._outboxes |= outboxes
        for sequence in sequences:
            self._inbox.put(sequence)
        return [Stream(sequence, outbox) for sequence, outbox in outboxes.items()]

    def check(self) -> None:
        """Raises LocalspecError where nobody would ever answer: after `close`, after a failure of
        the engine itself, and in a fork.
        """
        if self._ended:
            raise LocalspecError(_GONE)
        if not self._thread.is_alive():  # a fork copies no threads but its own
            raise LocalspecError(_ELSEWHERE)

    @property
    def running(self) -> int:
        """Answers that have a slot."""
        return self._engine.running

    @property
    def unfinished(self) -> int:
        """Answers that are being made or wait."""
        return len(self._outboxes)

    def limit(self, answers: int) -> None:
        """Work on so many answers at once from now on; others wait."""
        self.do(lambda: self._engine.limit(answers))

    def listen(self, listener: Callable[[Step], None]) -> None:
        """Tell `listener` of every step from now on, on the engine's thread."""
        self.do(lambda: self._engine.listen(listener))

    def forget(self, then: Callable[[], None] = lambda: None) -> None:
        """Drop what earlier answers left in caches and drafters, and do something before the next
        one; waits for running ones.
        """

        def both() -> None:
            self._engine.forget()
            then()

        self.do(both, when_idle=True)

    def do(self, work: Callable[[], None], *, when_idle: bool = False) -> None:
        """Have something done on the engine's thread. Raises what `work` raises."""
        job = _Job(work, Future(), when_idle)
        with self._lock:
            self.check()
            self._inbox.put(job)
        job.done.result()

    def close(self) -> None:
        """Cancel all answers and end the thread."""
        self._inbox.put(None)
        self._thread.join()

    def _run(self) -> None:
        try:
            with ExitStack() as resources:
                engine = self._build(resources)
                self._built.set_result(engine)
                self._work(engine)
        except BaseException as error:
            if self._built.done():
                raise
            self._built.set_exception(error)  # when all is freed: who hears of it may exit at once

    def _work(self, engine: Engine) -> None:
        try:
            while self._take_orders(engine):
                for sequence in engine.step():
                    self._deliver(sequence)
        except Exception as error:  # whatever it is, those who wait must hear of it
            self._end_all("error", error)
            raise
        self._end_all("cancelled")

    def _take_orders(self, engine: Engine) -> bool:
        """Hand new sequences to the engine; waits when there is nothing else to do."""
        while not (engine.busy and self._inbox.empty()):
            order = self._inbox.get()
            if order is None:
                return False
            if isinstance(order, Sequence):
                engine.submit(order)
            elif order.when_idle and engine.busy:
                self._inbox.put(order)  # its turn comes when the answers have ended
                return True
            else:
                _do(order)
        return True

    def _end_all(self, reason: FinishReason, error: Exception | None = None) -> None:
        with self._lock:
            self._ended = True
        while not self._inbox.empty():
            order = self._inbox.get()
            if isinstance(order, _Job):
                order.done.set_exception(LocalspecError(_GONE))
        for sequence in list(self._outboxes):
            if not sequence.finish_reason:
                sequence.finish(reason, error)
            self._deliver(sequence)

    def _deliver(self, sequence: Sequence) -> None:
        last = sequence.finish_reason is not None
        if sequence.request.whole and not last:
            return
        pieces = sequence.take_pieces()
        if last:
            with self._lock:
                outbox = self._outboxes.pop(sequence)
            outbox.put(_Delivery(pieces, last))
        elif pieces:
            self._outboxes[sequence].put(_Delivery(pieces, last))
