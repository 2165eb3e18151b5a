"""Servers that stall, drop, are busy, fail, or talk nonsense: lines get answers all the same."""

import signal
import threading

import pytest
from batch_world import RECIPE, Watching, World, lines
from fake_endpoint import FakeEndpoint, Request, slow

from localspec.batch.backends import endpoints as module
from localspec.batch.backends import fleet
from localspec.batch.backends.base import Effort
from localspec.batch.backends.endpoints import Endpoints, Settings
from localspec.batch.plan import Counts
from localspec.batch.request import Recipe
from localspec.errors import LocalspecError
from localspec.remote import Remote


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fleet, "_FIRST_REST", 0.01)
    monkeypatch.setattr(module, "_PAUSES", (0.01, 0.02, 0.04))


def endpoints(*servers: FakeEndpoint, **settings: float) -> Endpoints:
    return Endpoints(Settings([server.url for server in servers], **settings))  # type: ignore[arg-type]


def statuses(world: World) -> list[int]:
    return [answer["response"]["status_code"] for answer in world.answers()]


def test_a_server_answers_with_its_own_body_and_the_lines_own_seed(world: World) -> None:
    world.write({"custom_id": "a", "prompt": "hi", "seed": 5}, {"prompt": "ho", "model": "mine"})
    with FakeEndpoint() as server:
        watching = Watching()
        assert world.run(endpoints(server), watching).counts == Counts(2, 2, 0)
    first, second = (answer["response"]["body"] for answer in world.answers())
    assert first["choices"][0]["message"]["content"] == "echo hi 5"
    assert (first["model"], second["model"]) == ("fake-model", "mine")
    assert watching.effort == Effort(4, 6)


def once(misbehave: object) -> object:
    """Misbehave at the first request of each line."""

    def behave(request: Request) -> None:
        assert callable(misbehave)
        misbehave(request) if request.count == 1 else request.answer()

    return behave


@pytest.mark.parametrize(
    "misbehave",
    [
        lambda request: request.reply(500, {"error": {"message": "oh"}}),
        lambda request: request.reply(429, {}, Retry_After="0"),
        lambda request: request.reply(503, "loading"),
        lambda request: request.raw(200, b"<html>"),
        lambda request: request.raw(200, b"[1]"),
        lambda request: request.reply(200, {"error": "odd"}),
        lambda request: request.answer("abort"),
        Request.drop,
    ],
    ids=["500", "429", "503", "html", "list", "error as 200", "abort", "drop"],
)
def test_what_goes_wrong_once_is_tried_again(world: World, misbehave: object) -> None:
    world.write(*lines(6))
    with FakeEndpoint(once(misbehave)) as server:  # type: ignore[arg-type]
        assert world.run(endpoints(server, parallel=3)).counts == Counts(6, 6, 0)
    bodies = [answer["response"]["body"] for answer in world.answers()]
    assert {body["choices"][0]["finish_reason"] for body in bodies} == {"stop"}


def test_a_server_that_is_shutting_down_costs_no_line(world: World) -> None:
    """vLLM then says 500 to all that is new, until what it has begun is answered."""

    def behave(request: Request) -> None:
        request.answer() if request.number == 4 else request.reply(500, {})

    world.write(*lines(1))
    with FakeEndpoint(behave) as server:
        assert world.run(endpoints(server)).counts == Counts(1, 1, 0)


def test_a_request_that_stalls_is_tried_again(world: World) -> None:
    over = threading.Event()

    def behave(request: Request) -> None:
        if request.number == 1:
            over.wait()
        else:
            request.answer()

    world.write(*lines(6))
    with FakeEndpoint(behave) as server:
        assert world.run(endpoints(server, parallel=3, seconds=1)).counts == Counts(6, 6, 0)
        over.set()


