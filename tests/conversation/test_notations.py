"""What models say in the manner of many families is read as calls, and forced as such.

Each has a template in its manner; how it says calls is seen in what that writes.
"""

import json
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

import pytest
from families import FAMILIES, Family
from grammars import may_say
from hypothesis import given
from hypothesis import strategies as st

from localspec import models
from localspec.conversation.calling.grammar import grammar, simplified
from localspec.conversation.calling.literals import Literals
from localspec.conversation.calling.notation import Calling
from localspec.conversation.calling.observing import observed
from localspec.conversation.calling.tags import Tags
from localspec.conversation.calling.values import Values
from localspec.conversation.thinking import Thinking, marks_of
from localspec.llama.grammar import Grammar
from localspec.llama.model import Model
from localspec.llama.vocabulary import Vocabulary
from localspec.wire.said import Reader, gathered

TEXT = 'I <look> [it] up {"a": 1}.'


def read(text: str, calling: Calling, *cuts: int) -> tuple[str, dict[str, Any]]:
    """Text and calls of an answer that comes in parts."""
    reader = Reader(None, calling)
    places = list(pairwise((0, *cuts, len(text))))
    parts = [p for a, b in places for p in reader.feed(text[a:b], last=b == len(text))]
    whole = gathered(parts)
    return whole.text, {call.name: json.loads(call.arguments) for call in whole.calls}


@pytest.mark.parametrize("family", FAMILIES, ids=str)
def test_what_a_model_says_is_read_wherever_it_is_cut(family: Family) -> None:
    calling = family.calling()
    for said in family.ways:
        for at in range(len(said)):
            assert read(said, calling, at) == ("", family.expected), said[:at]
        assert read(said, calling, *range(1, len(said))) == ("", family.expected)


@pytest.mark.parametrize("family", FAMILIES, ids=str)
def test_what_is_no_call_is_text(family: Family) -> None:
    calling = family.calling()
    half = family.said[: family.said.index("get_all")]
    for text in (TEXT, f"{half}other_tool and so on", family.said.replace("get", "put")):
        if not any(silent in text for n in calling.notations for silent in n.silent):
            assert read(text, calling) == (text, {})
            assert read(text, calling, *range(1, len(text))) == (text, {})
    if any(n.mark for n in calling.notations):
        said = family.said if calling.notations[0].mark else family.also[0]
        assert read(f"{TEXT}\n{said}\nDone.", calling) == (f"{TEXT}Done.", family.expected)


@pytest.mark.parametrize("way", range(3))
@pytest.mark.parametrize("words", ["", "I look."])
def test_a_call_may_follow_thoughts(way: int, words: str) -> None:
    family = next(family for family in FAMILIES if family.name == "gpt-oss")
    begun, next_one = "<|channel|>analysis<|message|>", "<|end|><|start|>assistant"
    aside = f"<|channel|>commentary<|message|>{words}{next_one}" if words else ""
    said = f"{begun}Hm.{next_one}{aside}{(family.said, *family.also)[way]}"
    thinking = Thinking(marks_of(begun))
    for at in range(len(said)):
        reader = Reader(thinking, family.calling())
        whole = gathered([*reader.feed(said[:at]), *reader.feed(said[at:], last=True)])
        assert (whole.thoughts, whole.text) == ("Hm.", words)
        assert [call.name for call in whole.calls] == ["get_all"]


@pytest.mark.parametrize("end", ["</think>\n\n", "\n", ""])
def test_a_call_ends_thoughts_that_nothing_else_has_ended(end: str) -> None:
    family = FAMILIES[0]
    said, thinking = f"<think>Hm.{end}{family.said}", Thinking(marks_of("<think>"))
    for at in range(len(said)):
        reader = Reader(thinking, family.calling())
        whole = gathered([*reader.feed(said[:at]), *reader.feed(said[at:], last=True)])
        assert (whole.thoughts, whole.text, len(whole.calls)) == ("Hm.", "", 2)


def test_calls_that_are_thought_of_are_thoughts() -> None:
    family = FAMILIES[0]
    thought = f"I may say {family.said} now."
    said, thinking = f"<think>{thought}</think>Hi", Thinking(marks_of("<think>"))
    for at in range(len(said)):
        reader = Reader(thinking, family.calling())
        whole = gathered([*reader.feed(said[:at]), *reader.feed(said[at:], last=True)])
        assert (whole.thoughts, whole.text, whole.calls) == (thought, "Hi", [])


