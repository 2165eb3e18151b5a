"""Runs a module of ours in a process of its own, within bounds of time and memory.

llama.cpp aborts on some files, throws through C, never ends or takes all memory. None of that can
be caught in Python; in a child it is an outcome like others.
"""

import signal
import subprocess
import sys
import tempfile
import time
from typing import IO, NamedTuple

import psutil

from localspec import spoken

__all__ = ["Ending", "run"]

_WATCH_SECONDS = 0.02
_MOST_WORDS = 1 << 16


class Ending(NamedTuple):
    """How a child ended: its exit code, its output, its last line of complaint.

    `exceeded` is what it was ended for, as the end of a sentence, or empty.
    """

    code: int
    output: str
    words: str
    exceeded: str


def run(module: str, *arguments: str, seconds: float, memory: int) -> Ending:
    """Run `python -m module`; it is ended when it takes too long, or too many bytes of memory.

    Raises KeyboardInterrupt where Ctrl-C ended it, whichever thread this is.
    """
    command = [sys.executable, "-P", "-m", module, *arguments]
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as words:
        with subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=words
        ) as child:
            try:
                exceeded = _watch(child, seconds, memory)
            finally:
                child.kill()  # does nothing to one that has ended
        said = [line.strip() for line in _end_of(words).splitlines() if line.strip()]
        last = said[-1] if said else "it said nothing"
        if child.returncode == -signal.SIGINT or last == KeyboardInterrupt.__name__:
            raise KeyboardInterrupt  # which a terminal sends to both; it says nothing of the file
        return Ending(child.returncode, _end_of(output), last, exceeded)


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
                    return f"it takes more than {spoken.size(memory)} of memory"
                if time.monotonic() > deadline:
                    return f"it does not end within {seconds:.0f} s"
    except psutil.NoSuchProcess:
        child.wait()
        return ""


def _private_memory(process: psutil.Process) -> int:
    """Memory of its own: a file's pages in memory, where they are told apart, do not count."""
    memory = process.memory_info()
    return int(memory.rss - getattr(memory, "shared", 0))


def _end_of(file: IO[bytes]) -> str:
    file.seek(max(0, file.seek(0, 2) - _MOST_WORDS))
    return file.read().decode("utf-8", "replace")
