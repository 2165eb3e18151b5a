"""Clients that hang up, keep the server waiting, or wish for another protocol."""

import http.client
import json
import socket
import threading
import time
from contextlib import closing, suppress
from typing import Any

import numpy as np
import pytest
from servers import ASK, MESSAGES, PATIENCE, FakeLLM, ask, client, get, post, serving, until

FOREVER = {"messages": MESSAGES, "stream": True}


def asking(body: dict[str, Any], path: str = "/v1/chat/completions") -> tuple[bytes, bytes]:
    """The head of a request, and its body."""
    data = json.dumps(body).encode()
    head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(data)}\r\n\r\n"
    return head.encode(), data


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
