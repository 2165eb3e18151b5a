"""llama-server, llama.cpp's own server, as a contestant on the same files, threads and prompts.

A server has one setting for its life, so there is one process a setting, on a free port of the
loopback interface, and none outlives the benchmark. Names of flags change from version to
version: they are looked up in `--help`. Speeds are the server's own (`timings`).
"""

import json
import os
import re
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, NamedTuple

from localspec.bench.contest import Question, Run
from localspec.decoding.sampling import Sampling
from localspec.errors import LocalspecError, UsageError

__all__ = ["LlamaServer", "Setting", "Site", "help_of", "serving", "settings"]

_HELP_SECONDS = 60
_START_SECONDS = 900  # large models on slow disks
_ANSWER_SECONDS = 3600
_POLL_SECONDS = 0.1
_KILL_SECONDS = 5
_ALL_LAYERS = "999"
_LENGTHS = (1, 3, 5, 7, 15)
_CONFIDENCES = (0.0, 0.6, 0.8)
_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # loopback needs no proxy


class Setting(NamedTuple):
    """A way to run the server: the flags that make it, and how a table calls it."""

    name: str
    flags: tuple[str, ...]


class Site(NamedTuple):
    """What localspec uses itself, for the server to use as well."""

    binary: Path
    target: Path
    draft: Path | None
    context: int
    threads: int
    repacking: bool
    gpu_layers: str = _ALL_LAYERS


def help_of(binary: Path) -> str:
    """What `--help` says. Raises UsageError where the file is no llama-server."""
    try:
        told = subprocess.run(
            [binary, "--help"], capture_output=True, timeout=_HELP_SECONDS, check=False
        )
    except OSError as error:
        raise UsageError(f"{binary} cannot be run: {error.strerror}.") from None
    except subprocess.TimeoutExpired:
        raise UsageError(f"{binary} --help does not come to an end.") from None
    text = told.stdout.decode("utf-8", "replace")
    if "--model" not in text or "--port" not in text:
        raise UsageError(f"{binary} is no llama-server: its --help knows no --model and --port.")
    return text


def settings(help_text: str, draft: Path | None, *, every: bool) -> list[Setting]:
    """Without guessing, with the draft as llama-server uses it by default, and with `every` a
    grid of lengths and least confidences, and its guessing from text."""
    found = [Setting("plain", ())]
    kinds = _flag(help_text, "--spec-type")
    if draft:
        base = (_needed(help_text, "--spec-draft-model", "--model-draft"), str(draft))
        layers = _flag(help_text, "--spec-draft-ngl", "--gpu-layers-draft")
        base += (layers, _ALL_LAYERS) if layers else ()
        if kinds and "draft-simple" in help_text:
            base += (kinds, "draft-simple")  # a draft alone is not used by newer versions
        found.append(Setting("default", base))
        if every:
            found += _grid(help_text, base)
    if every and kinds:
        names = [name for name in ("ngram-simple", "ngram-mod") if name in help_text]
        found += [Setting(name, (kinds, name)) for name in names]
    return found


def _grid(help_text: str, base: tuple[str, ...]) -> Iterator[Setting]:
    length = _needed(help_text, "--spec-draft-n-max", "--draft-max")
    confidence = _needed(help_text, "--spec-draft-p-min", "--draft-p-min")
    for n in _LENGTHS:
        for p in _CONFIDENCES:
            yield Setting(f"n_max {n}, p_min {p:g}", (*base, length, str(n), confidence, str(p)))


def _flag(help_text: str, *names: str) -> str | None:
    """The first of the names that the help lists."""
    known = set(re.findall(r"(?<!\S)--[a-z0-9-]+", help_text))
    return next((name for name in names if name in known), None)


def _needed(help_text: str, *names: str) -> str:
    flag = _flag(help_text, *names)
    if flag is None:
        raise UsageError(f"This llama-server knows no {names[0]}; use one of another version.")
    return flag


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
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise LocalspecError(f"{self.name} gave no usable answer: {error!r}.") from error


@contextmanager
def serving(
    site: Site, setting: Setting, help_text: str, sampling: Sampling, max_tokens: int
) -> Iterator[LlamaServer]:
    """A server for as long as the block lasts. Raises LocalspecError where it does not start."""
    name, port = f"llama-server {setting.name}", _free_port()
    address = f"http://127.0.0.1:{port}"
    with tempfile.TemporaryFile() as log:
        server = subprocess.Popen(
            _command(site, setting, help_text, port),
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


def _command(site: Site, setting: Setting, help_text: str, port: int) -> list[str]:
    command = [str(site.binary), "--model", str(site.target), "--host", "127.0.0.1"]
    for flag, value in (
        ("--port", port),
        ("--ctx-size", site.context),
        ("--parallel", 1),
        ("--threads", site.threads),
        ("--threads-batch", site.threads),
        ("--gpu-layers", site.gpu_layers),
    ):
        command += [flag, str(value)]
    if not site.repacking:
        command.append(_needed(help_text, "--no-repack"))
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
        except OSError:  # not listening yet, or 503 while the model is being loaded
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
