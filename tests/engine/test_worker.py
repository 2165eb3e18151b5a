"""The worker and its streams: what other threads hear of an engine, and how they end it.

Nothing here depends on how fast anything is: the long timeouts only guard against hanging.
"""

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import replace
from typing import Any, TypeVar

import pytest
from fakes import ENDLESS, PROMPT, FakeModel, OracleDrafter, engine, plain, working

from localspec.decoding.draft import Draft
from localspec.decoding.sampling import Sampling
from localspec.decoding.sequence import Piece, Request
from localspec.engine.engine import Engine
from localspec.engine.worker import Stream, Worker
from localspec.errors import BusyError, DecodeError, LocalspecError, ModelError, UsageError
from localspec.governor.policy import Step

T = TypeVar("T")
PATIENCE = 60
"""Seconds after which something is taken to hang."""
FOREVER = Request(PROMPT, ENDLESS, speculation=2)  # would take about 100,000 tokens
SHORT = Request(PROMPT, ENDLESS, 12, speculation=2)


def within(call: Callable[[], T]) -> T:
    """What a call that must not hang returns or raises."""
    outcome: list[Any] = []

    def go() -> None:
        try:
            outcome.extend((call(), None))
        except BaseException as error:
            outcome.extend((None, error))

    thread = threading.Thread(target=go, daemon=True)
    thread.start()
    thread.join(PATIENCE)
    if not outcome:
        pytest.fail("it hangs")  # which no test can mistake for an error it expects
    if outcome[1]:
        raise outcome[1]
    result: T = outcome[0]
    return result


def read_all(stream: Stream) -> list[Piece]:
    return within(lambda: list(stream))


@pytest.fixture
def target() -> FakeModel:
    return FakeModel(length=100_000, sequences=2)


@pytest.fixture
def worker(target: FakeModel) -> Iterator[Worker]:
    worker = working(engine(target, [OracleDrafter(target, lie=1)]))
    yield worker
    within(worker.close)


def text(target: FakeModel, request: Request) -> str:
    return "".join(chr(ord("a") + token) for token in plain(target, request)[0])


def check_it_serves(worker: Worker, target: FakeModel) -> None:
    stream = worker.stream(SHORT)
    assert within(lambda: [piece.token for piece in stream]) == plain(target, SHORT)[0]


def test_answers_are_begun_together_or_not_at_all(target: FakeModel) -> None:
    worker = Worker(lambda resources: engine(target), most=3)
    running = worker.stream(FOREVER)
    with pytest.raises(BusyError):
        worker.streams([FOREVER] * 3)
    assert worker.unfinished == 1
    with pytest.raises(UsageError, match="too many"):  # whenever they ask again
        worker.streams([FOREVER] * 4)
    with pytest.raises(UsageError):
        worker.streams([FOREVER, replace(FOREVER, prompt=[])])
    assert worker.unfinished == 1
    others = worker.streams([SHORT] * 2)
    for stream in others:
        assert [piece.token for piece in read_all(stream)] == plain(target, SHORT)[0]
    running.cancel()
    within(worker.close)


# Hearing an answer -----------------------------------------------------------------------------


def test_pieces_come_in_order_and_make_up_the_answer(worker: Worker, target: FakeModel) -> None:
    stream = worker.stream(SHORT)
    pieces = read_all(stream)
    tokens, reason = plain(target, SHORT)
    assert [piece.token for piece in pieces] == tokens
    assert "".join(piece.text for piece in pieces) == text(target, SHORT)
    answer = stream.answer
    assert (answer.text, answer.tokens) == (text(target, SHORT), tokens)
    assert (answer.finish_reason, answer.seed) == (reason, ENDLESS.seed)
    assert answer.statistics.completion_tokens == 12
    assert read_all(stream) == [], "what was read is not read twice"


def test_what_has_come_is_taken_without_waiting(worker: Worker, target: FakeModel) -> None:
    stream = worker.stream(SHORT)
    tokens: list[int | None] = []

    def take_all() -> None:
        while not stream.ended:
            tokens.extend(piece.token for piece in stream.take())

    within(take_all)
    assert tokens == plain(target, SHORT)[0]
    assert stream.answer.tokens == tokens
    assert stream.take() == []


