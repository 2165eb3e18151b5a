"""Calls of functions: read back from answers, however these come in portions."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from grammars import may_say
from hypothesis import given
from hypothesis import strategies as st

from localspec import models
from localspec.conversation.calling.grammar import grammar, simplified
from localspec.conversation.calling.notation import HERMES, Calling
from localspec.conversation.calling.reader import Arguments, Begun, Call, CallReader
from localspec.decoding.statistics import Statistics
from localspec.engine.worker import Answer
from localspec.llama.grammar import Grammar
from localspec.llama.model import Model
from localspec.llama.vocabulary import Vocabulary
from localspec.wire.said import said

arguments = st.dictionaries(
    st.text(max_size=4), st.text() | st.lists(st.integers(), max_size=2), max_size=3
).map(json.dumps)
calls = st.lists(st.builds(Call, st.sampled_from(["f", "weather"]), arguments), max_size=3)
content = st.text(alphabet='a <>/tool_c"{}\n', max_size=30).filter(lambda t: "<tool_call>" not in t)


FUNCTIONS = Calling.of([{"function": {"name": name}} for name in ("f", "g", "weather")])


def written(call: Call) -> str:
    return HERMES.written((call.name, call.arguments))


def read(text: str) -> tuple[str, list[Call]]:
    """The text and the calls of a whole answer."""
    whole = said(Answer(text, [], "stop", 0, Statistics(), calling=FUNCTIONS))
    return whole.text, whole.calls


@given(content, calls, content, st.integers(1, 7))
def test_what_was_called_is_read_back_in_any_portions(
    before: str, made: list[Call], after: str, portion: int
) -> None:
    text = "\n".join([before, *map(written, made), after]) if made else before
    reader, heard, content = CallReader(FUNCTIONS), list[Call](), ""
    for at in range(0, len(text), portion):
        for news in reader.feed(text[at : at + portion]):
            if isinstance(news, Begun):
                assert news.index == len(heard)
                heard.append(Call(news.name))
            elif isinstance(news, Arguments):
                heard[news.index].arguments += news.text
            else:
                content += news
    content += reader.finish()
    assert heard == made
    assert content == (before.rstrip() + after.strip() if made else before)
    assert read(text) == (content, made)


def test_a_call_that_was_cut_short_keeps_what_came() -> None:
    whole = written(Call("f", '{"x": [1, 2]}'))
    assert read(whole[:30]) == ("", [])
    assert read(whole[: whole.index("2")]) == ("", [Call("f", '{"x": [1, ')])


@pytest.mark.parametrize("choice", ["auto", "required", "g"])
def test_grammars_name_the_functions_that_may_be_called(choice: str) -> None:
    text = grammar(FUNCTIONS, choice, {})
    assert ('"f"' in text) == (choice != "g")
    assert '"g"' in text


@pytest.fixture(scope="module")
def vocabulary() -> Iterator[Vocabulary]:
    with Model(models.embedded("shell").target) as model:
        yield model.vocabulary


@pytest.mark.parametrize(
    ("choice", "schema"), [("auto", None), ("required", None), ("auto", {"type": "object"})]
)
def test_where_one_call_is_wanted_the_answer_ends_with_it(
    vocabulary: Vocabulary, choice: str, schema: Any
) -> None:
    several, one = (
        Grammar(grammar(FUNCTIONS, choice, {}, schema, one_call=one_call), vocabulary)
        for one_call in (False, True)
    )
    once = written(Call("f", "{}"))
    twice = HERMES.written(("f", "{}"), ("g", "{}"))
    assert [may_say(grammar, once, vocabulary) for grammar in (several, one)] == [True, True]
    assert [may_say(grammar, twice, vocabulary) for grammar in (several, one)] == [True, False]


@pytest.mark.parametrize(
    ("parameters", "said", "refused"),
    [
        ({"properties": {"x": {}}}, '{"x": 1}', '{"y": 1}'),
        ({"properties": {"x": {}}, "additionalProperties": {}}, '{"y": 1}', "[]"),
        ({"properties": {}, "anyOf": [{"required": ["y"]}]}, '{"y": 1}', '{"x": 1}'),
        ({}, '{"y": 1}', "[]"),
        ({"properties": {"x": {"type": "array", "uniqueItems": True}}}, '{"x": [1]}', '{"x": 1}'),
        ({"properties": {"x": {"pattern": "^(?!a)", "type": "string"}}}, '{"x": "b"}', "[]"),
        ({"properties": {"x": {"$ref": "http://a.test/b"}}}, '{"x": 1}', "[]"),
    ],
)
def test_arguments_keep_to_what_a_grammar_can_say_of_their_schema(
    vocabulary: Vocabulary, parameters: dict[str, Any], said: str, refused: str
) -> None:
    """And to their names: where a schema tells what a function takes, it takes nothing else."""
    tools = [
        {"function": {"name": "f", "parameters": parameters}},
        {"function": {"name": "g"}},
    ]
    source = grammar(simplified(Calling.of(tools), Grammar.can_say), "required", {})
    offered = Grammar(source, vocabulary)
    assert may_say(offered, written(Call("f", said)), vocabulary)
    assert not may_say(offered, written(Call("f", refused)), vocabulary)
