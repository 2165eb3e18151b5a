"""The chat as it is installed: a terminal, the embedded pair, a person who types."""

import os
import select
import signal
import subprocess
import sys
import time
from collections import deque
from contextlib import suppress
from pathlib import Path
from threading import Thread

import pytest
from textual.drivers._writer_thread import WriterThread
from workers import within

from localspec.tui.outside import outlive_terminal
from localspec.tui.store import Message, Store

if sys.platform == "win32":
    pytest.skip("terminals are made otherwise on Windows", allow_module_level=True)

import pty
import struct
from fcntl import ioctl
from termios import TIOCSWINSZ

PATIENCE = 300


class Terminal:
    """`localspec chat` in a terminal of its own."""

    def __init__(self, home: Path) -> None:
        environment = {**os.environ, "LOCALSPEC_HOME": str(home), "TERM": "xterm-256color"}
        self.process, self._master = pty.fork()
        if self.process == 0:
            os.execvpe(sys.executable, [sys.executable, "-m", "localspec", "chat"], environment)
        ioctl(self._master, TIOCSWINSZ, struct.pack("HHHH", 30, 100, 0, 0))
        self.seen = ""
        self._ended = False

    def type(self, keys: str | bytes) -> None:
        os.write(self._master, keys.encode() if isinstance(keys, str) else keys)

    def wait_for(self, words: str) -> None:
        """Read until `words` are drawn after all that was waited for before."""
        end = time.monotonic() + PATIENCE
        while words not in self.seen:
            assert time.monotonic() < end, (
                f"{words!r} does not come; there was {self.seen[-500:]!r}"
            )
            self._read()
        self.seen = self.seen.split(words, 1)[1]

    def _read(self) -> None:
        if select.select([self._master], [], [], 0.2)[0]:
            try:
                self.seen += os.read(self._master, 1 << 16).decode("utf-8", "replace")
            except OSError:  # how Linux says that the other end was closed
                self._ended = True

    def close(self) -> None:
        """Close the window, and wait until the chat has noticed."""
        os.close(self._master)
        within(lambda: os.waitpid(self.process, 0))

    def end(self) -> int:
        """Wait for its end; the exit code."""
        end = time.monotonic() + PATIENCE
        while not self._ended:
            assert time.monotonic() < end, "the chat does not end"
            self._read()
        return os.waitstatus_to_exitcode(os.waitpid(self.process, 0)[1])


@pytest.fixture
def terminal(tmp_path: Path) -> Terminal:
    terminal = Terminal(tmp_path)
    terminal.wait_for("for commands")
    return terminal


def kept(home: Path) -> list[Message]:
    with Store(home / "data" / "chats.db") as store:
        (summary,) = store.summaries()
        return store.tree(summary.id).path()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "The chat needs a terminal"),
        (["--json"], "The chat is for people"),
    ],
)
def test_programs_are_told_to_use_generate(arguments: list[str], words: str) -> None:
    command = [sys.executable, "-m", "localspec", "chat", *arguments]
    run = subprocess.run(
        command, capture_output=True, encoding="utf-8", stdin=subprocess.DEVNULL, check=False
    )
    assert (run.returncode, run.stdout, run.stderr.count("\n")) == (2, "", 1)
    assert words in run.stderr
    assert "localspec generate" in run.stderr


def test_the_first_screen_waits_neither_for_llama_cpp_nor_for_numpy() -> None:
    loaded = "import localspec.tui.start, sys; print({'numpy', 'llama_cpp'} & set(sys.modules))"
    assert subprocess.check_output([sys.executable, "-c", loaded], text=True) == "set()\n"


def test_a_conversation_from_the_first_key_to_the_last(terminal: Terminal, tmp_path: Path) -> None:
    terminal.type("/set seed 7\r")
    terminal.type("How do I list files by size?\r")  # before the model is there
    terminal.wait_for("esc")  # while the answer comes
    terminal.wait_for("again")
    terminal.type("And by date?\r")
    terminal.wait_for("esc")
    terminal.wait_for("again")
    terminal.type("\x11")  # ctrl+q
    assert terminal.end() == 0
    question, answer, _, second = kept(tmp_path)
    assert question.content == "How do I list files by size?"
    assert (answer.finish_reason, answer.seed) == ("stop", 7)
    assert answer.figures
    assert answer.figures.statistics.completion_tokens > 0
    assert answer.figures.plain_per_second > 0
    assert sum(length for length, _ in answer.origins) == len(answer.content)
    assert second.figures
    assert second.figures.statistics.cached_tokens > 0, "a new turn reads only what is new"


def test_what_was_said_before_a_kill_is_there(terminal: Terminal, tmp_path: Path) -> None:
    terminal.type("/set temperature 1.5\r")
    terminal.type("Tell me a long story\r")
    terminal.wait_for("tokens/s")
    os.kill(terminal.process, signal.SIGKILL)
    terminal.end()
    question, answer = kept(tmp_path)
    assert question.content == "Tell me a long story"
    assert answer.role == "assistant"


def drafts(home: Path) -> str:
    with Store(home / "data" / "chats.db") as store:
        return store.draft(None)


def test_a_chat_that_is_ended_from_outside_keeps_all_and_leaves_the_terminal_as_it_was(
    terminal: Terminal, tmp_path: Path
) -> None:
    terminal.type("half a thought")
    terminal.wait_for("thought")
    os.kill(terminal.process, signal.SIGTERM)
    terminal.wait_for("\x1b[?1049l")  # back from the alternate screen
    assert terminal.end() == 128 + signal.SIGTERM
    assert drafts(tmp_path) == "half a thought"


def test_a_terminal_that_is_closed_costs_nothing(terminal: Terminal, tmp_path: Path) -> None:
    terminal.type("half a thought")
    terminal.wait_for("thought")
    terminal.close()
    assert drafts(tmp_path) == "half a thought"


def test_a_terminal_that_nobody_reads_and_then_is_closed_keeps_nobody_waiting() -> None:
    outlive_terminal()
    master, slave = pty.openpty()
    with suppress(OSError), open(slave, "w") as terminal:  # it cannot be told its last words
        writer = WriterThread(terminal)
        writer.start()
        writing = Thread(target=deque, args=(map(writer.write, ["x" * 4096] * 100), 0), daemon=True)
        writing.start()
        writing.join(0.2)
        assert writing.is_alive(), "there is only so much room in a terminal"
        os.close(master)
        within(writing.join)
        within(writer.stop)


def test_bytes_that_are_no_text_do_not_end_the_chat(terminal: Terminal) -> None:
    terminal.type(b"caf\xe9 au lait")
    terminal.wait_for("au lait")
    terminal.type("\x11")
    assert terminal.end() == 0
