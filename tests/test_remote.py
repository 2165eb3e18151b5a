"""The client of OpenAI-compatible servers, against servers that behave and such that do not."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import aclosing, suppress
from typing import Any, TypeVar

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from localspec.errors import LocalspecError, UsageError
from localspec.remote import Document, Remote, RemoteError, base_url

T = TypeVar("T")
BODY = {"messages": [{"role": "user", "content": "hi"}]}


def ask(server: Callable[[httpx2.Request], httpx2.Response], use: Callable[[Remote], Any]) -> Any:
    """What `use` gets from a server that answers by a function."""

    async def go() -> Any:
        async with Remote("server", transport=httpx2.MockTransport(server)) as remote:
            return await use(remote)

    return asyncio.run(go())


async def chunks(remote: Remote) -> list[Document]:
    return [chunk async for chunk in remote.stream(BODY)]


def says(status: int, text: str, **headers: str) -> Callable[[httpx2.Request], httpx2.Response]:
    return lambda request: httpx2.Response(status, text=text, headers=headers)


def streams(*events: str) -> Callable[[httpx2.Request], httpx2.Response]:
    data = "".join(f"data: {event}\n\n" for event in events)
    return lambda request: httpx2.Response(
        200, content=data.encode(), headers={"content-type": "text/event-stream"}
    )


def refused(
    server: Callable[[httpx2.Request], httpx2.Response], stream: bool = False
) -> RemoteError:
    use = chunks if stream else lambda remote: remote.complete(BODY)
    with pytest.raises(RemoteError) as caught:
        ask(server, use)
    sentence = str(caught.value)
    assert sentence.endswith((".", "?"))
    assert "\n" not in sentence
    return caught.value


def delta(text: str, finish: str | None = None) -> str:
    return json.dumps(
        {"choices": [{"delta": {"content": text}, "finish_reason": finish}]}, ensure_ascii=False
    )


# Addresses -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("localhost:8080", "http://localhost:8080/v1"),
        (" 192.168.1.5 ", "http://192.168.1.5/v1"),
        ("[::1]:8080", "http://[::1]:8080/v1"),
        ("https://api.example.com", "https://api.example.com/v1"),
        ("https://api.example.com/v1/", "https://api.example.com/v1"),
        ("https://example.com/openai/v1/chat/completions?a=b#c", "https://example.com/openai/v1"),
        ("http://localhost:1234/v1/models", "http://localhost:1234/v1"),
    ],
)
def test_an_address_is_understood_as_it_is_typed(typed: str, meant: str) -> None:
    assert str(base_url(typed)) == meant


@pytest.mark.parametrize("typed", ["", "http://", "ftp://example.com", "http://[", "://"])
def test_what_is_no_address_is_refused_in_a_sentence(typed: str) -> None:
    with pytest.raises(UsageError, match="is not the address of a server"):
        base_url(typed)


@given(st.text())
def test_no_address_brings_out_anything_but_a_sentence(typed: str) -> None:
    with suppress(LocalspecError):
        assert base_url(typed).host


def test_a_password_in_the_address_is_used_and_never_shown() -> None:
    def server(request: httpx2.Request) -> httpx2.Response:
        assert request.headers["authorization"].startswith("Basic ")
        return httpx2.Response(500, text="down")

    async def go() -> None:
        transport = httpx2.MockTransport(server)
        async with Remote("http://me:secret@server", transport=transport) as remote:
            assert "secret" not in remote.url
            with pytest.raises(RemoteError) as caught:
                await remote.models()
            assert "secret" not in str(caught.value)

    asyncio.run(go())


# Answers ---------------------------------------------------------------------------------------


def test_a_whole_answer() -> None:
    def server(request: httpx2.Request) -> httpx2.Response:
        assert str(request.url) == "http://server/v1/chat/completions"
        assert json.loads(request.content) == {**BODY, "stream": False}
        return httpx2.Response(200, json={"choices": []})

    assert ask(server, lambda remote: remote.complete(BODY)) == {"choices": []}


def test_what_is_never_streamed_is_asked_as_it_is() -> None:
    def server(request: httpx2.Request) -> httpx2.Response:
        assert str(request.url) == "http://server/v1/embeddings"
        assert json.loads(request.content) == {"input": "x"}
        return httpx2.Response(200, json={"data": []})

    asked = {"input": "x"}
    assert ask(server, lambda remote: remote.complete(asked, "embeddings")) == {"data": []}


def test_the_api_key_goes_along() -> None:
    def server(request: httpx2.Request) -> httpx2.Response:
        assert request.headers["authorization"] == "Bearer key"
        return httpx2.Response(200, json={"data": [{"id": "a"}, {"id": "b"}]})

    async def go() -> list[str]:
        transport = httpx2.MockTransport(server)
        async with Remote("server", api_key="key", transport=transport) as remote:
            return await remote.models()

    assert asyncio.run(go()) == ["a", "b"]


def test_chunks_come_in_order() -> None:
    got = ask(streams(delta("a"), delta("b", "stop"), "[DONE]", "never read"), chunks)
    assert [chunk["choices"][0]["delta"]["content"] for chunk in got] == ["a", "b"]


@given(st.text(st.characters(exclude_categories=["Cs"])), st.integers(1, 7))
def test_any_text_survives_however_the_bytes_are_cut(text: str, width: int) -> None:
    data = f": a comment\r\ndata: {delta(text)}\n\ndata: [DONE]\n\n".encode()

    async def body() -> AsyncIterator[bytes]:
        for start in range(0, len(data), width):
            yield data[start : start + width]

    def server(request: httpx2.Request) -> httpx2.Response:
        return httpx2.Response(
            200, content=body(), headers={"content-type": "text/event-stream; charset=utf-8"}
        )

    (chunk,) = ask(server, chunks)
    assert chunk["choices"][0]["delta"]["content"] == text


def test_an_answer_may_end_without_done_if_it_said_why() -> None:
    assert len(ask(streams(delta("a", "stop")), chunks)) == 1


def test_an_answer_that_breaks_off_is_not_taken_for_a_whole_one() -> None:
    error = refused(streams(delta("a")), stream=True)
    assert error.temporary
    assert "broke off" in str(error)


@pytest.mark.parametrize(
    "last",
    [
        {"error": {"message": "out of\nmemory."}},
        {"object": "error", "message": "out of memory.", "code": 500},
    ],
)
def test_an_error_in_the_middle_is_heard(last: Document) -> None:
    server = streams(delta("a"), json.dumps(last), "[DONE]")
    assert "gave up: out of memory." in str(refused(server, stream=True))


def test_chunks_may_say_that_there_is_no_error() -> None:
    chunk = json.dumps({**json.loads(delta("a")), "error": None})
    assert len(ask(streams(chunk, "[DONE]"), chunks)) == 1


@pytest.mark.parametrize("event", ["retry: 3000", "event: ping", "id: 1", "data:"])
def test_events_that_say_nothing_are_passed_over(event: str) -> None:
    def server(request: httpx2.Request) -> httpx2.Response:
        content = f"{event}\n\ndata: {delta('a')}\n\ndata:  [DONE] \n\n".encode()
        return httpx2.Response(200, content=content, headers={"content-type": "text/event-stream"})

    assert len(ask(server, chunks)) == 1


def test_cancelling_closes_the_connection() -> None:
    async def go() -> None:
        closed = asyncio.Event()

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n"
            writer.write(f"{head}data: {delta('a')}\n\n".encode())
            await writer.drain()
            while await reader.read(1000):
                pass
            closed.set()
            writer.close()

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        async with server, Remote(f"127.0.0.1:{port}") as remote:
            heard = asyncio.Event()

            async def listen() -> None:
                async for _ in remote.stream(BODY):
                    heard.set()

            task = asyncio.create_task(listen())
            await asyncio.wait_for(heard.wait(), 60)
            task.cancel()
            await asyncio.wait_for(closed.wait(), 60)

            async with aclosing(remote.stream(BODY)) as stream:  # or leaving the loop
                closed.clear()
                async for _ in stream:
                    break
            await asyncio.wait_for(closed.wait(), 60)

    asyncio.run(go())


# Refusals --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "text", "words", "temporary"),
    [
        (401, "", "set LOCALSPEC_API_KEY", False),
        (404, '{"error": {"message": "no model x", "code": 404}}', "404: no model x.", False),
        (422, '{"detail": [{"loc": "body"}]}', '422: [{"loc": "body"}].', False),
        (429, "{}", "too much to do", True),
        (500, "<h1>oh\n\nno</h1>", "500: <h1>oh no</h1>.", True),
        (503, "", "no reason given", True),
        (307, "", "has moved to http://there", False),
        (400, '{"message": "' + "long " * 1000 + '"}', "400: long long", False),
    ],
)
def test_a_refusal_is_one_sentence(status: int, text: str, words: str, temporary: bool) -> None:
    for stream in (False, True):
        error = refused(says(status, text, location="http://there"), stream)
        assert words in str(error)
        assert len(str(error)) < 500
        assert (error.status, error.temporary) == (status, temporary)


def test_what_a_server_says_about_an_error_is_there_for_programs() -> None:
    about = {"message": "too long", "code": "context_length_exceeded"}
    assert refused(says(400, json.dumps({"error": about}))).about == about
    for text in ("", "[]", '{"error": "odd"}', "[" * 100_000):
        assert refused(says(400, text)).about == {}


def test_a_server_may_say_when_to_come_back() -> None:
    assert refused(says(429, "", **{"retry-after": "7"})).retry_after == 7
    assert refused(says(429, "", **{"retry-after": "Wed, 21 Oct"})).retry_after is None


@pytest.mark.parametrize(
    "text", ["<html>", "[]", '"yes"', "{", pytest.param("[" * 100_000, id="deep")]
)
def test_a_server_of_another_kind_is_recognised(text: str) -> None:
    assert "check the address" in str(refused(says(200, text)))
    assert "check the address" in str(refused(says(200, text), stream=True))
    assert "check the address" in str(refused(streams(text), stream=True))


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (httpx2.ConnectError("refused"), "Nothing answers at http://server/v1"),
        (httpx2.ReadTimeout("slow"), "has been silent for 600 s"),
        (httpx2.ConnectTimeout("slow"), "has been silent for 10 s"),
        (httpx2.ReadError(""), "broke (ReadError)"),
        (httpx2.RemoteProtocolError("closed"), "broke (closed)"),
    ],
)
def test_a_fault_on_the_way_may_go_away(fault: Exception, words: str) -> None:
    def server(request: httpx2.Request) -> httpx2.Response:
        raise fault

    for stream in (False, True):
        error = refused(server, stream)
        assert words in str(error)
        assert error.temporary
        assert error.status is None


def test_many_requests_share_the_connections() -> None:
    running = most = 0

    async def server(request: httpx2.Request) -> httpx2.Response:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0.001)
        running -= 1
        return httpx2.Response(200, json=json.loads(request.content))

    async def go() -> list[Document]:
        transport = httpx2.MockTransport(server)
        async with Remote("server", transport=transport) as remote:
            calls: list[Coroutine[Any, Any, Document]] = [
                remote.complete({"n": n}) for n in range(50)
            ]
            return await asyncio.gather(*calls)

    assert [document["n"] for document in asyncio.run(go())] == list(range(50))
    assert most > 1
