"""Words that stand around what a call says, told from a text that is still being written.

White space in them is whatever the model makes of it. A `SLOT` is some short word: the number or
the name of a call.
"""

import re

from localspec.llama.lark import Lark

__all__ = ["MORE", "SLOT", "past", "rule"]

SLOT = "\0"
MORE = -1
"""The text ends before it is known."""
_WORD = re.compile(r"[\w.:-]*")
_SHORT = "/[a-zA-Z0-9_.:-]{1,40}/"


def past(text: str, literal: str, at: int = 0) -> int | None:
    """Where `literal`, which begins at `at`, ends in `text`; None where something else stands."""
    for character in literal:
        if character.isspace():
            continue
        while at < len(text) and text[at].isspace():
            at += 1
        if at == len(text):
            return MORE
        if character == SLOT:
            found = _WORD.match(text, at)
            at = found.end() if found else at
        elif text[at] == character:
            at += 1
        else:
            return None
    return at


def rule(lark: Lark, literal: str) -> str:
    """`literal` in a grammar."""
    return f" {_SHORT} ".join(map(lark.literal, literal.split(SLOT)))
