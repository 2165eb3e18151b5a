"""HTTP as clients meet it in bad weather: queues, disconnects, errors in the middle, the end."""

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, suppress
from typing import Any

import httpx2
import numpy as np
import pytest
from servers import PATIENCE, FakeLLM, get, post, serving, stream, until

from localspec.loading import Loading
from localspec.serve import events

MESSAGES = [{"role": "user", "content": "Hello"}]
ASK = {"messages": MESSAGES, "max_tokens": 5}
FOREVER = {"messages": MESSAGES, "stream": True}


@pytest.fixture
def llm() -> FakeLLM:
    return FakeLLM(parallel=2, waiting=2)


@pytest.fixture
def fake_url(llm: FakeLLM) -> Iterator[str]:
    with serving(lambda: llm) as url:
        yield url


def ask(url: str, body: dict[str, Any], path: str = "/v1/chat/completions") -> httpx2.Response:
    return post(url + path, json=body)


def client(url: str) -> socket.socket:
    """A connection for clients that do as they please."""
    host, port = url.removeprefix("http://").split(":")
    return socket.create_connection((host, int(port)), PATIENCE)


def asking(body: dict[str, Any], path: str = "/v1/chat/completions") -> tuple[bytes, bytes]:
    """The head of a request, and its body."""
    data = json.dumps(body).encode()
    head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(data)}\r\n\r\n"
    return head.encode(), data


def metrics(url: str) -> str:
    return get(f"{url}/metrics").text


def data(line: str) -> Any:
    return json.loads(line.removeprefix("data: "))


# Leaving ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/messages", "/v1/responses"])
def test_a_client_that_hangs_up_frees_its_slot(
    fake_url: str, llm: FakeLLM, stream: bool, path: str
) -> None:
    bodies: dict[str, dict[str, Any]] = {
        "/v1/messages": {"messages": MESSAGES, "max_tokens": 90_000},
        "/v1/responses": {"input": "Hello", "max_output_tokens": 90_000},
    }
    head, body = asking(bodies.get(path, {"messages": MESSAGES}) | {"stream": stream}, path)
    llm.gate = lambda: time.sleep(0.001)  # an answer would take longer than the test has patience
    for _ in range(3):
        with client(fake_url) as sock:
            sock.sendall(head + body)
            until(lambda: llm.running == 1)
        until(lambda: llm.unfinished == 0)


def test_no_more_texts_are_embedded_for_a_client_that_has_hung_up(
    fake_url: str, llm: FakeLLM, monkeypatch: pytest.MonkeyPatch
) -> None:
    embedded: list[str] = []
    gone = threading.Event()

    def embed(texts: list[str]) -> tuple[list[Any], int]:
        for text in texts:
            embedded.append(text)
            assert gone.wait(PATIENCE)
        return [np.ones(4, np.float32) for _ in texts], len(texts)

    monkeypatch.setattr(llm, "embed", embed, raising=False)
    head, body = asking({"input": ["a", "b", "c"]}, "/v1/embeddings")
    with client(fake_url) as sock:
        sock.sendall(head + body)
        until(lambda: embedded)
    get(f"{fake_url}/health")  # by then the server has heard of it
    gone.set()
    answer = post(f"{fake_url}/v1/embeddings", json={"input": ["d", "e"]}).json()
    assert [entry["embedding"] for entry in answer["data"]] == [[1.0] * 4] * 2
    assert answer["usage"]["prompt_tokens"] == 2
    assert embedded == ["a", "d", "e"]


def test_who_hangs_up_in_mid_body_is_nothing_to_write_home_about(
    llm: FakeLLM, caplog: pytest.LogCaptureFixture
) -> None:
    head, body = asking(ASK)
    with serving(lambda: llm) as url:
        with client(url) as sock:
            sock.sendall(head + body[:5])
        assert ask(url, ASK).status_code == 200
    assert not caplog.records


def test_who_asks_again_before_the_answer_is_hung_up_on(fake_url: str, llm: FakeLLM) -> None:
    head, body = asking(FOREVER)
    with client(fake_url) as sock:
        sock.sendall((head + body) * 2)
        with suppress(ConnectionResetError):
            until(lambda: sock.recv(65536) == b"")
    until(lambda: llm.unfinished == 0)


WISH = "Upgrade: h2c\r\nHTTP2-Settings: AAEAAEAA\r\nConnection: Upgrade, HTTP2-Settings"


