"""Where answers of the chat come from: models that are loaded, servers elsewhere."""

import asyncio
import json
import threading
from collections.abc import AsyncIterator, Callable

import httpx2
import pytest
from scripted import ScriptedBackend, ScriptedSource

from localspec.errors import LocalspecError
from localspec.remote import Remote
from localspec.tui.backend import Backend, Reply, Said
from localspec.tui.figures import Meter
from localspec.tui.loader import Loader
from localspec.tui.server import Server, There
from localspec.tui.telling import detail

# Loading ---------------------------------------------------------------------------------------


def test_of_several_models_asked_for_the_last_one_counts() -> None:
    slow, quick = ScriptedBackend(), ScriptedBackend()
    begun, go_on, told = threading.Event(), threading.Event(), threading.Event()
    heard: list[Backend | None] = []

    class Source(ScriptedSource):
        def open(self, model: str, draft: str) -> ScriptedBackend:
            if model == "slow":
                begun.set()
                go_on.wait()
            return super().open(model, draft)

    def tell(backend: Backend | None, failure: LocalspecError | None) -> None:
        heard.append(backend)
        told.set()

    loader = Loader(Source(slow=slow, quick=quick), tell)
    loader.load("slow", "auto")
    assert begun.wait(60)
    loader.load("quick", "auto")
    assert loader.loading
    go_on.set()
    assert told.wait(60)
    assert heard == [quick]
    assert slow.closed
    assert not quick.closed


# Servers ---------------------------------------------------------------------------------------


def serve(*chunks: dict[str, object]) -> Callable[[httpx2.Request], httpx2.Response]:
    events = "".join(f"data: {json.dumps(chunk)}\n\n" for chunk in chunks) + "data: [DONE]\n\n"
    return lambda request: httpx2.Response(
        200, content=events.encode(), headers={"content-type": "text/event-stream"}
    )


def delta(**delta: str) -> dict[str, object]:
    return {"choices": [{"delta": delta, "finish_reason": None}]}


async def heard(reply: Reply) -> str:
    said = ""
    while not reply.ended:
        said += "".join(part.text for part in reply.take())
        await asyncio.sleep(0)
    return said


def test_a_server_answers_and_gives_its_figures() -> None:
    asked: list[dict[str, object]] = []
    answer = serve(
        delta(role="assistant"),
        delta(reasoning_content="hm"),
        delta(content="Hel"),
        delta(content="lo"),
        {
            "choices": [{"delta": {}, "finish_reason": "length"}],
            "timings": {"cache_n": 30, "prompt_n": 10, "prompt_ms": 50, "predicted_n": 4,
                        "predicted_ms": 20, "draft_n": 6, "draft_n_accepted": 3},
        },
        {"choices": [], "usage": {"prompt_tokens": 40, "completion_tokens": 5}},
    )  # fmt: skip

    def server(request: httpx2.Request) -> httpx2.Response:
        asked.append(json.loads(request.content))
        return answer(request)

    async def go() -> None:
        backend = Server(Remote("server", transport=httpx2.MockTransport(server)), "big")
        choices = {"seed": 7, "speculation": 0}
        reply = backend.ask([{"role": "user", "content": "hi"}], choices)
        assert await heard(reply) == "<think>hm</think>\n\nHello"
        assert (reply.finish_reason, reply.seed) == ("length", 7)
        s = reply.figures.statistics
        assert (s.prompt_tokens, s.cached_tokens, s.completion_tokens) == (40, 30, 5)
        assert (s.tokens_per_second, s.acceptance_rate) == (200, 0.5)
        assert reply.figures.counted

    asyncio.run(go())
    assert asked[0]["model"] == "big"
    assert "speculation" not in asked[0]


@pytest.mark.parametrize(
    ("deltas", "kept"),
    [
        ([{"content": "[THI"}, {"content": "NK]hm[/THINK]Yes"}], "<think>hm</think>\n\nYes"),
        ([{"reasoning": "h"}, {"reasoning": "m"}], "<think>hm</think>"),
        ([{"content": "\n"}, {"reasoning": "hm"}, {"content": "<think>?"}],
         "\n<think>hm</think>\n\n<think>?"),
    ],
)  # fmt: skip
def test_thoughts_of_servers_are_kept_like_others(deltas: list[dict[str, str]], kept: str) -> None:
    server = serve(*(delta(**each) for each in deltas))

    async def go() -> None:
        backend = Server(Remote("server", transport=httpx2.MockTransport(server)), "big")
        assert await heard(backend.ask([{"role": "user", "content": "hi"}], {})) == kept

    asyncio.run(go())


