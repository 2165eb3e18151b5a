"""Forms of a conversation that say the same."""

import pytest

from localspec.conversation.calling.notation import HERMES, Calling
from localspec.conversation.calling.reader import CallReader
from localspec.conversation.forms import (
    one_call_each,
    spelled_out,
    with_instructions_moved,
    with_objects,
    with_short_ids,
    with_texts,
    with_tools_told,
)

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
    told = with_tools_told(spelled_out(given, HERMES), [WEATHER], HERMES)
    system, asked, called, results = told
    assert system["role"] == "system"
    assert str(system["content"]).startswith("Be kind.\n\nYou may call functions")
    assert '"name": "weather"' in str(system["content"])
    assert asked == CALLED[0]
    assert called["content"] == HERMES.written(("weather", '{"city": "Bern"}'), ("weather", "{}"))
    assert "tool_calls" not in called
    assert results["role"] == "user"
    assert results["content"] == (
        "<tool_response>\nrain\n</tool_response>\n<tool_response>\nsun\n</tool_response>\nSo?"
    )
    heard = CallReader(Calling.of([WEATHER]))
    assert not [news for news in heard.feed(str(called["content"])) if isinstance(news, str)]
    assert heard.called


def test_instructions_stay_in_their_order_before_those_of_tools() -> None:
    own = [{"role": "system", "content": word} for word in ("Be kind.", "Be brief.")]
    (system,) = with_tools_told(own, [WEATHER], HERMES)
    assert str(system["content"]).startswith("Be kind.\n\nBe brief.\n\nYou may call functions")


def test_what_was_called_stays_text_where_no_tools_are_offered_any_more() -> None:
    roles = [message["role"] for message in spelled_out(CALLED, HERMES)]
    assert roles == ["user", "assistant", "user"]
    plain = [{"role": "user", "content": "Hi"}, {"role": "user", "content": "there"}]
    assert spelled_out(plain, HERMES) == plain


def test_where_a_template_wants_names_of_nine_letters_calls_and_results_get_the_same() -> None:
    _, called, one, other = with_short_ids(CALLED)
    names = [call["id"] for call in called["tool_calls"]]  # type: ignore[attr-defined]
    assert names == [one["tool_call_id"], other["tool_call_id"]]
    assert [len(name) for name in {*names}] == [9, 9]
    assert with_short_ids([{"role": "tool", "tool_call_id": "aB3456789"}])[0] == {
        "role": "tool",
        "tool_call_id": "aB3456789",
    }


def test_a_call_and_its_result_stand_together_however_results_came() -> None:
    asked, called, one, other = CALLED
    told = one_call_each([asked, called, other, one, asked])
    assert [m.get("tool_call_id") or [c["id"] for c in m.get("tool_calls", ())] for m in told] == [
        *([], ["a"], "a", ["b"], "b", []),
    ]
    nameless = [{"role": "tool", "content": text} for text in ("rain", "sun")]
    assert [m["content"] for m in one_call_each([called, *nameless])] == ["", "", "rain", "sun"]
    assert one_call_each([asked, one, one]) == [asked, one, one]


@pytest.mark.parametrize("written", ["", "{}", {}, None])
def test_a_call_without_arguments_has_none(written: object) -> None:
    call = {"function": {"name": "weather", "arguments": written}}
    for form, expected in ((with_objects, {}), (with_texts, "{}")):
        ((told,),) = (message["tool_calls"] for message in form([{"tool_calls": [call]}]))
        assert told["function"]["arguments"] == expected


def test_arguments_that_are_no_json_stay_as_they_are() -> None:
    call = {"id": "a", "function": {"name": "weather", "arguments": "{"}}
    messages = [{"role": "assistant", "content": "", "tool_calls": [call]}]
    assert with_objects(messages) == with_texts(messages) == messages
    assert with_objects(with_texts(CALLED)) == with_objects(CALLED)


def test_instructions_without_a_user_are_what_the_user_says() -> None:
    alone = [{"role": "system", "content": "Be kind."}]
    said = with_instructions_moved(alone, but_first=False)
    assert said == [{"role": "user", "content": "Be kind."}]
    assert with_instructions_moved(alone, but_first=True) == alone