@pytest.mark.parametrize("portion", [10_000, 50, 1])
@pytest.mark.parametrize("chunked", [False, True])
def test_a_wish_for_another_protocol_is_passed_over(
    fake_url: str, portion: int, chunked: bool
) -> None:
    """Java's own client would like HTTP/2 wherever it asks something, and sends the body along."""
    body = json.dumps(ASK).encode()
    length = "Transfer-Encoding: chunked" if chunked else f"Content-Length: {len(body)}"
    if chunked:
        body = b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)
    with client(fake_url) as sock:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for wish in (WISH, WISH, f"{WISH}, close"):
            head = f"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\n{length}\r\n{wish}"
            asked = f"{head}\r\n\r\n".encode() + body
            for at in range(0, len(asked), portion):
                sock.sendall(asked[at : at + portion])
            answer = http.client.HTTPResponse(sock)
            answer.begin()
            assert answer.status == 200
            assert json.load(answer)["choices"]


@pytest.mark.parametrize("asked", ["CONNECT /x HTTP/1.1", "GET /x HTTP/1.1\r\nUpgrade: websocket"])
def test_nor_is_there_a_tunnel(fake_url: str, asked: str, caplog: pytest.LogCaptureFixture) -> None:
    with client(fake_url) as sock:
        sock.sendall(f"{asked}\r\nHost: localhost\r\nConnection: Upgrade\r\n\r\n".encode())
        answer = http.client.HTTPResponse(sock)
        answer.begin()
        assert 400 <= answer.status < 500
    assert not caplog.records


@pytest.mark.parametrize("portion", [b"POST /v1/chat", b"{HEAD}{", b"{HEAD}{BODY}"])
def test_a_client_that_keeps_us_waiting_is_hung_up_on(llm: FakeLLM, portion: bytes) -> None:
    """One that does not end its head, one that does not end its body, one that does not read."""
    head, asked = asking(FOREVER | {"logprobs": True, "top_logprobs": 20})
    sent = portion.replace(b"{HEAD}", head).replace(b"{BODY}", asked)
    begun = threading.Event()
    llm.gate = begun.set
    with serving(lambda: llm, patience=1) as url:
        host, port = url.removeprefix("http://").split(":")
        with closing(socket.socket()) as sock:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            sock.connect((host, int(port)))
            sock.sendall(sent)
            if sent.endswith(asked):
                assert begun.wait(PATIENCE)
            assert ask(url, ASK).status_code == 200, "others do not wait"
            until(lambda: llm.unfinished == 0)
            sock.settimeout(PATIENCE)
            heard = b""
            with suppress(ConnectionResetError):
                while part := sock.recv(1 << 20):
                    heard = part
            assert b"[DONE]" not in heard


# Too many --------------------------------------------------------------------------------------


def test_who_finds_the_queue_full_is_told_when_to_come_back(fake_url: str, llm: FakeLLM) -> None:
    go = threading.Event()
    llm.gate = lambda: go.wait(PATIENCE)
    with ThreadPoolExecutor() as pool:
        accepted = [pool.submit(ask, fake_url, ASK) for _ in range(4)]
        until(lambda: llm.unfinished == 4)
        refused = ask(fake_url, ASK)
        assert refused.status_code == 503
        assert int(refused.headers["retry-after"]) > 0
        assert refused.json()["error"]["code"] == "overloaded"
        theirs = ask(fake_url, {"messages": MESSAGES, "max_tokens": 5}, "/v1/messages")
        assert theirs.json()["error"]["type"] == "overloaded_error"
        go.set()
        assert [answer.result().status_code for answer in accepted] == [200] * 4


def test_choices_that_do_not_all_fit_are_refused_together(fake_url: str, llm: FakeLLM) -> None:
    assert ask(fake_url, {**ASK, "n": 5}).status_code == 400, "they would never fit"
    go = threading.Event()
    llm.gate = lambda: go.wait(PATIENCE)
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(ask, fake_url, ASK)
        until(lambda: llm.unfinished == 1)
        assert ask(fake_url, {**ASK, "n": 4}).status_code == 503
        go.set()
        assert first.result().status_code == 200
    until(lambda: llm.unfinished == 0)
    assert len(ask(fake_url, {**ASK, "n": 4}).json()["choices"]) == 4


