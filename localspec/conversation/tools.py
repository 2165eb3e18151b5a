"""Functions a model may call, as a grammar of what it may answer.

A call that is begun names one of the functions and keeps to the schema of its arguments, in one of
the notations in which the model says calls. So it can be read from the text again, and while it is
still being written.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

from localspec.conversation.notation import Calling, Notation
from localspec.conversation.values import closed
from localspec.conversation.wording import rule
from localspec.llama.lark import Lark, json_rule

__all__ = ["grammar", "simplified"]


def grammar(
    calling: Calling,
    choice: str | None,
    special: Mapping[str, int],
    schema: Mapping[str, Any] | None = None,
    *,
    one_call: bool = False,
) -> str:
    """A Lark grammar, in llguidance's dialect, of what may be answered.

    `choice` "auto" or None leaves it to the model whether it calls, "required" asks for a call,
    and a name for a call of that function. `special` are tokens that are no text to llguidance. An
    answer without a call must match `schema`. With `one_call` an answer that calls ends with its
    first call.
    """
    if choice not in (None, "auto", "required"):
        calling = calling._replace(functions={choice: calling.functions[choice]})
    asked = choice not in (None, "auto")
    one_call = one_call or (asked and len(calling.functions) == 1)
    lark = Lark(special)
    if not asked and schema is None:
        _free(lark, calling, one_call)
        return str(lark)
    usual = calling.notations[0]
    calls = _calls(lark, usual, calling, one_call, usual.lead + usual.begin + usual.before)
    lark.rule(calls if asked or schema is None else f"{calls} | {json_rule(schema)}", "start")
    return str(lark)


def _free(lark: Lark, calling: Calling, one_call: bool) -> None:
    """Text and calls, as the model likes; what begins with a mark of calls is one."""
    told = [n for n in calling.notations if n.begin + n.before and len(lark.parts(n.mark)) == 1]
    marks = list(dict.fromkeys(n.mark for n in told))
    calls = dict[str, str]()
    for mark in marks:
        ways = [
            _calls(lark, n, calling, one_call, (n.begin + n.before).removeprefix(mark))
            for n in told
            if n.mark == mark
        ]
        calls[mark] = lark.rule(" | ".join(ways))
    bare = calls.pop("", "")
    spoken = [mark for mark in calls if mark not in lark.special]
    marked = [
        f"{lark.up_to(mark) if mark in spoken else lark.literal(mark)} {body}"
        for mark, body in calls.items()
    ]
    without = [_SOME, *(rf"~/(.|\n)*{_pattern(mark)}(.|\n)*/" for mark in spoken)]
    text, special = lark.terminal(" & ".join(without)), lark.any_special(but=calls)
    if bare and not spoken:
        without += [rf"~/\s*{_pattern(n.before)}(.|\n)*/" for n in told if not n.mark]
        first = f"{lark.terminal(' & '.join(without))}?"
        more = f"(({special}) {text}?)*" if special else ""
        lark.rule(
            _any(bare, f"{first} {more} ({_any(*marked)})?" if marked else f"{first} {more}"),
            "start",
        )
    elif marked and (one_call or not any(n.several for n in told)):
        lark.rule(f"({_any(text, special)})* ({_any(*marked)})?", "start")
    else:
        lark.rule(f"({_any(text, special, *marked)})*", "start")


def _any(*alternatives: str) -> str:
    return " | ".join(filter(None, alternatives))


def _calls(lark: Lark, notation: Notation, calling: Calling, one_call: bool, opening: str) -> str:
    """Calls in one notation, of which `opening` has still to be written."""
    one = " | ".join(
        lark.rule(
            f"{lark.literal(name)} {rule(lark, notation.middle)} "
            f"{notation.values.rule(lark, schema)} {rule(lark, notation.after)}"
        )
        for name, schema in calling.functions.items()
    )
    call = lark.rule(one)
    whole = f"{rule(lark, opening)} {call}"
    if notation.several and not one_call:
        whole += f" ({rule(lark, notation.between + notation.before)} {call})*"
    return f"{whole} {rule(lark, notation.end)}"


_SOME = r"/(.|\n)+/"


def _pattern(text: str) -> str:
    """`text` as a regular expression in Lark's notation."""
    return re.escape(text).replace("\\\n", r"\n").replace("/", r"\/")


def simplified(calling: Calling, can_say: Callable[[str], bool]) -> Calling:
    """The same for `grammar`; functions whose schema no grammar can say take any JSON object."""
    functions = {
        name: schema if can_say(json_rule(closed(schema), lenient=True)) else {}
        for name, schema in calling.functions.items()
    }
    return calling._replace(functions=functions)
