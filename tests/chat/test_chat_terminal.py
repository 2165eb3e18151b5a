"""Dark and light: what a terminal says of its background."""

import os
import sys

import pytest
from scripted import HELLO, ScriptedBackend, ask, chatting, driven, on_screen, wait_until

from localspec.tui.terminal import is_dark

LOOK = """
import sys
from localspec.tui import terminal
if "waits" in sys.argv:
    terminal._SECONDS = 60
with terminal.Terminal() as terminal:
    pass
print(terminal.dark, repr(terminal.typed), end=";")
"""
QUESTION = b"\x1b]11;?\x1b\\\x1b[c"


def told(answer: bytes, **environment: str) -> str:
    """What comes of a terminal's answer to the question."""
    import pty

    process, terminal = pty.fork()
    if process == 0:
        settings = {"TERM": "xterm-256color", "COLORFGBG": "", **environment}
        how = ["waits"] if answer else []
        os.execvpe(sys.executable, [sys.executable, "-c", LOOK, *how], {**os.environ, **settings})
    seen = b""
    while not seen.endswith(b";"):
        seen += os.read(terminal, 4096)
        if seen == QUESTION:
            os.write(terminal, answer)
    os.waitpid(process, 0)
    os.close(terminal)
    return seen.removeprefix(QUESTION).decode().removesuffix(";")


@pytest.mark.skipif(sys.platform == "win32", reason="terminals are made otherwise on Windows")
@pytest.mark.parametrize(
    ("answer", "environment", "expected"),
    [
        (b"\x1b]11;rgb:ffff/ffff/dddd\x1b\\\x1b[?62;22c", {}, "False ''"),
        (b"\x1b]11;rgb:11/13/17\x07\x1b[?62c", {"COLORFGBG": "0;15"}, "True ''"),
        (b"\x1b[?1;2c", {}, "None ''"),
        (b"\x1b[?1;2c", {"COLORFGBG": "0;default;15"}, "False ''"),
        (b"\x1b[?1;2c", {"COLORFGBG": "15;0"}, "True ''"),
        (b"Why \x1b]11;rgb:0000/0000/0000\x1b\\is\x1b[?62c", {}, "True 'Why is'"),
        (b"", {}, "None ''"),
    ],
)
def test_a_terminal_is_asked(answer: bytes, environment: dict[str, str], expected: str) -> None:
    assert told(answer, **environment) == expected


def test_a_terminal_that_cannot_answer_is_not_asked() -> None:
    assert told(b"", TERM="dumb") == "None ''"


def test_colours() -> None:
    assert is_dark("ffff/0000/0000") is True
    assert is_dark("c/c/c") is False
    assert is_dark("red") is None


@driven
async def test_the_theme_is_the_terminals_until_another_is_chosen() -> None:
    async with chatting(dark=False, typed="Why ") as (chat, pilot):
        assert chat.theme == "localspec-light"
        assert chat.prompt.text == "Why "
        chat.prompt.put("")
        await ask(chat, pilot, "/theme localspec-dark", answered=False)
        await wait_until(pilot, lambda: chat.theme == "localspec-dark")
    async with chatting(dark=False, store=chat.session.store) as (chat, pilot):
        assert chat.theme == "localspec-dark"
        await ask(chat, pilot, "/theme auto", answered=False)
        await wait_until(pilot, lambda: chat.theme == "localspec-light")


@driven
async def test_guesses_and_choices_are_seen_where_there_are_sixteen_colours() -> None:
    async with chatting(ScriptedBackend(HELLO)) as (chat, pilot):
        chat.theme = "ansi-dark"
        await ask(chat, pilot, "Hi")
        await pilot.press("ctrl+t", "/")
        await wait_until(pilot, lambda: "/new" in on_screen(chat))
        styles = {
            segment.text.strip(): segment.style
            for strip in chat.screen._compositor.render_strips()
            for segment in strip
            if segment.style
        }
        assert styles["Hello"].underline
        assert styles["/new"].underline