def test_a_flood_of_connections_is_told_to_come_back(fake_url: str, llm: FakeLLM) -> None:
    go = threading.Event()
    llm.gate = lambda: go.wait(PATIENCE)
    body = json.dumps(ASK).encode()
    head = (
        f"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n"
    )
    with ExitStack() as closing_all:
        socks = [closing_all.enter_context(client(fake_url)) for _ in range(300)]

        def send(sock: socket.socket) -> None:
            sock.sendall(f"{head}Connection: close\r\n\r\n".encode() + body)

        def code(sock: socket.socket) -> int:
            with sock.makefile("rb") as answer:
                return int(answer.readline().split()[1])

        for place in range(4):
            send(socks[place])
            until(lambda taken=place + 1: llm.unfinished == taken)
        for sock in socks[4:]:
            send(sock)
        assert {code(sock) for sock in socks[4:]} == {503}
        go.set()
        assert {code(sock) for sock in socks[:4]} == {200}
    assert ask(fake_url, ASK).status_code == 200
    until(lambda: llm.unfinished == 0)


def test_a_flood_of_requests_that_need_no_slot_is_told_to_come_back() -> None:
    go, counting = threading.Event(), threading.Semaphore(0)

    class Slow(FakeLLM):
        def count(self, prompt: object, **options: Any) -> int:
            counting.release()
            go.wait(PATIENCE)
            return 1

    path = "/v1/messages/count_tokens"
    with serving(Slow, loading=Loading(waiting=1)) as url, ThreadPoolExecutor() as pool:
        accepted = [pool.submit(ask, url, {"messages": MESSAGES}, path) for _ in range(2)]
        for _ in accepted:
            assert counting.acquire(timeout=PATIENCE)
        try:
            refused = ask(url, {"messages": MESSAGES}, path)
            assert (refused.status_code, refused.headers["retry-after"]) == (503, "2")
        finally:
            go.set()
        assert {answer.result().status_code for answer in accepted} == {200}
        assert ask(url, {"messages": MESSAGES}, path).status_code == 200


# Waiting, and errors in the middle -------------------------------------------------------------


def test_a_long_prefill_shows_signs_of_life(
    fake_url: str, llm: FakeLLM, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(events, "KEEP_ALIVE_SECONDS", 0.01)
    go = threading.Event()
    llm.gate = lambda: go.wait(PATIENCE)
    for path, sign in (("/v1/chat/completions", ": still here"), ("/v1/messages", "event: ping")):
        go.clear()
        body = {**ASK, "stream": True}
        with stream("POST", fake_url + path, json=body) as answer:
            lines = []
            for line in answer.iter_lines():
                lines.append(line)
                if line == sign:
                    go.set()
        assert sign in lines
        assert lines[-1] == "" or "DONE" in lines[-2] or "message_stop" in lines[-2]


@pytest.mark.parametrize(
    ("path", "body", "where"),
    [
        ("/v1/chat/completions", ASK, ("error", "type")),
        ("/v1/completions", {"prompt": "x"}, ("error", "type")),
        ("/v1/messages", ASK, ("error", "type")),
        ("/v1/responses", {"input": "x"}, ("type",)),
    ],
)
def test_what_goes_wrong_in_mid_stream_comes_as_an_event(
    fake_url: str, llm: FakeLLM, path: str, body: dict[str, Any], where: tuple[str, ...]
) -> None:
    llm.target.fails_at = len(llm.target.decodes) + 3
    with stream("POST", fake_url + path, json={**body, "stream": True}) as answer:
        assert answer.status_code == 200
        last = [line for line in answer.iter_lines() if line.startswith("data: ")][-1]
    told = data(last)
    assert "log" in json.dumps(told), "the log has the reason, not the client"
    for name in where:
        told = told[name]
    assert "error" in told
    assert ask(fake_url, ASK).status_code == 200


def test_what_goes_wrong_before_an_answer_is_an_error(fake_url: str, llm: FakeLLM) -> None:
    llm.target.fails_at = len(llm.target.decodes) + 1
    answer = ask(fake_url, ASK)
    assert answer.status_code == 500
    assert answer.json()["error"]["type"] == "server_error"


def test_wrong_doors_are_told_apart(fake_url: str) -> None:
    for path, status, code in (
        ("/v1/nowhere", 404, "not_found"),
        ("/v1/completions", 405, "method_not_allowed"),
    ):
        answer = get(fake_url + path)
        assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)


