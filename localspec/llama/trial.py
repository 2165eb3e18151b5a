"""Loads a model and decodes a few tokens in a process of its own, within bounds.

There are files on which llama.cpp aborts, throws through C, never ends or takes all memory. None
of that can be caught in Python; in a child it is an outcome like others.
"""

import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import IO, Literal, NamedTuple

import psutil

from localspec.llama.library import lib, log_lines, start

__all__ = ["Outcome", "attempt", "complaint"]

_REFUSED = 7  # the child's exit code for a file that llama.cpp itself turns down
_SECONDS, _BYTES_A_SECOND = 60.0, 20e6  # for a slow disk
_SPARE_MEMORY = 1 << 30
_WATCH_SECONDS = 0.05
_MOST_WORDS = 4096


class Outcome(NamedTuple):
    """How it went, and what was said where it did not go well, as the end of a sentence."""

    kind: Literal["works", "refused", "crashed", "unbounded"]
    reason: str = ""


def attempt(model: Path, *, size: int, repack: bool) -> Outcome:
    """Try a model of `size` bytes in all its files; `repack` is as for loading it."""
    command = [sys.executable, "-m", __name__, str(model), str(int(repack))]
    with tempfile.TemporaryFile() as words:
        with subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=words
        ) as child:
            try:
                exceeded = _watch(
                    child, _SECONDS + size / _BYTES_A_SECOND, _SPARE_MEMORY + 2 * size
                )
            finally:
                child.kill()  # does nothing to one that has ended
        if exceeded:
            return Outcome("unbounded", exceeded)
        if child.returncode == 0:
            return Outcome("works")
        said = _last_words(words)
        return Outcome("refused" if child.returncode == _REFUSED else "crashed", said)


def _watch(child: "subprocess.Popen[bytes]", seconds: float, memory: int) -> str:
    """Wait for its end; returns what it took too much of, else nothing."""
    deadline = time.monotonic() + seconds
    try:
        process = psutil.Process(child.pid)
        while True:
            try:
                child.wait(_WATCH_SECONDS)
                return ""
            except subprocess.TimeoutExpired:
                if _private_memory(process) > memory:
                    return f"it takes more than {memory / 1e9:.1f} GB of memory"
                if time.monotonic() > deadline:
                    return f"loading it does not end within {seconds:.0f} s"
    except psutil.NoSuchProcess:
        child.wait()
        return ""


def _private_memory(process: psutil.Process) -> int:
    """Memory of its own: a file's pages in memory, where they are told apart, do not count."""
    memory = process.memory_info()
    return int(memory.rss - getattr(memory, "shared", 0))


def _last_words(words: IO[bytes]) -> str:
    words.seek(max(0, words.seek(0, 2) - _MOST_WORDS))
    lines = words.read().decode("utf-8", "replace").split("\n")
    return next((line.strip() for line in reversed(lines) if line.strip()), "it said nothing")


def complaint() -> str:
    """What llama.cpp said last that explains a failure, as the end of a sentence."""
    telling = [line for line in log_lines() if "error" in line.lower() or "failed" in line.lower()]
    said = telling[0] if telling else "it gave no reason"
    return said.split(": ", 1)[-1].rstrip(".")


def _load_and_decode(model: str, repack: bool) -> None:
    """What the child does: plain llama.cpp, a few tokens wide, as that is where kernels differ."""
    start()
    params = lib.llama_model_default_params()
    params.use_extra_bufts = repack
    params.n_gpu_layers = 0
    loaded = lib.llama_model_load_from_file(model.encode(), params)
    if not loaded:
        _refuse(complaint())
    sizes = lib.llama_context_default_params()
    sizes.n_ctx = sizes.n_batch = sizes.n_ubatch = 32
    context = lib.llama_init_from_model(loaded, sizes)
    if not context:
        _refuse(complaint())
    vocabulary = lib.llama_model_get_vocab(loaded)
    text, room = b"Hello, 1 world!", (lib.llama_token * 16)()
    lib.llama_tokenize(vocabulary, text, len(text), room, len(room), False, True)
    if lib.llama_vocab_n_tokens(vocabulary) > 1 and lib.llama_model_has_decoder(loaded):
        tokens = (lib.llama_token * 4)(1, 1, 1, 1)
        lib.llama_decode(context, lib.llama_batch_get_one(tokens, len(tokens)))


def _refuse(reason: str) -> None:
    print(reason, file=sys.stderr)
    sys.exit(_REFUSED)


if __name__ == "__main__":
    _load_and_decode(sys.argv[1], sys.argv[2] == "1")
