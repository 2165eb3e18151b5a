"""What a server is told, and what it says of where it is."""

import socket
from typing import Any

import pytest
from servers import FakeLLM

from localspec.errors import LocalspecError, UsageError
from localspec.loading import Loading
from localspec.serve import run as serve
from localspec.serve.settings import Settings


@pytest.mark.parametrize(
    "wrong",
    [
        {"port": 70000},
        {"loading": Loading(waiting=-1)},
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
