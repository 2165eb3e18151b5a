"""OpenAI's own client, against the shell pair."""

import json
from collections.abc import Iterator
from typing import Any

import openai
import pytest
from openai.types.chat import ChatCompletionMessageParam

from localspec import LLM

HELLO: list[ChatCompletionMessageParam] = [{"role": "user", "content": "How do I list files?"}]
WEATHER: Any = {
    "type": "function",
    "function": {
        "name": "weather",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string", "maxLength": 12}},
            "required": ["city"],
            "additionalProperties": False,
        },
    },
}


@pytest.fixture
def client(url: str) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=f"{url}/v1", api_key="anything", max_retries=0) as client:
        yield client


def test_the_answer_is_that_of_the_library(client: openai.OpenAI, shell: LLM) -> None:
    expected = shell.chat([dict(HELLO[0])], seed=3, max_tokens=24)
    for speculation in ("auto", "off", 4):
        answer = client.chat.completions.create(
            model="any", messages=HELLO, seed=3, max_tokens=24,
            extra_body={"speculation": speculation},
        )  # fmt: skip
        assert answer.choices[0].message.content == expected.text
        assert answer.usage is not None
        assert answer.usage.completion_tokens == expected.statistics.completion_tokens
        assert answer.model == "shell", "the truth, whatever was asked for"
    assert answer.model_extra is not None
    assert answer.model_extra["timings"]["draft_n"] > 0


def test_a_stream_says_the_same_in_pieces(client: openai.OpenAI) -> None:
    whole = client.chat.completions.create(
        model="", messages=HELLO, seed=3, n=2, max_tokens=16, logprobs=True, top_logprobs=2
    )
    texts, entries, reasons = ["", ""], list[list[Any]](([], [])), ["", ""]
    for chunk in client.chat.completions.create(
        model="", messages=HELLO, seed=3, n=2, max_tokens=16, logprobs=True, top_logprobs=2,
        stream=True, stream_options={"include_usage": True},
    ):  # fmt: skip
        for choice in chunk.choices:
            texts[choice.index] += choice.delta.content or ""
            if choice.logprobs and choice.logprobs.content:
                entries[choice.index] += choice.logprobs.content
            if choice.finish_reason:
                reasons[choice.index] = choice.finish_reason
    assert texts == [choice.message.content for choice in whole.choices]
    assert reasons == [choice.finish_reason for choice in whole.choices]
    assert chunk.usage is not None
    assert whole.usage is not None
    assert chunk.usage.completion_tokens == whole.usage.completion_tokens > 16
    for choice, streamed in zip(whole.choices, entries, strict=True):
        assert choice.logprobs is not None
        assert choice.logprobs.content == streamed
        assert "".join(entry.token for entry in streamed) == choice.message.content
        assert all(entry.logprob < 0 for entry in streamed)


def test_a_completion_can_begin_with_its_prompt(client: openai.OpenAI, shell: LLM) -> None:
    tokens = shell.tokens("Files are listed by ls", raw=True)
    answer = client.completions.create(
        model="", prompt=tokens, echo=True, logprobs=1, max_tokens=0
    ).choices[0]
    assert answer.text == "Files are listed by ls"
    assert answer.logprobs is not None
    values = answer.logprobs.token_logprobs
    assert values is not None
    assert len(values) == len(tokens)
    assert values[0] is None
    assert all(value < 0 for value in values[1:])
    longer = client.completions.create(model="", prompt=["a", "b"], n=2, max_tokens=3, seed=1)
    assert [choice.index for choice in longer.choices] == [0, 1, 2, 3]


def test_json_keeps_to_its_schema(client: openai.OpenAI) -> None:
    schema = {
        "type": "object",
        "properties": {"name": {"type": "string", "maxLength": 8}, "age": {"type": "integer"}},
        "required": ["name", "age"],
        "additionalProperties": False,
    }
    answer = client.chat.completions.create(
        model="", messages=HELLO, max_tokens=60, seed=1,
        response_format={"type": "json_schema", "json_schema": {"name": "x", "schema": schema}},
        extra_body={"speculation": 4},  # on a busy computer it may pay to guess nothing
    )  # fmt: skip
    assert set(json.loads(answer.choices[0].message.content or "")) == {"name", "age"}
    assert answer.model_extra is not None
    assert answer.model_extra["timings"]["draft_n_accepted"] > 0, "what is forced is free"


@pytest.mark.parametrize(
    "choice", ["required", {"type": "function", "function": {"name": "weather"}}]
)
def test_a_tool_that_must_be_called_is_called(client: openai.OpenAI, choice: Any) -> None:
    asked: Any = {
        "model": "", "messages": HELLO, "tools": [WEATHER], "tool_choice": choice,
        "seed": 1, "max_tokens": 60,
    }  # fmt: skip
    answer = client.chat.completions.create(**asked).choices[0]
    assert answer.finish_reason == "tool_calls"
    [call] = answer.message.tool_calls or []
    assert call.type == "function"
    assert call.function.name == "weather"
    assert set(json.loads(call.function.arguments)) == {"city"}
    name, arguments = "", ""
    for chunk in client.chat.completions.create(**asked, stream=True):
        for part in chunk.choices[0].delta.tool_calls or []:
            name += part.function.name or ""
            arguments += part.function.arguments or ""
    assert (name, arguments) == ("weather", call.function.arguments)


