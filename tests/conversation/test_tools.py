"""Calls of functions: read back from answers, however these come in portions."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from localspec import models
from localspec.conversation.tools import (
    Arguments,
    Begun,
    Call,
    CallReader,
    grammar,
    spelled_out,
    with_short_ids,
)
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


def written(call: Call) -> str:
    return f'<tool_call>\n{{"name": "{call.name}", "arguments": {call.arguments}}}\n</tool_call>'


def read(text: str) -> tuple[str, list[Call]]:
    """The text and the calls of a whole answer."""
    whole = said(Answer(text, [], "stop", 0, Statistics()), tools=True)
    return whole.text, whole.calls


@given(content, calls, st.integers(1, 7))
def test_what_was_called_is_read_back_in_any_portions(
    before: str, made: list[Call], portion: int
) -> None:
    text = "\n".join([before, *map(written, made)]) if made else before
    reader, heard, content = CallReader(), list[Call](), ""
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
    assert content == (before.rstrip() if made else before)
    assert read(text) == (content, made)


WEATHER = {
    "type": "function",
    "function": {"name": "weather", "description": "Now", "parameters": {}},
}
CALLED = [
    {"role": "user", "content": "And in Bern?"},
    {
        "role": "assistant",
        "content": "",
        "tool_calls": [
            {"id": "a", "function": {"name": "weather", "arguments": {"city": "Bern"}}},
            {"id": "b", "function": {"name": "weather", "arguments": "{}"}},
        ],
    },
    {"role": "tool", "tool_call_id": "a", "content": "rain"},
    {"role": "tool", "tool_call_id": "b", "content": "sun"},
]


def test_a_template_without_tools_gets_instructions_calls_and_results_as_text() -> None:
    given = [{"role": "system", "content": "Be kind."}, *CALLED, {"role": "user", "content": "So?"}]
    system, asked, called, results = spelled_out(given, [WEATHER])
    assert system["role"] == "system"
    assert str(system["content"]).startswith("Be kind.\n\nYou may call functions")
    assert '"name": "weather"' in str(system["content"])
    assert asked == CALLED[0]
    assert called["content"] == "\n".join(
        [written(Call("weather", '{"city": "Bern"}')), written(Call("weather", "{}"))]
    )
    assert "tool_calls" not in called
    assert results["role"] == "user"
    assert results["content"] == (
        "<tool_response>\nrain\n</tool_response>\n<tool_response>\nsun\n</tool_response>\nSo?"
    )
    heard = CallReader()
    assert not [news for news in heard.feed(str(called["content"])) if isinstance(news, str)]
    assert heard.called


def test_instructions_stay_in_their_order_before_those_of_tools() -> None:
    own = [{"role": "system", "content": word} for word in ("Be kind.", "Be brief.")]
    (system,) = spelled_out(own, [WEATHER])
    assert str(system["content"]).startswith("Be kind.\n\nBe brief.\n\nYou may call functions")


def test_what_was_called_stays_text_where_no_tools_are_offered_any_more() -> None:
    roles = [message["role"] for message in spelled_out(CALLED, [])]
    assert roles == ["user", "assistant", "user"]
    plain = [{"role": "user", "content": "Hi"}, {"role": "user", "content": "there"}]
    assert spelled_out(plain, []) == plain


def test_where_a_template_wants_names_of_nine_letters_calls_and_results_get_the_same() -> None:
    _, called, one, other = with_short_ids(CALLED)
    names = [call["id"] for call in called["tool_calls"]]  # type: ignore[attr-defined]
    assert names == [one["tool_call_id"], other["tool_call_id"]]
    assert [len(name) for name in {*names}] == [9, 9]
    assert with_short_ids([{"role": "tool", "tool_call_id": "aB3456789"}])[0] == {
        "role": "tool",
        "tool_call_id": "aB3456789",
    }


def test_a_call_that_was_cut_short_keeps_what_came() -> None:
    whole = written(Call("f", '{"x": [1, 2]}'))
    assert read(whole[:30]) == ("", [])
    assert read(whole[: whole.index("2")]) == ("", [Call("f", '{"x": [1, ')])


@pytest.mark.parametrize("choice", ["auto", "required", "g"])
def test_grammars_name_the_functions_that_may_be_called(choice: str) -> None:
    offered = [{"function": {"name": name}} for name in ("f", "g")]
    text = grammar(offered, choice)
    assert ('\\"f\\"' in text) == (choice != "g")
    assert '\\"g\\"' in text


@pytest.fixture(scope="module")
def vocabulary() -> Iterator[Vocabulary]:
    with Model(models.embedded("shell").target) as model:
        yield model.vocabulary


@pytest.mark.parametrize(
    ("choice", "schema", "between"),
    [("auto", None, "\n"), ("required", None, "\n"), ("auto", {"type": "object"}, "")],
)
def test_where_one_call_is_wanted_the_answer_ends_with_it(
    vocabulary: Vocabulary, choice: str, schema: Any, between: str
) -> None:
    offered = [{"function": {"name": name}} for name in ("f", "g")]
    several, one = (
        Grammar(grammar(offered, choice, (), schema, one_call=one_call), vocabulary)
        for one_call in (False, True)
    )
    once = written(Call("f", "{}"))
    twice = f"{once}{between}{written(Call('g', '{}'))}"
    assert [may_say(grammar, once, vocabulary) for grammar in (several, one)] == [True, True]
    assert [may_say(grammar, twice, vocabulary) for grammar in (several, one)] == [True, False]


def may_say(grammar: Grammar, text: str, vocabulary: Vocabulary) -> bool:
    match = grammar.begin()
    for token in vocabulary.tokenize(text):
        if not match.allowed()[token]:
            return False
        match.push(token)
    return True