ODD: list[dict[str, object]] = [
    {"choices": [None]},
    {"choices": [{"delta": "Hello"}]},
    {"choices": [{"delta": {"reasoning": {"a": 1}}, "finish_reason": ["stop"]}]},
    {"choices": [], "usage": [1], "timings": "none"},
    {"choices": [], "usage": {"prompt_tokens": None, "completion_tokens": "5"}},
    {"choices": [], "usage": {"prompt_tokens": 3, "prompt_tokens_details": 5}},
    {"choices": [], "timings": dict.fromkeys(["cache_n", "prompt_n", "predicted_n", "draft_n"])},
    {"choices": [], "timings": {"prompt_ms": None, "predicted_ms": None}},
]


@pytest.mark.parametrize("odd", ODD)
def test_what_a_server_says_in_another_way_costs_no_word(odd: dict[str, object]) -> None:
    end = {"choices": [{"delta": {"content": "!"}, "finish_reason": "stop"}]}
    server = serve(delta(content="Hello"), odd, end)

    async def go() -> None:
        backend = Server(Remote("server", transport=httpx2.MockTransport(server)), "big")
        reply = backend.ask([{"role": "user", "content": "hi"}], {})
        assert await heard(reply) == "Hello!"
        assert reply.finish_reason == "stop"
        meter = Meter()
        meter.observe(reply.figures)
        assert detail(reply.figures)

    asyncio.run(go())


def test_text_in_parts_is_heard_and_characters_cut_in_two_are_whole_again() -> None:
    server = serve(
        {"choices": [{"delta": {"content": [{"type": "text", "text": "Hi "}, {"type": "x"}]}}]},
        *(delta(content=half) for half in ("\ud83d", "\ude00 \ude00.")),
    )

    async def go() -> None:
        backend = Server(Remote("server", transport=httpx2.MockTransport(server)), "big")
        said = await heard(backend.ask([{"role": "user", "content": "hi"}], {}))
        assert said == "Hi \U0001f600 \ufffd."

    asyncio.run(go())


def test_a_server_without_a_list_of_models_is_asked_for_the_one_that_is_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    transport = httpx2.MockTransport(lambda request: httpx2.Response(404, text="no such page"))
    monkeypatch.setattr(There, "_connect", lambda self: Remote("server", transport=transport))
    there = There("server")
    assert there.open("big", "auto").name == "big"
    with pytest.raises(LocalspecError, match="404"):
        there.open("", "auto")


def test_a_server_that_fails_is_heard_after_what_it_said() -> None:
    server = serve(delta(content="Hel"), {"error": {"message": "no memory"}})

    async def go() -> None:
        backend = Server(Remote("server", transport=httpx2.MockTransport(server)), "big")
        reply = backend.ask([{"role": "user", "content": "hi"}], {})
        while not (said := reply.take()):
            await asyncio.sleep(0)
        assert said == [Said("Hel")]
        with pytest.raises(LocalspecError, match="no memory"):
            await heard(reply)
        assert reply.finish_reason == "error"

    asyncio.run(go())


def test_a_cancelled_answer_of_a_server_ends() -> None:
    async def forever(request: httpx2.Request) -> httpx2.Response:
        await asyncio.sleep(60)
        return httpx2.Response(200)

    async def go() -> None:
        backend = Server(Remote("server", transport=httpx2.MockTransport(forever)), "big")
        reply = backend.ask([{"role": "user", "content": "hi"}], {})
        await asyncio.sleep(0.01)
        reply.cancel()
        assert await asyncio.wait_for(heard(reply), 10) == ""
        assert reply.finish_reason == "cancelled"

    asyncio.run(go())


def test_the_speed_of_a_server_that_counts_in_every_chunk_is_of_the_whole_answer() -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for n in range(1, 6):
            chunk = {**delta(content="word "), "usage": {"completion_tokens": n}}
            yield f"data: {json.dumps(chunk)}\n\n".encode()
            await asyncio.sleep(0.05)
        yield b"data: [DONE]\n\n"

    def server(request: httpx2.Request) -> httpx2.Response:
        return httpx2.Response(200, content=pieces(), headers={"content-type": "text/event-stream"})

    async def go() -> None:
        backend = Server(Remote("server", transport=httpx2.MockTransport(server)), "big")
        reply = backend.ask([{"role": "user", "content": "hi"}], {})
        await heard(reply)
        assert 5 < reply.figures.statistics.tokens_per_second < 40

    asyncio.run(go())
