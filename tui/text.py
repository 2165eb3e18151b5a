"""What the chat finds in texts: code blocks, a title. Nothing here draws."""

import re

from localspec.console import harmless

__all__ = ["code_blocks", "shorten", "title"]

_FENCE = re.compile(r"^ {0,3}(`{3,}|~{3,})([^\n`]*)$")
_TITLE_LENGTH = 56
_MARKS = re.compile(r"^[\s#>*\-`]+|[\s`*]+$")


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
