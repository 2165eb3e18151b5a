"""A running llama-server, llama.cpp's own server, as a contestant.

A server has one setting for its life, so there is one process a setting, on a free port of the
loopback interface, and none outlives the benchmark. Speeds are the server's own (`timings`). How it
is started stands in `llama_server_flags`; what it is asked then, here.
"""

import json
import os
import socket
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPException
from typing import IO, Any
from urllib.error import HTTPError

from localspec.bench.contest import Question, Run
from localspec.bench.llama_server_flags import PROGRAM, Setting, Site, command
from localspec.decoding.sampling import Sampling
from localspec.errors import LocalspecError
from localspec.llama.kernels import amx_crashes

__all__ = ["LlamaServer", "serving", "surviving"]

_START_SECONDS = 900  # large models on slow disks
_ANSWER_SECONDS = 3600
_POLL_SECONDS = 0.1
_KILL_SECONDS = 5
_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # loopback needs no proxy


class LlamaServer:
    """A running server that answers one question at a time."""

    def __init__(self, setting: str, address: str, sampling: Sampling, max_tokens: int) -> None:
        self.setting = setting
        self.name = f"{PROGRAM} {setting}"
        self._address = address
        self._order = {
            "n_predict": max_tokens,
            "cache_prompt": False,
            "seed": sampling.seed,
            "temperature": sampling.temperature,
            "top_k": sampling.top_k,
            "top_p": sampling.top_p,
            "min_p": sampling.min_p,
            "repeat_penalty": sampling.repeat_penalty,
            "samplers": ["temperature", "top_k", "top_p", "min_p"],  # in localspec's order
        }

    def check(self) -> None:
        """Whether it is ready. Raises OSError or HTTPException where it is not."""
        with _opened(f"{self._address}/health", _KILL_SECONDS):
            pass

    def answer(self, question: Question) -> Run:
        """Answer the tokens; speed and counts as the server reports them."""
        order = {"prompt": list(question.tokens), **self._order}
        request = urllib.request.Request(
            f"{self._address}/completion",
            data=json.dumps(order).encode(),
            headers={"Content-Type": "application/json"},
        )
        try:
            with _opened(request, _ANSWER_SECONDS) as response:
                timings: dict[str, Any] = json.load(response)["timings"]
            return Run(
                per_second=float(timings["predicted_per_second"]),
                count=int(timings["predicted_n"]),
                drafted=int(timings.get("draft_n", 0)),
            )
        except (OSError, HTTPException, ValueError, KeyError, TypeError) as error:
            raise LocalspecError(f"{self.name} gave no usable answer: {error!r}.") from error


@contextmanager
def _opened(request: urllib.request.Request | str, seconds: float) -> Iterator[IO[bytes]]:
    """A response; one that says no is closed, too."""
    try:
        with _OPENER.open(request, timeout=seconds) as response:
            yield response
    except HTTPError as error:
        error.close()
        raise


@contextmanager
def serving(
    site: Site, setting: Setting, sampling: Sampling, max_tokens: int
) -> Iterator[LlamaServer]:
    """A server for as long as the block lasts. Raises LocalspecError where it does not start."""
    port = _free_port()
    contestant = LlamaServer(setting.name, f"http://127.0.0.1:{port}", sampling, max_tokens)
    with tempfile.TemporaryFile() as log:
        server = subprocess.Popen(
            command(site, setting, port),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            env={k: value for k, value in os.environ.items() if not k.startswith("LLAMA_ARG_")},
            start_new_session=True,  # Ctrl-C is for us; we end it
        )
        try:
            _wait(server, contestant, log)
            yield contestant
        finally:
            _end(server)


def surviving(site: Site) -> Site:
    """The site without repacked weights where its server dies of them: where this build's kernels
    for AMX crash, that one's may, too, and it is asked.
    """
    if not amx_crashes(site.target):
        return site
    try:
        with serving(site, Setting("plain", ()), Sampling(temperature=0), 1) as server:
            server.answer(Question("", 0, (1,) * 8))
    except LocalspecError:
        return site._replace(repacking=False)
    return site


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        port: int = found.getsockname()[1]
    return port


def _wait(server: subprocess.Popen[bytes], contestant: LlamaServer, log: IO[bytes]) -> None:
    """Until it is ready to answer."""
    name = contestant.name
    end = time.monotonic() + _START_SECONDS
    while time.monotonic() < end:
        if server.poll() is not None:
            raise LocalspecError(f"{name} ended before it could answer: {_complaint(log)}")
        try:
            contestant.check()
            return
        except (OSError, HTTPException):  # not listening yet, or still loading (503)
            time.sleep(_POLL_SECONDS)
    raise LocalspecError(f"{name} was not ready after {_START_SECONDS} seconds.")


def _complaint(log: IO[bytes]) -> str:
    """The line of a server's log that says most about its end."""
    log.seek(0)
    lines = [line.strip() for line in log.read().decode("utf-8", "replace").splitlines()]
    lines = [line for line in lines if line]
    telling = [line for line in lines if "error" in line.lower() or "failed" in line.lower()]
    return (telling or lines or ["it said nothing"])[-1].rstrip(".") + "."


def _end(server: subprocess.Popen[bytes]) -> None:
    server.terminate()
    try:
        server.wait(_KILL_SECONDS)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait()
