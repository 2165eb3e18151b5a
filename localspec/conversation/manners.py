"""What a chat template understands of a conversation, found out by having it write small ones.

Templates refuse what they do not know, or pass over it, and tell nobody which: so each is shown a
conversation that has the thing in question, in one form after another, until it writes all of it.
"""

import functools
from collections.abc import Callable, Iterable, Sequence
from itertools import combinations

from localspec.conversation.calling.notation import Notation
from localspec.conversation.calling.observing import observed
from localspec.conversation.forms import (
    Form,
    Messages,
    one_call_each,
    spelled_out,
    with_instructions_moved,
    with_objects,
    with_short_ids,
    with_texts,
    with_thoughts_as,
    with_tools_inside,
    with_tools_told,
    with_words_apart,
    with_written_calls,
)
from localspec.errors import LocalspecError

__all__ = ["Manners"]

_TOOL = {
    "type": "function",
    "function": {
        "name": "first_tool",
        "description": "A tool.",
        "parameters": {
            "type": "object",
            "properties": {"first_key": {"type": "string", "description": "A key."}},
            "required": ["first_key"],
        },
    },
}
_ASKED = {"role": "user", "content": "first question"}
_NAMES = {"first": "short", "second": "of_many_letters"}
_CALLED = {
    "role": "assistant",
    "content": "I look.",
    "tool_calls": [
        {
            "id": name,
            "type": "function",
            "function": {"name": "first_tool", "arguments": {"given": f"{word} value"}},
        }
        for word, name in _NAMES.items()
    ],
}
_RESULTS = [
    {"role": "tool", "tool_call_id": name, "content": f"{word} result"}
    for word, name in _NAMES.items()
]
_TOLD = ("first value", "second value", "first result", "second result")
_PYTHON = "{'given'"  # arguments that were meant to be JSON


def _steps(*forms: Form) -> Form:
    return lambda messages: functools.reduce(lambda told, form: form(told), forms, messages)


_CHANGES = (with_texts, one_call_each, with_short_ids, with_words_apart)
_NATIVE = tuple(_steps(with_objects, *some) for n in range(5) for some in combinations(_CHANGES, n))
_THOUGHTS = tuple(
    with_thoughts_as(name, alone=alone)
    for alone in (False, True)
    for name in ("reasoning_content", "reasoning", "thinking")
)
_FIRST = {"role": "system", "content": "first instruction"}
_AGENT = [
    _FIRST,
    {"role": "system", "content": "second instruction"},
    _ASKED,
    {"role": "assistant", "content": "first answer"},
    {"role": "system", "content": "late instruction"},
    {"role": "user", "content": "second question"},
]
"""Agents give instructions in the middle of a conversation, and several at its beginning."""
_INSTRUCTIONS = (
    _steps(),
    functools.partial(with_instructions_moved, but_first=True),
    functools.partial(with_instructions_moved, but_first=False),
)


class Manners:
    """Those of the template that `write` writes with, from messages and tools.

    `notations` are the model's, whatever its template has shown; `ends` are texts that end answers.
    `write` may raise anything; LocalspecError comes through. What nobody needs is not found out.
    """

    def __init__(
        self,
        write: Callable[[Messages, Messages | None], str],
        notations: Callable[[Sequence[Notation]], tuple[Notation, ...]],
        ends: Sequence[str] = (),
    ) -> None:
        self._write, self._made, self._ends = write, notations, ends

    def told(self, messages: Messages, tools: Messages | None) -> tuple[Messages, Messages | None]:
        """Messages and tools in forms that the template does not refuse or pass over."""
        if any(m.get("reasoning_content") for m in messages):
            messages = self._thoughts(messages)
        called = any(m.get("tool_calls") or m.get("role") == "tool" for m in messages)
        if called:
            messages = self._calls(messages)
        if tools and not self._knows_tools:
            messages, tools = self._offers(messages, tools), None
        given = [i for i, m in enumerate(messages) if m.get("role") == "system"]
        if given:
            messages = (self._instructions if given == [0] else self._several)(messages)
        return messages, tools

    @functools.cached_property
    def notations(self) -> tuple[Notation, ...]:
        """How the model says calls, the usual way first."""
        return self._made(self._shown())

    def _shown(self) -> Sequence[Notation]:
        """How the template writes calls, where it does."""
        for form in _NATIVE:
            try:
                shown = observed(functools.partial(self._formed, form), self._ends)
            except LocalspecError:  # it takes too long, and a model can do without
                break
            except Exception:  # whatever a stranger's file can bring out of Jinja
                continue
            if shown:
                return shown
        return ()

    def _formed(self, form: Form, messages: Messages) -> str:
        return self._write(form(messages), self._tools)

    @property
    def _tools(self) -> Messages | None:
        """For conversations with calls."""
        return [_TOOL] if self._knows_tools else None

    @functools.cached_property
    def _knows_tools(self) -> bool:
        return self._writes(["first_tool"], [_ASKED], [_TOOL])

    @functools.cached_property
    def _offers(self) -> Callable[[Messages, Messages], Messages]:
        """For a template that passes over tools that are given beside the messages."""
        if self._writes(["first_tool"], with_tools_inside([_ASKED], [_TOOL]), None):
            return with_tools_inside
        return functools.partial(with_tools_told, notation=self.notations[0])

    @functools.cached_property
    def _calls(self) -> Form:
        texts = (with_written_calls, spelled_out) if self._knows_tools else (spelled_out,)
        forms = (functools.partial(form, notation=self.notations[0]) for form in texts)
        called: Messages = [_ASKED, _CALLED, *_RESULTS]
        return self._first((*_NATIVE, *forms), _TOLD, called, self._tools)

    @functools.cached_property
    def _thoughts(self) -> Form:
        thought = {**_CALLED, "reasoning_content": "first thought"}
        told = self._calls([_ASKED, thought, *_RESULTS])
        return self._first(_THOUGHTS, ["first thought", *_TOLD], told, self._tools)

    @functools.cached_property
    def _instructions(self) -> Form:
        words = ["first instruction", "first question"]
        return self._first(_INSTRUCTIONS, words, [_FIRST, _ASKED])

    @functools.cached_property
    def _several(self) -> Form:
        return self._first(_INSTRUCTIONS, [str(m["content"]) for m in _AGENT], _AGENT)

    def _first(
        self,
        forms: Sequence[Form],
        words: Iterable[str],
        messages: Messages,
        tools: Messages | None = None,
    ) -> Form:
        """The first of the forms in which the template writes all the words; else the first."""
        written = (form for form in forms if self._writes(words, form(messages), tools))
        return next(written, forms[0])

    def _writes(self, words: Iterable[str], messages: Messages, tools: Messages | None) -> bool:
        try:
            text = self._write(messages, tools)
        except LocalspecError:
            raise
        except Exception:  # whatever a stranger's file can bring out of Jinja
            return False
        return all(word in text for word in words) and _PYTHON not in text
