"""How answers of a worker end before their time: by who reads, by closing, by failures."""

import os
import signal
import threading
from contextlib import ExitStack, suppress
from dataclasses import replace

import pytest
from fakes import FakeModel, OracleDrafter, engine, plain, working
from workers import FOREVER, PATIENCE, SHORT, check_it_serves, read_all, read_some, within

from localspec.decoding.draft import Draft
from localspec.engine.engine import Engine
from localspec.engine.worker import Stream, Worker
from localspec.errors import DecodeError, LocalspecError
from localspec.governor.policy import Step


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


@pytest.mark.skipif(os.name == "nt", reason="no thread can be interrupted there")
def test_who_interrupts_the_building_has_nothing_to_close(target: FakeModel) -> None:
    interrupted, freed = threading.Event(), threading.Event()

    def build(resources: ExitStack) -> Engine:
        resources.callback(freed.set)
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)
        assert interrupted.wait(PATIENCE)
        return engine(target)

    with pytest.raises(KeyboardInterrupt):
        Worker(build)
    interrupted.set()
    assert freed.wait(PATIENCE)


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


def test_a_listener_that_fails_harms_nobody(worker: Worker) -> None:
    heard: list[Step] = []

    def fail(step: Step) -> None:
        heard.append(step)
        raise ValueError("a mistake")

    worker.listen(fail)
    assert len(read_all(worker.stream(SHORT))) == 12
    assert len(heard) == 1
