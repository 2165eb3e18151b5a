"""llama-server, llama.cpp's own server, as a contestant on the same files, threads and prompts.

A server has one setting for its life, so there is one process a setting, on a free port of the
loopback interface, and none outlives the benchmark. Speeds are the server's own (`timings`).
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
from pathlib import Path
from typing import IO, Any, NamedTuple

from localspec.bench.contest import Question, Run
from localspec.bench.peer_flags import ALL_LAYERS, Setting, needed
from localspec.decoding.sampling import Sampling
from localspec.errors import LocalspecError

__all__ = ["LlamaServer", "Site", "serving"]

_START_SECONDS = 900  # large models on slow disks
_ANSWER_SECONDS = 3600
_POLL_SECONDS = 0.1
_KILL_SECONDS = 5
_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # loopback needs no proxy


class Site(NamedTuple):
    """What localspec uses itself, for the server at `binary` to use as well."""

    binary: Path
    help_text: str
    target: Path
    draft: Path | None
    context: int
    threads: int
    repacking: bool


class LlamaServer:
    """A running server that answers one question at a time."""

    def __init__(self, name: str, address: str, sampling: Sampling, max_tokens: int) -> None:
        self.name = name
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

    def answer(self, question: Question) -> Run:
        """Answer the tokens; speed and counts as the server reports them."""
        order = {"prompt": list(question.tokens), **self._order}
        request = urllib.request.Request(
            f"{self._address}/completion",
            data=json.dumps(order).encode(),
            headers={"Content-Type": "application/json"},
        )
        try:
            with _OPENER.open(request, timeout=_ANSWER_SECONDS) as response:
                timings: dict[str, Any] = json.load(response)["timings"]
            return Run(
                per_second=float(timings["predicted_per_second"]),
                count=int(timings["predicted_n"]),
                drafted=int(timings.get("draft_n", 0)),
            )
        except (OSError, HTTPException, ValueError, KeyError, TypeError) as error:
            raise LocalspecError(f"{self.name} gave no usable answer: {error!r}.") from error


@contextmanager
def serving(
    site: Site, setting: Setting, sampling: Sampling, max_tokens: int
) -> Iterator[LlamaServer]:
    """A server for as long as the block lasts. Raises LocalspecError where it does not start."""
    name, port = f"llama-server {setting.name}", _free_port()
    address = f"http://127.0.0.1:{port}"
    with tempfile.TemporaryFile() as log:
        server = subprocess.Popen(
            _command(site, setting, port),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            env={k: value for k, value in os.environ.items() if not k.startswith("LLAMA_ARG_")},
            start_new_session=True,  # Ctrl-C is for us; we end it
        )
        try:
            _wait(server, address, name, log)
            yield LlamaServer(name, address, sampling, max_tokens)
        finally:
            _end(server)


def _command(site: Site, setting: Setting, port: int) -> list[str]:
    command = [str(site.binary), "--model", str(site.target), "--host", "127.0.0.1"]
    for flag, value in (
        ("--port", port),
        ("--ctx-size", site.context),
        ("--parallel", 1),
        ("--threads", site.threads),
        ("--threads-batch", site.threads),
        ("--gpu-layers", ALL_LAYERS),
    ):
        command += [flag, str(value)]
    if not site.repacking:
        command.append(needed(site.help_text, "--no-repack"))
    return [*command, *setting.flags]


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        port: int = found.getsockname()[1]
    return port


def _wait(server: subprocess.Popen[bytes], address: str, name: str, log: IO[bytes]) -> None:
    """Until it is ready to answer."""
    end = time.monotonic() + _START_SECONDS
    while time.monotonic() < end:
        if server.poll() is not None:
            raise LocalspecError(f"{name} ended before it could answer: {_complaint(log)}")
        try:
            with _OPENER.open(f"{address}/health", timeout=_KILL_SECONDS):
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