def test_who_wants_a_whole_answer_hears_of_its_end_only(worker: Worker, target: FakeModel) -> None:
    told: list[bool] = []
    stream = worker.stream(replace(SHORT, whole=True), told.append)
    pieces = read_all(stream)
    assert told == [True]
    assert [piece.token for piece in pieces] == plain(target, SHORT)[0]


def test_a_whole_answer_that_is_cancelled_keeps_what_was_said(worker: Worker) -> None:
    stream = worker.stream(replace(FOREVER, whole=True))

    def wait() -> None:
        while not stream.sequence.answer:
            pass

    within(wait)
    stream.close()
    answer = stream.answer
    assert answer.finish_reason == "cancelled"
    assert answer.tokens == stream.sequence.answer


def test_an_answer_knows_where_its_time_went(worker: Worker) -> None:
    stream = worker.stream(SHORT)
    read_all(stream)
    s = stream.answer.statistics
    assert s.draft_seconds > 0
    assert s.target_seconds > 0
    assert s.draft_seconds + s.target_seconds <= s.predicted_seconds


def test_text_kept_back_for_a_stop_string_comes_in_the_end(
    worker: Worker, target: FakeModel
) -> None:
    whole = text(target, SHORT)
    stream = worker.stream(replace(SHORT, stops=[whole[-2:] + "!"]))
    assert within(lambda: "".join(piece.text for piece in stream)) == whole
    stream = worker.stream(replace(SHORT, stops=[whole[5:7]]))
    assert within(lambda: "".join(piece.text for piece in stream)) == whole.split(whole[5:7])[0]
    assert stream.answer.finish_reason == "stop"


def test_an_answer_waits_for_whoever_reads_late(worker: Worker, target: FakeModel) -> None:
    late = worker.stream(SHORT)
    for _ in range(3):
        check_it_serves(worker, target)
    assert within(lambda: [piece.token for piece in late]) == plain(target, SHORT)[0]


