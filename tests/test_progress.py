"""What a person at a terminal sees while they wait."""

import fcntl
import os
import pty
import struct
import subprocess
import sys
import termios

import pytest

from localspec.progress import Progress

NARROW = 40  # columns

LONG = """
from localspec.progress import Progress
with Progress() as progress:
    progress.at(0.01, "letting a draft with a long name guess for a target with another")
    progress.note("A draft with a long name was not found, and so nothing guesses.")
"""


def test_progress_is_shown_to_people_only(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    times = iter([0.0, 10.0, 10.01, 20.0])
    with Progress(lambda: 0.0) as progress:
        progress.at(0.5, "code")
    assert capsys.readouterr().err == ""
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    with Progress(lambda: next(times)) as progress:
        progress.at(0.25, "code")
        progress.at(0.3, "too soon")
        progress.at(0.5, "\x1b[2Jchat")
    shown = capsys.readouterr().err
    assert "25% code, 30 s left" in shown
    assert "50% [2Jchat, 20 s left" in shown, "and nothing in it speaks to the terminal"
    assert "too soon" not in shown
    assert shown.endswith("\r\x1b[K")


def test_a_line_fits_the_terminal_whatever_standard_output_is() -> None:
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, NARROW, 0, 0))
    environment = {name: value for name, value in os.environ.items() if name != "COLUMNS"}
    subprocess.run(
        [sys.executable, "-c", LONG], check=True, stdout=subprocess.PIPE, stderr=theirs,
        env=environment,
    )  # fmt: skip
    os.close(theirs)
    shown = os.read(ours, 4096).decode()
    os.close(ours)
    lines = shown.replace("\x1b[K", "").split("\r")
    assert "letting" in shown
    assert "nothing guesses." in shown
    assert max(map(len, lines)) < NARROW