@pytest.mark.parametrize(
    ("schema", "said", "meant"),
    [
        ({"type": "string"}, "3", "3"),
        ({"enum": ["3", "4"]}, "3", "3"),
        ({"type": ["string", "number"]}, "3", 3),
        ({"type": ["string", "number"]}, "3 dollars", "3 dollars"),
        ({"type": ["string", "null"]}, "null", None),
        ({"type": ["string", "null"]}, "{}", "{}"),
        ({"type": "boolean"}, "True", True),
        ({}, '{"a": [1]}', {"a": [1]}),
        ({}, "{a", "{a"),
    ],
)
def test_what_stands_between_tags_is_what_the_schema_says(
    schema: dict[str, Any], said: str, meant: object
) -> None:
    coder = next(family for family in FAMILIES if family.name == "Qwen 3 Coder").calling()
    calling = Calling(coder.notations, {"f": {"properties": {"x": schema}}})
    call = f"<function=f>\n<parameter=x>\n{said}\n</parameter>\n</function>\n</tool_call>"
    assert read(call, calling) == ("", {"f": {"x": meant}})


@pytest.fixture(scope="module")
def vocabulary() -> Iterator[Vocabulary]:
    with Model(models.embedded("shell").target) as model:
        yield model.vocabulary


@pytest.mark.parametrize("family", FAMILIES, ids=str)
def test_grammars_take_what_a_model_says_and_no_other_function(
    family: Family, vocabulary: Vocabulary
) -> None:
    calling = family.calling()
    usual = calling.notations[0]
    calls = [(name, json.dumps(arguments)) for name, arguments in family.expected.items()]
    said = usual.written(*calls)
    free, forced, named = (
        Grammar(grammar(calling, choice, {}), vocabulary) for choice in ("auto", "required", "get")
    )
    assert may_say(forced, usual.lead + said, vocabulary)
    assert not may_say(forced, "No.", vocabulary)
    assert not may_say(forced, (usual.lead + said).replace("get_all", "get_it"), vocabulary)
    assert may_say(free, TEXT, vocabulary)
    assert may_say(free, said, vocabulary)
    one = usual.lead + usual.written(("get", calls[-1][1]))
    assert may_say(named, one, vocabulary)
    assert not may_say(named, one.replace("get", "get_all"), vocabulary)
    if usual.mark:
        assert may_say(free, f"{TEXT}\n{said}", vocabulary)
        assert not may_say(free, f"{TEXT}\n{said.replace('get_all', 'get_it')}", vocabulary)


@pytest.mark.parametrize("family", FAMILIES, ids=str)
@pytest.mark.parametrize(
    "schema",
    [
        {"properties": {"x": {"type": {"a": 1}}}},
        {"properties": ["x"], "required": True},
        {"properties": {"x": True, "y": {"enum": 1}}, "required": ["x", "z", 1]},
        {"properties": {"x": {"$ref": "#/properties/y"}, "y": {"$ref": "http://a.test/b"}}},
        {"properties": {"x": {"enum": ["", "<|im_end|>"]}}},
        {"$defs": {"n": {"type": "integer"}}, "properties": {"x": {"$ref": "#/$defs/n"}}},
    ],
)
def test_schemas_of_strangers_cost_no_call(
    family: Family, schema: dict[str, Any], vocabulary: Vocabulary
) -> None:
    calling = Calling(family.calling().notations, {"f": schema})
    usual = calling.notations[0]
    call = usual.lead + usual.written(("f", '{"x": 1}'))
    for choice in ("auto", "required"):
        source = grammar(simplified(calling, Grammar.can_say), choice, {})
        assert Grammar(source, vocabulary)
    assert list(read(call, calling)[1]) == ["f"]


words = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="<]|"), max_size=8)
values = words | st.integers() | st.booleans() | st.none() | st.lists(words, max_size=2)
given_arguments = st.fixed_dictionaries(
    {},
    optional={
        "city": words,
        "days": st.integers(),
        "deep": st.dictionaries(st.sampled_from(["a", "b"]), values),
        "sure": st.booleans(),
    },
)


@given(st.sampled_from(FAMILIES), given_arguments, st.sets(st.integers(1, 400), max_size=4))
def test_arguments_come_back_as_they_were_written(
    family: Family, arguments: dict[str, Any], cuts: set[int]
) -> None:
    calling = family.calling()
    said = calling.notations[0].written(("get", json.dumps(arguments)))
    places = sorted(cut for cut in cuts if cut < len(said))
    assert read(said, calling, *places)[1] == {"get": arguments}


@pytest.mark.parametrize("values", [Tags("<p=", ">", "</p>", ">"), Literals("=", ", ", "'")])
@pytest.mark.parametrize("depth", [600, 100_000])
def test_arguments_too_deep_to_be_put_otherwise_are_told_as_they_are(
    values: Values, depth: int
) -> None:
    arguments = f'{{"a": {"[" * depth}{"]" * depth}}}'
    assert "[" * depth in values.written(arguments)


def test_arguments_without_marks_show_no_notation() -> None:
    def write(messages: Sequence[Any]) -> str:
        said = list[str]()
        for message in messages:
            said.append(f"<{message['role']}>{message.get('content', '')}")
            for call in message.get("tool_calls", ()):
                arguments = call["function"]["arguments"].items()
                said.append(f"call {call['function']['name']} with ")
                said += [f"{key}: {value}\n" for key, value in arguments]
            said.append("<end>")
        return "".join(said)

    assert observed(write, ["<end>"]) == []
