"""The worker and its streams: what other threads hear of an engine.

Nothing here depends on how fast anything is: the long timeouts only guard against hanging.
"""

import threading
import time
from contextlib import ExitStack, suppress
from dataclasses import replace

import pytest
from fakes import ENDLESS, PROMPT, FakeModel, engine, plain, working
from workers import FOREVER, PATIENCE, SHORT, check_it_serves, read_all, read_some, within

from localspec.decoding.sampling import Sampling
from localspec.decoding.sequence import Request
from localspec.engine.engine import Engine
from localspec.engine.worker import Worker
from localspec.errors import BusyError, LocalspecError, ModelError, UsageError


def text(target: FakeModel, request: Request) -> str:
    return "".join(chr(ord("a") + token) for token in plain(target, request)[0])


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
