"""How models say that they call functions: what they write around a name and its arguments.

    <calls>[{"name": "weather", "arguments": {"city": "Bern"}}, {"name": "time", …}]</calls>

There `<calls>[` is the `begin`, `{"name": "` stands `before` a name, `", "arguments": ` in the
`middle`, `}` `after` each call, `, ` `between` two, and `]</calls>` is the `end`.
"""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple, Self

from localspec.conversation.calling.literals import Literals
from localspec.conversation.calling.values import Json, Values
from localspec.conversation.calling.wording import SLOT

__all__ = ["HERMES", "Calling", "Notation", "notations"]

_TAG = re.compile(r"<[^<>\s=]*>|\[/?[A-Z_]+\]")


@dataclass(frozen=True)
class Notation:
    """One way to say calls. A `SLOT` in its texts is the number or the name of a call."""

    before: str
    middle: str
    after: str = ""
    between: str = ""
    begin: str = ""
    end: str = ""
    values: Values = field(default_factory=Json)
    several: bool = True
    """Whether an answer may make more than one."""
    lead: str = ""
    """What a call begins with that must be the whole answer."""
    silent: tuple[str, ...] = ()
    """What is written between other things that are said, and is none of them."""

    @property
    def mark(self) -> str:
        """What calls are known by; "" where they have no mark, and must be the whole answer."""
        opening = (self.begin + self.before).partition(SLOT)[0]
        if tag := _TAG.match(opening):
            return tag[0]
        head, bracket, _ = opening.partition("{" if "[" not in opening else "[")
        return head and head + bracket

    @property
    def words(self) -> str:
        """All that may be written around names and arguments."""
        return "\n".join([self.lead, *self.silent, self.written(("", '{"": "", " ": 0}'))])

    def written(self, *calls: tuple[str, str]) -> str:
        """Calls, by their names and their arguments, which are JSON."""
        before, middle, after, between, begin, end = (
            text.replace(SLOT, "0")
            for text in (self.before, self.middle, self.after, self.between, self.begin, self.end)
        )
        said = (
            f"{before}{name}{middle}{self.values.written(arguments)}{after}"
            for name, arguments in calls
        )
        return f"{begin}{between.join(said)}{end}"


HERMES = Notation('<tool_call>\n{"name": "', '", "arguments": ', "}\n</tool_call>", "\n")
"""What most open models learned."""

_LIST = Notation('{"name": "', '", "arguments": ', "}", ", ", "[", "]")
_DEEPSEEK = Notation(
    *("<｜tool▁call▁begin｜>", "<｜tool▁sep｜>", "<｜tool▁call▁end｜>", ""),
    *("<｜tool▁calls▁begin｜>", "<｜tool▁calls▁end｜>"),
)
_KNOWN = (
    (
        ("<|tool_call_start|>",),  # LFM 2
        Notation(
            *("", "(", ")", ", ", "<|tool_call_start|>[", "]<|tool_call_end|>"),
            Literals("=", ", ", "'"),
        ),
    ),
    (("<|/tool_call|>",), replace(_LIST, begin="<|tool_call|>[", end="]<|/tool_call|>")),  # Phi 4
    (("<|tool_call|>",), replace(_LIST, begin="<|tool_call|>[")),  # Granite 3
    (("<TOOLCALL>",), replace(_LIST, begin="<TOOLCALL>[", end="]</TOOLCALL>")),  # Nemotron
    (("[TOOL_CALLS]",), replace(_LIST, begin="[TOOL_CALLS][")),  # Mistral
    (
        ("<｜tool▁sep｜>", "```json"),  # DeepSeek R1
        replace(
            _DEEPSEEK,
            before=f"{_DEEPSEEK.before}function{_DEEPSEEK.middle}",
            middle="\n```json\n",
            after=f"\n```{_DEEPSEEK.after}",
            between="\n",
        ),
    ),
    (("<｜tool▁sep｜>",), _DEEPSEEK),
)
"""By what stands in vocabularies or templates of models whose templates write no calls."""
_HARMONY = Notation(
    "to=functions.",
    " <|constrain|>json<|message|>",
    several=False,
    lead="<|channel|>commentary ",
    silent=(
        *("<|start|>assistant", "<|channel|>commentary", "<|channel|>analysis"),
        *("<|channel|>final", "<|message|>", "<|end|>"),
    ),
)
_HARMONIES = (
    _HARMONY,
    *(
        replace(_HARMONY, middle=f"{channel}{kind}<|message|>")
        for channel in ("", f"<|channel|>{SLOT}")
        for kind in (" json", " <|constrain|>json", "")
        if channel or kind != " <|constrain|>json"
    ),
)


def notations(
    shown: Sequence[Notation], words: Collection[str], source: str
) -> tuple[Notation, ...]:
    """How a model says calls, the usual way first: as its template has `shown` them, if it has.

    `words` are the special tokens of its vocabulary, and `source` is the template.
    """
    if "<|channel|>" in words and "commentary" in source:
        return _HARMONIES  # which are said otherwise than they are written
    if not shown:
        found = (
            notation
            for texts, notation in _KNOWN
            if all(text in words or text in source for text in texts)
        )
        return (next(found, HERMES),)
    bare = next((notation for notation in shown if not notation.mark), None)
    if bare is None or not bare.before.startswith("{"):
        return (*shown, *(other for one in shown for other in _without_first_tag(one)))
    more = [replace(bare, before=f'{{"type": "function", {bare.before[1:]}')]
    if "<|python_tag|>" in words:
        more.append(replace(bare, begin=f"<|python_tag|>{bare.begin}"))
    return (*shown, *more)


def _without_first_tag(notation: Notation) -> Iterable[Notation]:
    """As models say calls that go on as if they had begun already (Qwen 3 Coder, Kimi K2)."""
    tag = _TAG.match(notation.begin or notation.before)
    rest = (notation.begin + notation.before)[tag.end() :].lstrip() if tag else ""
    if tag and rest.startswith("<"):
        left_out = notation.before.removesuffix(rest)
        between = f"{notation.between}{left_out}"
        yield replace(notation, begin="", before=rest, between=between)


class Calling(NamedTuple):
    """How calls may be said in an answer, and of what: parameters of functions by their names."""

    notations: tuple[Notation, ...]
    functions: Mapping[str, Mapping[str, Any]]

    @property
    def marks(self) -> tuple[str, ...]:
        """What can only begin a call, and stands nowhere in what people write."""
        marks = dict.fromkeys(notation.mark for notation in self.notations)
        return tuple(mark for mark in marks if not {*mark}.isdisjoint("<[{="))

    @classmethod
    def of(
        cls, tools: Sequence[Mapping[str, Any]], notations: tuple[Notation, ...] = (HERMES,)
    ) -> Self:
        """Tools as OpenAI describes them."""
        functions = (tool["function"] for tool in tools)
        return cls(notations, {f["name"]: f.get("parameters") or {} for f in functions})
