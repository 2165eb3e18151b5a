"""Bodies in OpenAI's shape: what they mean in ours, and what is refused in which words."""

from contextlib import suppress
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from localspec.serve import messages
from localspec.wire import chat, completion, responses
from localspec.wire.errors import Refusal, document

HELLO = [{"role": "user", "content": "Hello"}]
WEATHER = {"type": "function", "function": {"name": "weather", "parameters": {"type": "object"}}}
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


def ask(**fields: Any) -> Any:
    return chat.read({"model": "shell", "messages": HELLO, **fields})


def test_what_is_left_out_is_ours_to_choose() -> None:
    asked = ask()
    assert (asked.model, asked.prompts, asked.n) == ("shell", [HELLO], 1)
    assert set(asked.options) == {"seed", "max_tokens"}
    assert not asked.stream


def test_fields_become_options() -> None:
    asked = ask(
        temperature=0.5, top_p=0.9, top_k=-1, min_p=0.1, presence_penalty=1, frequency_penalty=-1,
        logit_bias={"17": -100}, seed=-1, stop=["a", "b"], max_completion_tokens=7, max_tokens=9,
        repetition_penalty=1.1, logprobs=True, top_logprobs=3, speculation="off", n=2, stream=True,
        stream_options={"include_usage": True}, chat_template_kwargs={"enable_thinking": False},
    )  # fmt: skip
    assert asked.options == {
        "temperature": 0.5, "top_p": 0.9, "top_k": 0, "min_p": 0.1, "presence_penalty": 1,
        "frequency_penalty": -1, "logit_bias": {17: -100}, "seed": 2**64 - 1, "stop": ["a", "b"],
        "max_tokens": 7, "repeat_penalty": 1.1, "logprobs": 3, "speculation": "off",
        "template": {"enable_thinking": False},
    }  # fmt: skip
    assert (asked.n, asked.stream, asked.usage) == (2, True, True)


def test_conversations_come_as_templates_expect_them() -> None:
    call = {"id": "1", "function": {"name": "weather", "arguments": '{"city": "Bern"}'}}
    asked = ask(
        messages=[
            {"role": "developer", "content": [{"type": "text", "text": t} for t in ("Be ", "it.")]},
            {"role": "assistant", "content": None, "tool_calls": [call]},
            {"role": "tool", "tool_call_id": "1", "content": "Rain"},
        ]
    )  # fmt: skip
    first, second, third = asked.prompts[0]
    assert first == {"role": "system", "content": "Be it."}
    assert second["content"] == ""
    assert second["tool_calls"][0]["function"]["arguments"] == '{"city": "Bern"}'
    assert third == {"role": "tool", "content": "Rain", "tool_call_id": "1"}


def test_earlier_calls_come_with_their_arguments_as_they_were_written() -> None:
    function = {"name": "weather", "arguments": '{"city": '}
    asked = ask(messages=[{"role": "assistant", "tool_calls": [{"id": "1", "function": function}]}])
    item = {"type": "function_call", "call_id": "1", **function}
    for prompt in (asked.prompts[0], responses.read({"input": [item]}).prompts[0]):
        [call] = prompt[0]["tool_calls"]
        assert call["function"] == function


def test_tools_and_formats_become_constraints() -> None:
    asked = ask(tools=[WEATHER], tool_choice={"type": "function", "function": {"name": "weather"}})
    assert asked.options["tools"][0]["function"]["name"] == "weather"
    assert asked.options["tool_choice"] == "weather"
    assert "tools" not in ask(tools=[WEATHER], tool_choice="none").options
    assert ask(response_format={"type": "json_object"}).options["json_schema"] == {"type": "object"}
    schema = {"type": "json_schema", "json_schema": {"name": "n", "schema": {"type": "array"}}}
    assert ask(response_format=schema).options["json_schema"] == {"type": "array"}


def test_a_call_that_must_be_made_is_not_held_to_the_schema_of_answers() -> None:
    schema = {"type": "json_schema", "json_schema": {"name": "n", "schema": {"type": "array"}}}
    asked = ask(tools=[WEATHER], tool_choice="required", response_format=schema)
    assert (asked.options["tool_choice"], "json_schema" in asked.options) == ("required", False)
    assert "json_schema" in ask(tools=[WEATHER], response_format=schema).options


