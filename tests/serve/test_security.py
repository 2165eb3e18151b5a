"""The threat model of docs/security.md, a test a line. Nothing here needs a model."""

import re
import socket
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from servers import PATIENCE, FakeLLM, get, post, request, serving

from localspec.errors import UsageError
from localspec.serve.settings import Settings

ELSEWHERE = {
    "test_a_grammar_that_explodes_is_refused_or_ends",
    "test_a_flood_of_connections_is_told_to_come_back",
    "test_a_flood_of_requests_that_need_no_slot_is_told_to_come_back",
    "test_a_client_that_hangs_up_frees_its_slot",
    "test_a_client_that_keeps_us_waiting_is_hung_up_on",
    "test_who_asks_again_before_the_answer_is_hung_up_on",
}
"""Tests in other files that the page on security names."""
KEY = "sesame-0123456789"
ASK = {"messages": [{"role": "user", "content": "Hello"}], "max_tokens": 3}
LONG = {"enum": ["x" * 70_000]}
EVERYTHING = [
    ("GET", "/v1/models"), ("GET", "/props"), ("GET", "/metrics"), ("GET", "/openapi.json"),
    ("POST", "/v1/chat/completions"), ("POST", "/v1/completions"), ("POST", "/v1/responses"),
    ("POST", "/v1/messages"), ("POST", "/v1/messages/count_tokens"), ("POST", "/v1/embeddings"),
    ("GET", "/nowhere"),
]  # fmt: skip


@pytest.fixture(scope="module")
def open_url() -> Iterator[str]:
    with serving(FakeLLM, hosts=("my-laptop",), origins=("https://friend.example",)) as url:
        yield url


@pytest.fixture(scope="module")
def locked_url() -> Iterator[str]:
    with serving(FakeLLM, api_key=KEY) as url:
        yield url


def ask(url: str, method: str = "POST", path: str = "/v1/chat/completions", **headers: str) -> Any:
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    return request(method, url + path, headers=given, json=ASK if method == "POST" else None)


# Who may connect -------------------------------------------------------------------------------


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.7", "::", "my-laptop"])
def test_others_cannot_reach_it_unless_they_need_a_key(host: str) -> None:
    with pytest.raises(UsageError, match="LOCALSPEC_API_KEY"):
        Settings(host=host)
    assert Settings(host=host, api_key=KEY)
    assert Settings().host == "127.0.0.1"


@pytest.mark.parametrize(("method", "path"), EVERYTHING)
def test_with_a_key_nothing_but_health_answers_without_it(
    locked_url: str, method: str, path: str
) -> None:
    assert ask(locked_url, method, path).status_code == 401
    assert ask(locked_url, method, path, authorization="Bearer " + KEY[:-1]).status_code == 401
    assert ask(locked_url, method, path, authorization=f"Bearer {KEY}").status_code != 401
    assert ask(locked_url, method, path, x_api_key=KEY).status_code != 401
    assert get(f"{locked_url}/health").json() == {"status": "ok"}


def test_keys_are_compared_in_constant_time(
    locked_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    import hmac

    compared: list[tuple[bytes, bytes]] = []
    real = hmac.compare_digest
    monkeypatch.setattr(hmac, "compare_digest", lambda a, b: compared.append((a, b)) or real(a, b))
    for key in ("x", KEY, "", "y" * 100):
        ask(locked_url, "GET", "/v1/models", x_api_key=key)
    assert {(len(a), len(b)) for a, b in compared} == {(32, 32)}, "nor does a length show"


# Web pages -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "host",
    ["evil.example", "localhost.evil.example", "evil.example:8080", "", "a@localhost", "[::"],
)
def test_a_name_that_was_made_to_point_here_is_refused(open_url: str, host: str) -> None:
    answer = ask(open_url, "GET", "/v1/models", host=host)
    assert answer.status_code == 403
    assert answer.json()["error"]["code"] == "host_not_allowed"


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "LOCALHOST:99",
        "127.0.0.1",
        "127.0.0.1:8080",
        "[::1]:8080",
        "10.0.0.2",
        "my-laptop",
    ],
)
def test_addresses_localhost_and_names_that_were_allowed_are_not(open_url: str, host: str) -> None:
    assert ask(open_url, "GET", "/v1/models", host=host).status_code == 200


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", "http://localhost:1", "file://"]
)
@pytest.mark.parametrize(("method", "path"), EVERYTHING[:6])
def test_a_page_of_another_origin_can_neither_ask_nor_read(
    open_url: str, origin: str, method: str, path: str
) -> None:
    answer = ask(open_url, method, path, origin=origin)
    assert answer.status_code == 403
    assert "access-control-allow-origin" not in answer.headers
    preflight = request(
        "OPTIONS",
        open_url + path,
        headers={"origin": origin, "access-control-request-method": method},
    )
    assert preflight.status_code == 403


def test_nor_can_it_without_saying_its_origin(open_url: str) -> None:
    for site in ("cross-site", "same-site"):
        assert ask(open_url, "GET", "/v1/models", sec_fetch_site=site).status_code == 403
    assert ask(open_url, "GET", "/v1/models", sec_fetch_site="none").status_code == 200


def test_a_page_that_was_allowed_can_read_why_it_is_refused() -> None:
    friend, header = "https://friend.example", "access-control-allow-origin"
    with serving(FakeLLM, origins=(friend,), api_key=KEY) as url:
        answer = ask(url, origin=friend)
        assert (answer.status_code, answer.headers[header]) == (401, friend)
        assert header not in ask(url, origin="https://evil.example").headers