@pytest.mark.parametrize(
    ("path", "hinted"),
    [
        ("/chat/completions", True), ("/v1/v1/messages", True), ("/api/tags", True),
        ("/v1/files", False),
    ],
)  # fmt: skip
def test_a_base_url_that_is_not_quite_right_is_put_right(
    fake_url: str, path: str, hinted: bool
) -> None:
    assert ("ends in /v1" in get(fake_url + path).json()["error"]["message"]) == hinted


# Coming and going ------------------------------------------------------------------------------


def test_a_model_nobody_uses_leaves_and_comes_back() -> None:
    made: list[FakeLLM] = []

    def load() -> FakeLLM:
        made.append(FakeLLM())
        return made[-1]

    with serving(load, keep_alive=0.02) as url:
        assert not made
        assert ask(url, ASK).status_code == 200
        until(lambda: 'localspec:model_loaded{model_name="shell"} 0.0' in metrics(url))
        assert get(f"{url}/props").json()["loaded"] is False
        assert ask(url, ASK).status_code == 200
        assert len(made) == 2


def test_metrics_speak_as_vllm_does(url: str) -> None:
    body = {"prompt": "for i in range(10): print(i)\n" * 3, "max_tokens": 20, "temperature": 0}
    assert ask(url, {**body, "speculation": 3}, "/v1/completions").status_code == 200
    text = metrics(url)
    for name in (
        "vllm:num_requests_running", "vllm:num_requests_waiting", "vllm:prompt_tokens_total",
        "vllm:generation_tokens_total", "vllm:time_to_first_token_seconds_bucket",
        "vllm:spec_decode_num_draft_tokens_total", "vllm:spec_decode_num_accepted_tokens_total",
        "vllm:spec_decode_num_accepted_tokens_per_pos_total", "localspec:step_seconds",
    ):  # fmt: skip
        assert f'{name}{{model_name="shell"' in text or f"{name}{{" in text, name
    told = get(f"{url}/props").json()
    assert told["draft"] == "shell-draft-6m-Q5_0"
    assert told["governor"]["cost_of_rows"]["1"] == 1.0


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGTERM to send")
@pytest.mark.parametrize("times", [1, 2])
def test_sigterm_lets_answers_end_and_a_second_one_does_not(times: int) -> None:
    command = [sys.executable, "-m", "localspec", "serve", "--port", "0", "--json"]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert server.stdout is not None
    url = json.loads(server.stdout.readline())["url"]
    port = int(url.removeprefix("http://127.0.0.1:"))
    choices = {"max_tokens": 300} if times == 1 else {"max_tokens": 900, "n": 16}  # would take long
    body = {"prompt": "1 2 3", "stream": True, "logit_bias": {"2": -100}, **choices}
    with stream("POST", f"{url}/v1/completions", json=body) as answer:
        lines = answer.iter_lines()
        assert next(lines).startswith("data: ")
        os.kill(server.pid, signal.SIGTERM)
        until(lambda: closed(port))
        if times == 1:
            assert [line for line in lines if line][-1] == "data: [DONE]"
        else:
            os.kill(server.pid, signal.SIGTERM)
            with pytest.raises(httpx2.RemoteProtocolError):
                list(lines)
    assert server.wait(PATIENCE) == 0
    _, told = server.communicate()
    assert told.splitlines() == [
        "localspec: Stopping when running answers have ended; once more stops at once."
    ]


def test_clients_that_keep_us_waiting_do_not_keep_the_server_from_its_end(llm: FakeLLM) -> None:
    """One that does not end its body, one that does not read."""
    head, body = asking(FOREVER | {"logprobs": True, "top_logprobs": 20})
    with closing(socket.socket()) as reader:
        reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        with serving(lambda: llm, patience=0.5) as url:
            host, port = url.removeprefix("http://").split(":")
            reader.connect((host, int(port)))
            reader.sendall(head + body)
            writer = client(url)
            writer.sendall(head + body[:1])
            until(lambda: llm.running == 1)
        assert llm.unfinished == 0
        writer.close()


def closed(port: int) -> bool:
    """Whether nobody listens any more."""
    try:
        socket.create_connection(("127.0.0.1", port), PATIENCE).close()
    except ConnectionRefusedError:
        return True
    return False