def test_unknown_fields_may_say_nothing() -> None:
    """Clients that write down all they know write null for what was not said."""
    assert ask(audio=None, functions=None).prompts == [HELLO]


def test_every_protocol_can_ask_for_one_call_at_most() -> None:
    function = WEATHER["function"]
    theirs = {"name": "weather", "input_schema": {}}
    choice = {"type": "auto", "disable_parallel_tool_use": True}
    sequential = {"parallel_tool_calls": False}
    for asked in (
        ask(tools=[WEATHER], **sequential),
        responses.read({"input": "Rain?", "tools": [function], **sequential}),
        messages.read(
            msgspec.json.encode(
                {"messages": HELLO, "max_tokens": 9, "tools": [theirs], "tool_choice": choice}
            )
        ),
    ):
        assert asked.options["one_call"]
    assert "one_call" not in ask(tools=[WEATHER], parallel_tool_calls=True).options


@pytest.mark.parametrize(
    ("fields", "param", "words"),
    [
        ({"temperature": 3}, "temperature", "<= 2"),
        ({"temperature": "hot"}, "temperature", "got `str`"),
        ({"max_token": 3}, "max_token", "Unrecognized"),
        ({"messages": []}, "messages", "length >= 1"),
        ({"messages": [{"role": "owner", "content": ""}]}, "messages[0].role", "owner"),
        (
            {"messages": [{"role": "user", "content": [{"type": "image_url"}]}]},
            "messages[0]",
            "text only",
        ),
        ({"n": 17}, "n", "<= 16"),
        ({"stop": ["x"] * 17}, "stop", "length <= 16"),
        ({"top_logprobs": 3}, "top_logprobs", "logprobs"),
        ({"logprobs": True, "top_logprobs": 21}, "top_logprobs", "<= 20"),
        ({"tool_choice": "required"}, "tool_choice", "tools"),
        ({"chat_template_kwargs": {"tools": "x"}}, "chat_template_kwargs.tools", "own field"),
        ({"response_format": {"type": "json_schema"}}, "response_format.json_schema", "needs"),
        (
            {
                "response_format": {
                    "type": "json_schema",
                    "json_schema": {"name": "n", "schema": {"enum": ["x" * 70_000]}},
                }
            },
            "response_format.json_schema.schema",
            "longer than",
        ),
    ],
)
def test_refusals_name_the_field(fields: dict[str, Any], param: str, words: str) -> None:
    with pytest.raises(Refusal) as caught:
        ask(**fields)
    error = document(caught.value)["error"]
    assert error["param"] == param
    assert words in str(error["message"])
    assert error["type"] == "invalid_request_error"


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b'{"messages": NaN}', b"[" * 100_000, b"\xff"])
def test_what_is_no_json_object_is_refused(body: bytes) -> None:
    with pytest.raises(Refusal):
        chat.read(body)


@given(st.dictionaries(st.sampled_from(sorted(chat.ChatBody.__struct_fields__)), json_values))
def test_no_body_brings_out_anything_but_a_refusal(fields: dict[str, Any]) -> None:
    with suppress(Refusal):
        chat.read({"messages": HELLO, **fields})


def test_completions_take_four_kinds_of_prompts() -> None:
    for prompt, understood in (
        ("x", ["x"]),
        (["x", "y"], ["x", "y"]),
        ([1, 2], [[1, 2]]),
        ([[1], [2, 3]], [[1], [2, 3]]),
    ):
        assert completion.read({"prompt": prompt}).prompts == understood
    with pytest.raises(Refusal, match="mixes"):
        completion.read({"prompt": [1, "x"]})


def test_completions_are_raw_and_short_unless_told() -> None:
    options = completion.read({"prompt": "x"}).options
    assert (options["raw"], options["max_tokens"]) == (True, 16)
    assert completion.read({"prompt": "x", "echo": True, "max_tokens": 0}).options["echo"]
    with pytest.raises(Refusal, match="echo"):
        completion.read({"prompt": "x", "max_tokens": 0})
    with pytest.raises(Refusal, match="portions"):
        completion.read({"prompt": ["x"] * 33, "n": 2})
