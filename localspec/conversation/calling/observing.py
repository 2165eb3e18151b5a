"""How a model says calls, seen in what its chat template writes of calls that are known.

Two calls with known names and arguments are shown to the template, with words before them and
without. What stands before both, after both, and between them is told apart by what these places
have in common.
"""

import json
import re
from collections.abc import Callable, Iterable, Sequence
from itertools import takewhile
from typing import Any, NamedTuple

from localspec.conversation.calling.literals import Literals
from localspec.conversation.calling.notation import Notation
from localspec.conversation.calling.tags import Tags
from localspec.conversation.calling.values import Json, Values
from localspec.conversation.calling.wording import SLOT
from localspec.conversation.thinking import KNOWN

__all__ = ["observed"]

_ASKED = {"role": "user", "content": "first question"}
_WORDS = "I look."
_IDS = ("first1234", "other5678")
_NAMES = ("first_name", "other_name")
_ARGUMENTS = (
    {"a_key": "one value", "b_key": 31, "c_key": "two value"},
    {"a_key": "six value", "b_key": 47, "c_key": "ten value"},
)
_CALLS = [
    {"id": i, "type": "function", "function": {"name": name, "arguments": arguments}}
    for i, name, arguments in zip(_IDS, _NAMES, _ARGUMENTS, strict=True)
]
_NUMBER = re.compile(rf"{'|'.join(_IDS)}|(?<!\w)\d+(?!\w)")
_ATOM = re.compile(r"<[^<>]*>|\[/?[A-Z_]+\]|.", re.DOTALL)


def observed(write: Callable[[Sequence[Any]], str], ends: Iterable[str]) -> list[Notation]:
    """In which notations `write` writes the calls of a conversation, the usual one first.

    Empty where it cannot be told. `ends` are texts that end an answer. Raises what `write` raises.
    """
    plain = write([_ASKED, {"role": "assistant", "content": _WORDS}])
    answered = plain.rpartition(_ASKED["content"])[2]
    tail = answered.rpartition(_WORDS)[2]
    found = list[Notation]()
    for words in ("", _WORDS):
        text = write([_ASKED, {"role": "assistant", "content": words, "tool_calls": _CALLS}])
        at = text.find(_NAMES[0])
        start = _start(text[: max(at, 0)], plain, words)
        notation = _notation(text[start:], tail, ends)
        if notation and notation not in found and _can_be_told(notation, answered):
            found.append(notation)
    return found


def _can_be_told(notation: Notation, answered: str) -> bool:
    """Whether calls have a mark that other answers have not, and no words came between."""
    marked = not notation.mark or notation.mark not in answered
    return marked and _WORDS not in notation.end + notation.between


def _start(before: str, plain: str, words: str) -> int:
    """Where what belongs to calls begins in what stands before a name."""
    at = before.rfind(words) if words else -1
    start = at + len(words) if at >= 0 else len(_beginning(before, plain))
    thought = [before.rfind(m.end) + len(m.end) for m in KNOWN if m.end in before]
    return max([start, *thought])


class _Seen(NamedTuple):
    """A call: where it begins and ends, and what stands between its name and arguments."""

    start: int
    end: int
    middle: str
    values: Values


def _notation(said: str, tail: str, ends: Iterable[str]) -> Notation | None:
    """Of an answer that is calls, and what stands after it, `tail` where it is none."""
    said = said.removeprefix(_beginning(said, tail))
    first, second = (_seen(said, i) for i in range(len(_CALLS)))
    if not first or not second:
        return None
    begin = _NUMBER.sub(SLOT, said[: first.start].lstrip())
    between = _NUMBER.sub(SLOT, said[first.end : second.start])
    end = _NUMBER.sub(SLOT, said[second.end :])
    end = end.removesuffix(_ending(end, tail))
    for text in ends:
        end = end.partition(text)[0]
    end = end.rstrip()
    if any(text in between for text in (*ends, tail.strip()) if text):
        return Notation(begin, first.middle, end, values=first.values, several=False)
    before = _ending(begin, between)
    after = _beginning(between, end)[: len(between) - len(before)]
    return Notation(
        before=before,
        middle=first.middle,
        after=after,
        between=between[len(after) : len(between) - len(before)],
        begin=begin.removesuffix(before),
        end=end.removeprefix(after),
        values=first.values,
    )


def _seen(said: str, i: int) -> _Seen | None:
    start = said.find(_NAMES[i])
    if start < 0:
        return None
    name_end = start + len(_NAMES[i])
    for found in re.finditer("{", said[name_end:]):
        at = name_end + found.start()
        try:
            value, end = json.JSONDecoder().raw_decode(said, at)
        except ValueError:
            continue
        if value == _ARGUMENTS[i]:
            return _Seen(start, end, _worded(said[name_end:at], i), Json())
    return _one_by_one(said, i, start, name_end)


def _worded(middle: str, i: int) -> str:
    return _NUMBER.sub(SLOT, middle.replace(_NAMES[i], SLOT))


def _one_by_one(said: str, i: int, start: int, at: int) -> _Seen | None:
    """A call whose arguments are no JSON object."""
    gaps, last = list[str](), ""
    for key, value in _ARGUMENTS[i].items():
        for word in (key, str(value)):
            found = said.find(word, at)
            if found < 0:
                return None
            gaps.append(said[at:found].replace(last, SLOT) if last else said[at:found])
            at = found + len(word)
        last = key
    head, middle, after, other, between, _ = gaps
    before = _ending(head, _ending(after, between))
    after, between = after.removesuffix(before), between.removesuffix(before)
    head = _worded(head.removesuffix(before), i)
    if after == between and before.strip() and after.strip():
        closing = after.replace(SLOT, last)
        end = at + len(closing) if said.startswith(closing, at) else at
        return _Seen(start, end, head, Tags(before, middle, after, other))
    quote = after.removesuffix(between)
    if before or not quote.strip() or middle != other + quote or not said.startswith(quote, at):
        return None
    return _Seen(start, at + len(quote), head, Literals(other, between, quote))


def _beginning(one: str, other: str) -> str:
    """What two texts begin with; tags are not cut in two."""
    atoms = zip(_ATOM.findall(one), _ATOM.findall(other), strict=False)
    return "".join(a for a, _ in takewhile(lambda pair: pair[0] == pair[1], atoms))


def _ending(one: str, other: str) -> str:
    """What two texts end with."""
    atoms = zip(reversed(_ATOM.findall(one)), reversed(_ATOM.findall(other)), strict=False)
    return "".join([a for a, _ in takewhile(lambda pair: pair[0] == pair[1], atoms)][::-1])
