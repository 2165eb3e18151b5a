"""What a server is told, and what it says of where it is."""

import json
import shlex
import socket
from types import SimpleNamespace
from typing import Any

import pytest
from command import localspec
from servers import FakeLLM

from localspec.errors import LocalspecError, UsageError
from localspec.loading import Loading
from localspec.serve import run as serve
from localspec.serve.settings import Settings
from localspec.verbs import serve as verb

KEY = "sesame-0123456789"


def test_what_to_paste_into_a_client_fits_eighty_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    target = SimpleNamespace(name="shell-65m-Q5_0", writes=True)
    draft = SimpleNamespace(name="shell-draft-6m-Q5_0")
    llm = SimpleNamespace(target=target, draft=draft, notes=[], context_length=8192)
    monkeypatch.setattr(verb, "serve", lambda settings, ready, **_: ready(settings, llm))
    greeting = localspec("serve", "--port", "65535", "--parallel", "1", "--api-key", KEY).stdout
    assert max(map(len, greeting.splitlines())) <= 80
    assert "1 answer at a time, 8192 tokens each." in greeting
    command = shlex.split(greeting.split("Try it:")[1].split("\n\n")[0].replace("\\\n", ""))
    assert command[:2] == ["curl", "http://127.0.0.1:65535/v1/chat/completions"]
    assert "Authorization: Bearer KEY" in command, "and not the key itself"
    assert json.loads(command[-1])["messages"][0]["role"] == "user"


@pytest.mark.parametrize(
    "wrong",
    [
        {"port": 70000},
        {"keep_alive": 0},
        {"keep_alive": float("nan")},
        {"api_key": "two words"},
        {"api_key": ""},
        {"origins": ("https://example.org/path",)},
    ],
)
def test_what_makes_no_sense_is_refused_in_a_sentence(wrong: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match=r"^[^\n]+\.$"):
        Settings(**wrong)


def test_clients_are_told_names_and_addresses_they_can_use() -> None:
    assert Settings(Loading("/models/big/llama-8b-q4.gguf")).model_name == "llama-8b-q4"
    assert Settings(host="::1").url == "http://[::1]:8080"
    assert Settings(host="0.0.0.0", api_key="k").url == "http://127.0.0.1:8080"


def test_a_port_that_is_taken_is_named_before_anything_is_loaded() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        settings = Settings(Loading("nowhere.gguf"), port=taken.getsockname()[1])
        with pytest.raises(LocalspecError, match="--port takes another"):
            serve.run(settings, lambda *_: None)


def test_and_one_that_another_server_takes_while_the_model_is_loaded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("127.0.0.1", 0))

        def load(loading: Loading) -> FakeLLM:
            other.listen()
            return FakeLLM()

        monkeypatch.setattr(serve, "LLM", load)
        with pytest.raises(LocalspecError, match="--port takes another"):
            serve.run(Settings(port=other.getsockname()[1]), lambda *_: None)