def test_a_page_that_was_allowed_can(open_url: str) -> None:
    answer = ask(open_url, origin="https://friend.example")
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == "https://friend.example"
    with pytest.raises(UsageError, match="star"):
        Settings(origins=("*",))


# Too much of anything --------------------------------------------------------------------------


def test_large_bodies_are_refused_before_they_are_read() -> None:
    with serving(FakeLLM, largest_body=1000) as url:
        large = b" " * 1001
        assert post(f"{url}/v1/completions", content=large).status_code == 413
        unsaid = post(f"{url}/v1/completions", content=iter([large]))
        assert unsaid.status_code == 413
        endless = (
            b"POST /v1/completions HTTP/1.1\r\nHost: localhost\r\nContent-Length: 999999\r\n\r\n"
        )
        assert b" 413 " in raw(url, endless)


HEAD = b"POST /v1/completions HTTP/1.1\r\nHost: localhost\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"


@pytest.mark.parametrize(
    ("begun", "more"),
    [
        (HEAD, b"X-A: b\r\n"),
        (HEAD + b"X-A: ", b"a"),
        (b"GET /", b"a"),
        (CHUNKED + b"0\r\n", b"X-A: b\r\n"),
        (CHUNKED + b"1;", b"a"),
    ],
    ids=["headers", "header", "path", "trailers", "extension"],
)
def test_a_head_that_does_not_end_is_not_kept(locked_url: str, begun: bytes, more: bytes) -> None:
    host, port = locked_url.removeprefix("http://").split(":")
    with closing(socket.create_connection((host, int(port)), timeout=PATIENCE)) as sock:
        sock.sendall(begun)
        with pytest.raises(ConnectionError):
            sock.sendall(more * ((16 << 20) // len(more)))


def test_long_heads_and_bodies_in_small_chunks_are_none_of_that(open_url: str) -> None:
    assert ask(open_url, x_long="x" * 30_000).status_code == 200
    assert ask(open_url, x_long="x" * 30_000).status_code == 200
    spaces = iter([b" "] * 30_000)
    assert post(f"{open_url}/v1/completions", content=spaces).status_code == 400


@pytest.mark.parametrize(
    "field",
    [
        {"n": 17},
        {"stop": ["x"] * 17},
        {"logprobs": True, "top_logprobs": 21},
        {"logit_bias": {str(i): 1 for i in range(1025)}},
        {"messages": [{"role": "user", "content": "x"}] * 4097},
        {"response_format": {"type": "json_schema", "json_schema": {"schema": LONG}}},
        {"tools": [{"function": {"name": "f"}}] * 129},
    ],
    ids=lambda field: next(iter(field)),
)  # fmt: skip
def test_every_list_has_an_end(open_url: str, field: dict[str, Any]) -> None:
    answer = post(f"{open_url}/v1/chat/completions", json={**ASK, **field})
    assert answer.status_code == 400


def test_deep_json_harms_nobody(open_url: str) -> None:
    for deep in (b"[" * 200_000, b'{"messages":' * 50_000):
        answer = post(f"{open_url}/v1/chat/completions", content=deep)
        assert answer.status_code == 400


# What gets out ---------------------------------------------------------------------------------


def test_errors_tell_strangers_nothing(tmp_path: Path) -> None:
    secret = tmp_path / "secret-model.gguf"

    def fail() -> Any:
        raise OSError(f"{secret} is on fire")

    with serving(fail) as url:
        for path in ("/v1/chat/completions", "/v1/messages"):
            answer = post(url + path, json=ASK)
            assert answer.status_code == 500
            assert "secret" not in answer.text
            assert "Traceback" not in answer.text
            assert answer.headers.get("server") is None or "uvicorn" in answer.headers["server"]


@pytest.mark.parametrize(
    "path",
    [
        "/v1/models/../../etc/passwd",
        "/v1/models/%2e%2e%2fetc%2fpasswd",
        "//etc/passwd",
        "/props/../etc",
    ],
)
def test_no_path_reads_a_file(open_url: str, path: str) -> None:
    answer = raw(
        open_url, f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode()
    )
    assert b" 404 " in answer.split(b"\r\n")[0]
    assert b"root:" not in answer


def test_no_request_loads_another_model(open_url: str) -> None:
    answer = post(f"{open_url}/v1/chat/completions", json={**ASK, "model": "/etc/passwd"})
    assert answer.json()["model"] == "shell"


def test_a_body_cannot_smuggle_headers_into_an_answer(open_url: str) -> None:
    answer = post(f"{open_url}/v1/chat/completions", json={**ASK, "model": "x\r\nSet-Cookie: a=b"})
    assert "set-cookie" not in answer.headers


def raw(url: str, data: bytes) -> bytes:
    """What the server says to bytes that no client would send."""
    host, port = url.removeprefix("http://").split(":")
    with closing(socket.create_connection((host, int(port)), timeout=PATIENCE)) as sock:
        sock.sendall(data)
        answer = b""
        while part := sock.recv(65536):
            answer += part
            if b"\r\n\r\n" in answer and b"413" in answer:
                break
        return answer


def test_the_page_on_security_names_these_tests() -> None:
    page = (Path(__file__).parents[2] / "docs" / "security.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`(test_\w+)`", page))
    tests = {name for name in globals() if name.startswith("test_")}
    assert named - tests <= {"test_a_page_in_a_browser_cannot_use_the_server"} | ELSEWHERE
    assert tests - named == {"test_the_page_on_security_names_these_tests"}