def test_many_threads_are_answered_at_once(worker: Worker, target: FakeModel) -> None:
    heard: dict[tuple[int, int], list[int | None]] = {}

    def converse(who: int) -> None:
        for turn in range(3):
            heard[who, turn] = [piece.token for piece in worker.stream(wish(who, turn))]

    def wish(who: int, turn: int) -> Request:
        return Request(PROMPT[: 1 + who], Sampling(seed=10 * who + turn), 20, speculation=turn)

    threads = [threading.Thread(target=converse, args=(who,), daemon=True) for who in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    assert heard == {
        (who, turn): plain(target, wish(who, turn))[0] for who in range(6) for turn in range(3)
    }


def test_a_reader_that_stumbles_loses_no_piece(worker: Worker, target: FakeModel) -> None:
    stream = worker.stream(replace(SHORT, speculation=8))
    read: list[int | None] = []

    def stumble() -> None:
        for piece in stream:
            read.append(piece.token)
            if len(read) % 3 == 0:
                raise KeyError("the reader's own mistake")

    for _ in range(4):
        with pytest.raises(KeyError):
            within(stumble)
    within(stumble)
    assert read == plain(target, SHORT)[0] == stream.answer.tokens


def test_what_makes_no_sense_is_refused_where_it_is_asked(
    worker: Worker, target: FakeModel
) -> None:
    with pytest.raises(UsageError):
        worker.stream(Request([], ENDLESS))
    check_it_serves(worker, target)


# Ending one ------------------------------------------------------------------------------------


def read_some(stream: Stream, pieces: int = 5) -> None:
    def read() -> None:
        for _, _ in zip(range(pieces), stream, strict=False):
            pass

    within(read)


def check_it_was_cut_short(stream: Stream, target: FakeModel) -> None:
    answer = stream.answer
    assert answer.finish_reason == "cancelled"
    assert read_all(stream) == [], "nothing comes after the end"
    expected = plain(target, replace(FOREVER, max_tokens=max(1, len(answer.tokens))))[0]
    assert answer.tokens == expected[: len(answer.tokens)]


def test_a_cancelled_stream_ends_with_what_was_said(worker: Worker, target: FakeModel) -> None:
    stream = worker.stream(FOREVER)
    read_some(stream)
    stream.cancel()
    read_all(stream)
    assert len(stream.answer.tokens) >= 5
    check_it_was_cut_short(stream, target)
    check_it_serves(worker, target)


def test_a_stream_can_be_cancelled_while_it_waits_for_a_slot(
    worker: Worker, target: FakeModel
) -> None:
    running = [worker.stream(FOREVER) for _ in range(target.sequences)]
    for stream in running:
        read_some(stream)
    waiting = worker.stream(FOREVER)
    waiting.cancel()
    assert read_all(waiting) == []
    check_it_was_cut_short(waiting, target)


def test_closing_ends_a_stream(worker: Worker, target: FakeModel) -> None:
    stream = worker.stream(FOREVER)
    read_some(stream)
    within(stream.close)
    check_it_was_cut_short(stream, target)
    within(stream.close)
    assert read_all(stream) == []


def test_leaving_a_with_block_ends_the_stream(worker: Worker, target: FakeModel) -> None:
    def leave() -> Stream:
        with worker.stream(FOREVER) as stream:
            for _ in stream:
                break
            return stream

    check_it_was_cut_short(within(leave), target)


@pytest.mark.parametrize("pieces", [0, 3])
def test_letting_go_of_streams_frees_their_slots(
    worker: Worker, target: FakeModel, pieces: int
) -> None:
    for _ in range(3 * target.sequences):
        read_some(worker.stream(FOREVER), pieces)
    check_it_serves(worker, target)


def test_closing_the_worker_ends_everything(target: FakeModel) -> None:
    worker = working(engine(target, [OracleDrafter(target)]))
    streams = [worker.stream(FOREVER) for _ in range(3 * target.sequences)]
    read_some(streams[0])
    within(worker.close)
    for stream in streams:
        read_all(stream)
        check_it_was_cut_short(stream, target)
    within(worker.close)


def test_an_idle_worker_closes(target: FakeModel) -> None:
    within(working(engine(target)).close)


def test_a_closed_worker_leaves_nobody_waiting(target: FakeModel) -> None:
    worker = working(engine(target))
    within(worker.close)
    with pytest.raises(LocalspecError, match="was closed"):
        within(lambda: worker.stream(SHORT))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="nothing forks here")
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_after_a_fork_nobody_waits_for_a_thread_that_is_not_there(worker: Worker) -> None:
    child = os.fork()
    if not child:
        with suppress(BaseException):
            with pytest.raises(LocalspecError, match="before the process forked"):
                worker.stream(SHORT)
            os._exit(0)
        os._exit(1)
    assert within(lambda: os.waitpid(child, 0))[1] == 0


def test_a_listener_that_fails_harms_nobody(worker: Worker) -> None:
    heard: list[Step] = []

    def fail(step: Step) -> None:
        heard.append(step)
        raise ValueError("a mistake")

    worker.listen(fail)
    assert len(read_all(worker.stream(SHORT))) == 12
    assert len(heard) == 1


# Forgetting ------------------------------------------------------------------------------------


def test_forgetting_waits_for_answers_that_run(worker: Worker, target: FakeModel) -> None:
    long = worker.stream(replace(SHORT, max_tokens=200))
    read_some(long)
    within(worker.forget)
    assert not any(target.cache)
    assert long.answer.finish_reason == "length"
    assert len(read_all(long)) == 195
    stream = worker.stream(SHORT)
    read_all(stream)
    assert stream.answer.statistics.cached_tokens == 0


def test_nobody_waits_for_a_closed_worker_to_forget(target: FakeModel) -> None:
    worker = working(engine(target))
    within(worker.close)
    with pytest.raises(LocalspecError, match="was closed"):
        within(worker.forget)