def test_a_schema_that_no_grammar_can_say_costs_no_other_tool(client: openai.OpenAI) -> None:
    parameters = {"properties": {"price": {"type": "string", "pattern": r"^(?!0)\d+$"}}}
    odd: Any = {"type": "function", "function": {"name": "sell", "parameters": parameters}}
    for tool in (odd, WEATHER):
        name = tool["function"]["name"]
        answer = client.chat.completions.create(
            model="", messages=HELLO, tools=[odd, WEATHER], seed=1, max_tokens=40,
            tool_choice={"type": "function", "function": {"name": name}},
        )  # fmt: skip
        [call] = answer.choices[0].message.tool_calls or []
        assert call.type == "function"
        assert call.function.name == name


def test_alternatives_that_exclude_each_other_are_alternatives(client: openai.OpenAI) -> None:
    kinds = [{"const": "cat"}, {"const": "dog"}]
    answer = client.chat.completions.create(
        model="", messages=HELLO, max_tokens=20,
        response_format={
            "type": "json_schema", "json_schema": {"name": "x", "schema": {"oneOf": kinds}}
        },
    )  # fmt: skip
    assert json.loads(answer.choices[0].message.content or "") in ("cat", "dog")


def test_a_conversation_with_results_of_calls_goes_on(client: openai.OpenAI) -> None:
    call: Any = {"id": "1", "type": "function", "function": {"name": "weather", "arguments": "{}"}}
    answer = client.chat.completions.create(
        model="", max_tokens=8, tools=[WEATHER],
        messages=[
            *HELLO,
            {"role": "assistant", "tool_calls": [call]},
            {"role": "tool", "tool_call_id": "1", "content": "Rain"},
        ],
    )  # fmt: skip
    assert answer.usage is not None
    assert answer.usage.prompt_tokens > 20


def test_responses(client: openai.OpenAI) -> None:
    asked: Any = {"model": "", "input": "How do I list files?", "max_output_tokens": 3}
    answer = client.responses.create(**asked, temperature=0)
    assert answer.output_text
    assert answer.status == "incomplete"
    assert answer.incomplete_details is not None
    assert answer.incomplete_details.reason == "max_output_tokens"
    events = list(client.responses.create(**asked, temperature=0, stream=True))
    assert [event.type for event in events][:2] == ["response.created", "response.in_progress"]
    assert [event.sequence_number for event in events] == list(range(len(events)))
    deltas = [event.delta for event in events if event.type == "response.output_text.delta"]
    assert "".join(deltas) == answer.output_text
    assert events[-1].type == "response.incomplete"
    assert events[-1].response.output_text == answer.output_text
    with client.responses.stream(model="", input="Hello", max_output_tokens=200) as stream:
        assert stream.get_final_response().output_text
    called = client.responses.create(
        model="", input=[{"role": "user", "content": "Rain?"}], max_output_tokens=60,
        tools=[{**WEATHER["function"], "type": "function"}], tool_choice="required",
    )  # fmt: skip
    assert called.output[0].type == "function_call"


def test_agents_offer_tools_that_only_their_makers_have(client: openai.OpenAI) -> None:
    """Codex sends these with every request, and fields of its own."""
    theirs: Any = [{"type": "web_search"}, {"type": "namespace", "name": "more", "tools": []}]
    asked: Any = {"model": "", "input": "Rain?", "max_output_tokens": 60, "tool_choice": "required"}
    called = client.responses.create(
        **asked, tools=[*theirs, {**WEATHER["function"], "type": "function"}],
        extra_body={"client_metadata": {"thread_id": "1"}},
    )  # fmt: skip
    assert called.output[0].type == "function_call"
    assert called.output[0].name == "weather"
    with pytest.raises(openai.BadRequestError, match="needs tools"):
        client.responses.create(**asked, tools=theirs)
    with pytest.raises(openai.BadRequestError, match="whole conversation"):
        client.responses.create(model="", input="So?", previous_response_id="resp_1")


def test_models(client: openai.OpenAI) -> None:
    assert [model.id for model in client.models.list()] == ["shell"]
    card = client.models.retrieve("shell")
    assert card.owned_by == "localspec"
    assert card.model_extra is not None
    assert card.model_extra["max_model_len"] == 1024
    with pytest.raises(openai.NotFoundError):
        client.models.retrieve("gpt-5")


def test_what_goes_wrong_comes_as_the_errors_of_the_client(client: openai.OpenAI) -> None:
    with pytest.raises(openai.BadRequestError) as caught:
        client.chat.completions.create(
            model="", messages=[{"role": "user", "content": "word " * 2000}]
        )
    assert caught.value.code == "context_length_exceeded"
    with pytest.raises(openai.BadRequestError, match="Unrecognized"):
        client.chat.completions.create(model="", messages=HELLO, extra_body={"max_token": 1})
    with pytest.raises(openai.BadRequestError, match="embeddings"):
        client.embeddings.create(model="", input="x")
