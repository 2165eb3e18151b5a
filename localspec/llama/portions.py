"""Texts in portions that llama.cpp can split without running out of stack.

Before it looks for tokens it splits a text by a regular expression of the model's. For many models
the C++ library's engine does that, which calls itself for each character of a match: 25,000
letters, or spaces, without a break end the process where a thread has 8 MB of stack, and 3,000
where it has one. What has no break for so long is cut where the expressions part words anyway, or
else anywhere.
"""

import re
from collections.abc import Callable, Iterator
from itertools import chain

__all__ = ["LONGEST", "portions"]

LONGEST = 2048
"""Characters without a break; a match may go on over one, and then takes two such runs."""

_RUN = re.compile(rf"(?<!\S)\S{{{LONGEST},}}|(?<!\s)\s{{{LONGEST},}}")


def portions(text: str, is_within: Callable[[str, int], bool]) -> Iterator[str]:
    """The text cut in such places. None is where, in a text, `is_within` says that a token is."""
    at = 0
    for run in _RUN.finditer(text):
        start = run.start()
        while run.end() - start > LONGEST:
            cut = _cut(text, start, is_within)
            yield text[at:cut]
            at = start = cut
    yield text[at:]


def _cut(text: str, start: int, is_within: Callable[[str, int], bool]) -> int:
    """The last good place, by way of preference after a word."""
    places = range(start + LONGEST, start, -1)
    after_words = (at for at in places if text[at - 1].isalnum() and _ends_word(text[at]))
    return next((at for at in chain(after_words, places) if not is_within(text, at)), places[0])


def _ends_word(character: str) -> bool:
    return not (character.isalnum() or character.isspace() or character == "'")