def test_what_a_server_refuses_is_a_failed_line(world: World) -> None:
    def behave(request: Request) -> None:
        if "question 1 " in request.text:
            request.reply(400, {"error": {"message": "too long", "type": "Bad", "code": 400}})
        else:
            request.answer()

    world.write(*lines(3))
    with FakeEndpoint(behave) as server:
        assert world.run(endpoints(server)).counts == Counts(3, 3, 1)
        assert max(server.seen.values()) == 1
    assert statuses(world) == [200, 400, 200]
    error = world.answers()[1]["response"]["body"]["error"]
    assert "too long" in error.pop("message")
    assert error == {"type": "Bad", "param": None, "code": 400}


def test_a_line_that_breaks_every_server_fails_alone(world: World) -> None:
    def behave(request: Request) -> None:
        request.drop() if "question 1 " in request.text else request.answer()

    world.write(*lines(5))
    with FakeEndpoint(behave) as one, FakeEndpoint(behave) as other:
        assert world.run(endpoints(one, other)).counts == Counts(5, 5, 1)
    assert statuses(world) == [200, 502, 200, 200, 200]


def test_work_goes_to_the_server_that_is_least_busy(world: World) -> None:
    most_is_done = threading.Event()

    def briskly(request: Request) -> None:
        request.answer()
        if request.number >= 50:
            most_is_done.set()

    def lazily(request: Request) -> None:
        most_is_done.wait()
        request.answer()

    world.write(*lines(60))
    with FakeEndpoint(briskly) as quick, FakeEndpoint(lazily) as lazy:
        world.run(endpoints(quick, lazy, parallel=4))
        assert sum(quick.seen.values()) >= 50
        assert sum(lazy.seen.values()) > 0
        assert quick.most <= 4
        assert lazy.most <= 4


def test_a_busy_server_gets_less_at_once(world: World) -> None:
    def behave(request: Request) -> None:
        if request.server.running > 2:
            request.reply(429, {})
        else:
            slow(0.005)(request)

    world.write(*lines(60))
    with FakeEndpoint(behave) as server:
        assert world.run(endpoints(server, parallel=16)).counts.failed == 0
        assert sum(server.seen.values()) < 60 + 60


def test_many_at_once_who_are_refused_are_one_refusal() -> None:
    now = [0.0]
    server = fleet.Server(Remote("http://127.0.0.1:9"), most=16)
    servers = fleet.Fleet([server], clock=lambda: now[0])
    for _ in range(16):
        servers.bad(server, busy=True, wish=None)
    assert (server.limit, server.failures) == (8, 1)
    servers.bad(server, busy=True, wish=7.0)
    assert server.rests_until == 7, "but what they wish for counts"
    now[0] = 8.0
    servers.bad(server, busy=True, wish=None)
    assert (server.limit, server.failures) == (4, 2)


def test_a_dead_server_is_left_alone_and_taken_back_when_it_returns(world: World) -> None:
    world.write(*lines(80))
    revived, dead, back = list[FakeEndpoint](), threading.Event(), threading.Event()

    def die(request: Request) -> None:
        if request.number == 5:
            dying.start()
            dead.set()
        request.answer() if request.number < 5 else request.drop()

    def wait_for_it(request: Request) -> None:
        """Answer a quarter of the lines, half of them when the other server has died, and the rest
        when it is at work again.
        """
        if request.number > 20:
            dead.wait()
        if request.number > 40:
            back.wait()
        request.answer()

    def work(request: Request) -> None:
        request.answer()
        if request.number > 3:
            back.set()

    mortal = FakeEndpoint(die)
    dying = threading.Thread(target=mortal.__exit__)

    def revive(reply: object) -> None:
        if watching.replies == 30:
            dying.join()
            revived.append(FakeEndpoint(work, mortal.server_port).__enter__())

    watching = Watching(revive)
    with FakeEndpoint(wait_for_it) as steady, mortal:
        assert world.run(endpoints(steady, mortal, parallel=4), watching).counts.failed == 0
        assert sum(revived[0].seen.values()) > 3
        revived[0].__exit__()


