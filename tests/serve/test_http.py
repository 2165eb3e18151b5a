"""HTTP as clients meet it in bad weather: queues, errors in the middle, the end."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any

import httpx2
import pytest
from servers import ASK, MESSAGES, PATIENCE, FakeLLM, ask, client, get, serving, stream, until

from localspec.loading import Loading
from localspec.serve import events


def metrics(url: str) -> str:
    return get(f"{url}/metrics").text


def data(line: str) -> Any:
    return json.loads(line.removeprefix("data: "))


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


def closed(port: int) -> bool:
    """Whether nobody listens any more."""
    try:
        socket.create_connection(("127.0.0.1", port), PATIENCE).close()
    except ConnectionRefusedError:
        return True
    return False