def test_closing_releases_who_waits_for_the_worker_to_forget(target: FakeModel) -> None:
    worker = working(engine(target))
    stream = worker.stream(FOREVER)
    read_some(stream)

    def forget() -> None:
        with suppress(LocalspecError):
            worker.forget()

    waiting = threading.Thread(target=forget, daemon=True)
    waiting.start()
    read_some(stream)  # the engine goes on, and somebody waits for it to end
    within(worker.close)
    waiting.join(PATIENCE)
    assert not waiting.is_alive(), "it hangs"


# The engine's thread ---------------------------------------------------------------------------


def test_an_engine_lives_and_dies_on_its_own_thread(target: FakeModel) -> None:
    seen: list[threading.Thread] = []

    def build(resources: ExitStack) -> Engine:
        seen.append(threading.current_thread())
        resources.callback(lambda: seen.append(threading.current_thread()))
        return engine(target)

    worker = Worker(build)
    check_it_serves(worker, target)
    assert len(seen) == 1
    within(worker.close)
    assert len(seen) == 2
    assert seen[0] is seen[1] is not threading.current_thread()


def test_what_goes_wrong_in_building_is_raised_where_the_worker_is_made() -> None:
    closed = threading.Event()

    def build(resources: ExitStack) -> Engine:
        resources.callback(closed.set)
        resources.callback(time.sleep, 0.05)
        raise ModelError("The file is damaged.")

    with pytest.raises(ModelError):
        within(lambda: Worker(build))
    assert closed.is_set()  # what is freed while the program exits would abort it


# Failures --------------------------------------------------------------------------------------


def test_a_failed_decode_reaches_the_reader_after_what_was_said(
    worker: Worker, target: FakeModel
) -> None:
    target.fails_at = 4
    stream, read = worker.stream(SHORT), list[int | None]()
    with pytest.raises(DecodeError):
        within(lambda: read.extend(piece.token for piece in stream))
    assert stream.answer.finish_reason == "error"
    assert stream.answer.tokens
    assert stream.answer.tokens == plain(target, SHORT)[0][: len(stream.answer.tokens)]
    check_it_serves(worker, target)


def test_an_error_that_was_heard_is_not_raised_again_by_closing(
    worker: Worker, target: FakeModel
) -> None:
    target.fails_at = 4
    stream = worker.stream(SHORT)
    with pytest.raises(DecodeError):
        read_all(stream)
    within(stream.close)


class Broken(OracleDrafter):
    """Fails in a way nobody foresaw, when it is told to."""

    def __init__(self, target: FakeModel) -> None:
        super().__init__(target)
        self.now = threading.Event()

    def propose(self, asks: object) -> list[Draft]:
        self.now.wait(PATIENCE)
        raise ZeroDivisionError("a bug")


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_bug_in_the_engine_reaches_all_who_wait(target: FakeModel) -> None:
    broken = Broken(target)
    worker = working(engine(target, [broken]))
    streams = [worker.stream(FOREVER) for _ in range(3 * target.sequences)]
    broken.now.set()
    for stream in streams:
        with pytest.raises(ZeroDivisionError):
            read_all(stream)
    within(worker.close)


def test_whoever_is_told_may_fail_and_others_hear_of_theirs(
    worker: Worker, target: FakeModel
) -> None:
    def fail(last: bool) -> None:
        raise ZeroDivisionError("a bug of whoever asked")

    streams = [worker.stream(SHORT, told=fail), worker.stream(SHORT)]
    for stream in streams:
        assert [piece.token for piece in read_all(stream)] == plain(target, SHORT)[0]


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_after_a_bug_in_the_engine_nobody_is_left_waiting(target: FakeModel) -> None:
    broken = Broken(target)
    worker = working(engine(target, [broken]))
    first = worker.stream(FOREVER)
    broken.now.set()
    with pytest.raises(ZeroDivisionError):
        read_all(first)
    within(worker.close)
    with pytest.raises(LocalspecError, match="has failed"):
        within(lambda: worker.stream(SHORT))
