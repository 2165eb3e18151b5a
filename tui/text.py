"""What the chat finds in texts: thoughts, code blocks, a title. Nothing here draws."""

import re
from typing import NamedTuple

__all__ = [
    "CLOSE",
    "OPEN",
    "Parts",
    "code_blocks",
    "harmless",
    "shorten",
    "split_thoughts",
    "title",
]

OPEN, CLOSE = "<think>", "</think>"
"""What thoughts stand between in the chat; see `thinking` for what models write."""
_FENCE = re.compile(r"^ {0,3}(`{3,}|~{3,})([^\n`]*)$")
_TITLE_LENGTH = 56
_MARKS = re.compile(r"^[\s#>*\-`]+|[\s`*]+$")
# Escape sequences in an answer must not reach a terminal: they move cursors and set titles.
_HARMFUL = dict.fromkeys({*range(0x20), *range(0x7F, 0xA0)} - {ord("\n"), ord("\t")})


class Parts(NamedTuple):
    """An answer without its thoughts, and where each begins in the whole."""

    thoughts: str
    answer: str
    thinking: bool
    """Whether the thoughts have not come to an end yet."""
    offset: int
    """How many characters of the whole come before the answer."""


def split_thoughts(text: str) -> Parts:
    """What a model thought, apart from what it said.

    Where only the end of a thought is seen, the answer began within it.
    """
    start = len(text) - len(text.lstrip())
    opened = text.startswith(OPEN, start)
    close = text.find(CLOSE)
    if close < 0:
        if opened:
            return Parts(text[start + len(OPEN) :].strip(), "", True, len(text))
        return Parts("", text, False, 0)
    begin = start + len(OPEN) if opened else 0
    rest = text[close + len(CLOSE) :]
    answer = rest.lstrip()
    return Parts(text[begin:close].strip(), answer, False, len(text) - len(answer))


def code_blocks(text: str) -> list[str]:
    """The code between fences, also of one that has not been closed yet."""
    blocks: list[str] = []
    fence, lines = "", list[str]()
    for line in text.splitlines():
        found = _FENCE.match(line)
        if not fence and found:
            fence, lines = found[1], []
        elif fence and found and found[1].startswith(fence) and not found[2].strip():
            blocks.append("\n".join(lines))
            fence = ""
        elif fence:
            lines.append(line)
    return [*blocks, "\n".join(lines)] if fence and lines else blocks


def title(first: str) -> str:
    """What to call a conversation that begins like this."""
    lines = (_MARKS.sub("", line) for line in harmless(first).splitlines())
    return shorten(next((line for line in lines if line), "Untitled"), _TITLE_LENGTH)


def shorten(text: str, length: int) -> str:
    """One line of at most `length` characters, cut at a word where one is near."""
    line = " ".join(text.split())
    if len(line) <= length:
        return line
    cut = line[: length - 1]
    head, _, _ = cut.rpartition(" ")
    return (head if len(head) > length // 2 else cut) + "…"


def harmless(text: str) -> str:
    """`text` without control characters."""
    return text.translate(_HARMFUL)
