"""Functions a model may call, as a grammar of what it may answer.

A call that is begun names one of the functions and keeps to the schema of its arguments, in one of
the notations in which the model says calls. So it can be read from the text again, and while it is
still being written.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

from localspec.conversation.calling.notation import Calling, Notation
from localspec.conversation.calling.wording import rule
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
    ways = dict[str, list[str]]()
    told = [n for n in calling.notations if _can_be_told(lark, calling, n)]
    for n in told:
        opening = (n.begin + n.before).removeprefix(n.mark)
        ways.setdefault(n.mark, []).append(_calls(lark, n, calling, one_call, opening))
    bare = _any(*ways.pop("", ()))
    spoken = [mark for mark in ways if mark not in lark.special]
    marked = _any(*(f"{_up_to(lark, mark)} ({_any(*calls)})" for mark, calls in ways.items()))
    without = [_SOME, *(rf"~/(.|\n)*{_pattern(mark)}(.|\n)*/" for mark in spoken)]
    text, special = lark.terminal(" & ".join(without)), lark.any_special(but=ways)
    if bare and not spoken:
        without += [rf"~/\s*{_pattern(n.before)}(.|\n)*/" for n in told if not n.mark]
        rest = f"{lark.terminal(' & '.join(without))}?"
        rest += f" ({special} {text}?)*" if special else ""
        rest += f" ({marked})?" if marked else ""
        lark.rule(_any(bare, rest), "start")
    elif marked and (one_call or not any(n.several for n in told)):
        lark.rule(f"({_any(text, special)})* ({marked})?", "start")
    else:
        lark.rule(f"({_any(text, special, marked)})*", "start")


def _up_to(lark: Lark, mark: str) -> str:
    """A mark, and where it is text the text before it, which no lexer could tell from it."""
    return lark.literal(mark) if mark in lark.special else lark.up_to(mark)


def _can_be_told(lark: Lark, calling: Calling, notation: Notation) -> bool:
    """Whether calls begin with one lexeme that begins nothing else."""
    if not notation.mark:
        return bool(notation.before)
    return notation.mark in calling.marks and len(lark.parts(notation.mark)) == 1


def _any(*alternatives: str) -> str:
    return " | ".join(filter(None, alternatives))


def _calls(lark: Lark, notation: Notation, calling: Calling, one_call: bool, opening: str) -> str:
    """Calls in one notation, of which `opening` has still to be written."""
    ways = list[str]()
    for name, schema in calling.functions.items():
        head = f"{lark.literal(name)} {rule(lark, notation.middle)}"
        arguments = lark.rule(notation.values.rule(lark, schema))
        ways.append(lark.rule(f"{head} {arguments} {rule(lark, notation.after)}"))
    call = lark.rule(_any(*ways))
    whole = f"{rule(lark, opening)} {call}"
    if notation.several and not one_call:
        whole += f" ({rule(lark, notation.between + notation.before)} {call})*"
    return f"{whole} {rule(lark, notation.end)}"


_SOME = r"/(.|\n)+/"


def _pattern(text: str) -> str:
    """`text` as a regular expression in Lark's notation."""
    return re.escape(text).replace("\\\n", r"\n").replace("/", r"\/")


def simplified(calling: Calling, can_say: Callable[[str], bool]) -> Calling:
    """The same for `grammar`; functions whose schema no grammar can say take any arguments."""

    def is_clear(schema: Mapping[str, Any]) -> bool:
        lark = Lark({})
        lark.rule(calling.notations[0].values.rule(lark, schema), "start")
        return can_say(str(lark))

    functions = {
        name: schema if is_clear(schema) else {} for name, schema in calling.functions.items()
    }
    return calling._replace(functions=functions)