def test_when_no_server_is_left_the_run_ends_and_keeps_what_it_has(world: World) -> None:
    world.write(*lines(20))

    def tire(request: Request) -> None:
        request.answer() if request.number <= 5 else request.reply(503, {})

    with FakeEndpoint(tire) as server:
        with pytest.raises(LocalspecError, match="No server has answered for"):
            world.run(endpoints(server, parallel=1, patience=0.1))
        assert not world.output.exists()
        server.behave = Request.answer
        assert world.run(endpoints(server)).counts == Counts(20, 20, 0)
        assert list(server.seen.values()).count(1) >= 18


def test_that_nobody_answers_is_said_once(world: World) -> None:
    world.write(*lines(20))
    with FakeEndpoint() as server:
        settings = Settings([server.url], parallel=4, patience=0.1)
    notes: list[str] = []
    with pytest.raises(LocalspecError, match="No server has answered for"):
        world.run(Endpoints(settings, notes.append))
    assert len(notes) == 1
    assert "Nothing answers at" in notes[0]
    assert "It is asked again" in notes[0]


@pytest.mark.parametrize(
    ("behave", "words"),
    [
        (lambda request: request.reply(401, {}), "does not accept the API key"),
        (lambda request: request.raw(200, b"hello"), "does not answer like an OpenAI-compatible"),
    ],
)
def test_a_server_that_will_never_answer_us_ends_the_run_at_once(
    world: World, monkeypatch: pytest.MonkeyPatch, behave: object, words: str
) -> None:
    monkeypatch.setattr(Request, "do_GET", behave)
    world.write(*lines(3))
    with FakeEndpoint() as server, pytest.raises(LocalspecError, match=words):
        world.run(endpoints(server))
    assert not world.journal.exists()


def test_ctrl_c_gives_up_what_is_under_way(world: World) -> None:
    world.write(*lines(20))

    def interrupt(reply: object) -> None:
        if watching.replies == 4:
            signal.raise_signal(signal.SIGINT)

    watching = Watching(interrupt)

    over = threading.Event()

    def behave(request: Request) -> None:
        if request.number > 4:
            over.wait()
        request.answer()

    with FakeEndpoint(behave) as server:
        outcome = world.run(endpoints(server, parallel=2), watching, recipe=RECIPE)
        over.set()
    assert outcome == (Counts(20, 4, 0), True)


def test_no_line_sends_the_key_to_another_server(world: World) -> None:
    with FakeEndpoint() as server, FakeEndpoint() as thief:
        ways = ("{}", "//{}", "http://{}", "{}/v1/chat/completions")
        urls = [f"/v1/{way.format(thief.url.removeprefix('http://'))}" for way in ways]
        world.write(*({"url": url, "body": {"prompt": "hi"}} for url in [*urls, "/v1/../score"]))
        asking = Endpoints(Settings([server.url], api_key="sesame"))
        assert world.run(asking).counts == Counts(5, 5, 5)
        assert not thief.seen


def test_the_defaults_of_the_command_line_reach_the_server(world: World) -> None:
    bodies = []

    def behave(request: Request) -> None:
        bodies.append(request.body)
        request.answer()

    world.write(*lines(1))
    defaults = {"model": "m", "max_tokens": 4, "repeat_penalty": 1.1}
    with FakeEndpoint(behave) as server:
        world.run(endpoints(server), recipe=Recipe("", defaults=defaults))
    assert bodies[0]["model"] == "m"
    assert bodies[0]["max_tokens"] == 4
    assert bodies[0]["repeat_penalty"] == bodies[0]["repetition_penalty"] == 1.1
    assert bodies[0]["stream"] is False


@pytest.mark.parametrize("name", ["repeat_penalty", "repetition_penalty"])
def test_every_kind_of_server_understands_a_repetition_penalty(world: World, name: str) -> None:
    bodies = []

    def behave(request: Request) -> None:
        bodies.append(request.body)
        request.answer()

    world.write({"prompt": "x", name: 1.3})
    with FakeEndpoint(behave) as server:
        world.run(endpoints(server))
    assert bodies[0]["repeat_penalty"] == bodies[0]["repetition_penalty"] == 1.3
