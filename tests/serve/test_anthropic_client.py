"""Anthropic's own client, against the shell pair."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from typing import Any

import anthropic
import pytest
from anthropic.types import MessageParam

from localspec.conversation.calling.notation import Calling
from localspec.decoding.sequence import Piece
from localspec.decoding.statistics import Statistics
from localspec.engine.worker import Answer
from localspec.serve import messages
from localspec.serve.answering import News
from localspec.wire.said import Reader

HELLO: list[MessageParam] = [{"role": "user", "content": "How do I list files?"}]
GREEDY = {"temperature": 0}  # which newer versions of the client no longer know
WEATHER: Any = {
    "name": "weather",
    "description": "The weather of a city.",
    "input_schema": {
        "type": "object",
        "properties": {"city": {"type": "string", "maxLength": 12}},
        "required": ["city"],
        "additionalProperties": False,
    },
}


@pytest.fixture
def client(url: str) -> Iterator[anthropic.Anthropic]:
    with anthropic.Anthropic(base_url=url, api_key="anything", max_retries=0) as client:
        yield client


def test_a_message(client: anthropic.Anthropic) -> None:
    answer = client.messages.create(
        model="any", max_tokens=8, messages=HELLO, system="Be brief.", extra_body=GREEDY
    )
    assert answer.content[0].type == "text"
    assert answer.content[0].text
    assert (answer.stop_reason, answer.usage.output_tokens) == ("max_tokens", 8)
    stop = answer.content[0].text[4:7]
    cut = client.messages.create(
        model="", max_tokens=8, messages=HELLO, system="Be brief.", extra_body=GREEDY,
        stop_sequences=[stop],
    )  # fmt: skip
    assert (cut.stop_reason, cut.stop_sequence) == ("stop_sequence", stop)


def test_a_stream_says_the_same_in_pieces(client: anthropic.Anthropic) -> None:
    whole = client.messages.create(model="", max_tokens=4, messages=HELLO, extra_body=GREEDY)
    with client.messages.stream(
        model="", max_tokens=4, messages=HELLO, extra_body=GREEDY
    ) as stream:
        text = "".join(stream.text_stream)
        final = stream.get_final_message()
    assert whole.content[0].type == "text"
    assert text == whole.content[0].text
    assert final.usage.output_tokens == whole.usage.output_tokens
    assert final.stop_reason == whole.stop_reason == "max_tokens"


def test_a_call_and_what_it_came_to(client: anthropic.Anthropic) -> None:
    asked: Any = {
        "model": "", "max_tokens": 60, "messages": HELLO, "tools": [WEATHER],
        "tool_choice": {"type": "any"},
    }  # fmt: skip
    answer = client.messages.create(**asked)
    [call] = answer.content
    assert call.type == "tool_use"
    assert answer.stop_reason == "tool_use"
    assert set(call.input) == {"city"}
    with client.messages.stream(**asked) as stream:
        streamed = stream.get_final_message()
    assert streamed.content[0].type == "tool_use"
    assert set(streamed.content[0].input) == {"city"}
    result: Any = {"type": "tool_result", "tool_use_id": call.id, "content": "Rain"}
    turns: list[MessageParam] = [
        *HELLO,
        {"role": "assistant", "content": answer.content},
        {"role": "user", "content": [result, {"type": "text", "text": "So?"}]},
    ]
    longer = client.messages.create(model="", max_tokens=4, messages=turns, tools=[WEATHER])
    assert longer.usage.input_tokens + (longer.usage.cache_read_input_tokens or 0) > 20


class Told:
    """An answering of which the answer is known."""

    prompt_tokens = 1

    def __init__(self, text: str) -> None:
        calling = Calling.of([{"function": WEATHER | {"parameters": {}}}])
        self.answer = Answer(text, [1], "stop", 7, Statistics(), calling=calling)

    def readers(self) -> list[Reader]:
        return [Reader(None, self.answer.calling)]

    async def news(self) -> AsyncIterator[News]:
        yield News(0, [Piece(self.answer.text, 1)], self.answer)


def test_what_is_said_after_a_call_changes_nothing_about_it() -> None:
    call = '<tool_call>\n{"name": "weather", "arguments": {}}\n</tool_call>'
    told: Any = Told(f"{call}\nOne moment.")
    asked = messages.read(
        json.dumps({"max_tokens": 9, "messages": HELLO, "tools": [WEATHER]}).encode()
    )

    async def endings() -> list[Any]:
        events = [event async for event in messages.events(told, asked, "shell")]
        lines = [event.splitlines()[1].removeprefix(b"data: ") for event in events]
        return [event["delta"] for event in map(json.loads, lines) if "usage" in event]

    [ending] = asyncio.run(endings())
    whole = messages.whole(asked, "shell", [told.answer])
    assert ending["stop_reason"] == whole["stop_reason"] == "tool_use"


def test_json_keeps_to_its_schema(client: anthropic.Anthropic) -> None:
    form = {"type": "json_schema", "schema": WEATHER["input_schema"]}
    answer = client.messages.create(
        model="", max_tokens=60, messages=HELLO, extra_body={"output_config": {"format": form}}
    )
    assert answer.content[0].type == "text"
    assert set(json.loads(answer.content[0].text)) == {"city"}


@pytest.mark.parametrize(
    ("fields", "words", "code"),
    [
        ({"thread": {"type": "create"}}, "whole conversation", "thread_unsupported_request"),
        ({"tools": [{"type": "bash_20250124", "name": "bash"}]}, "describe themselves", None),
    ],
)
def test_what_only_their_servers_have_is_refused_in_words(
    client: anthropic.Anthropic, fields: dict[str, Any], words: str, code: str | None
) -> None:
    """By the code their client knows that it must send the whole conversation, and does."""
    with pytest.raises(anthropic.BadRequestError, match=words) as caught:
        client.messages.create(model="", max_tokens=4, messages=HELLO, extra_body=fields)
    body: Any = caught.value.body
    assert body["error"].get("details") == (code and {"error_code": code})


def test_models(client: anthropic.Anthropic) -> None:
    [model] = client.models.list().data
    assert (model.id, model.display_name, model.type) == ("shell", "shell", "model")
    assert model.created_at.tzinfo is not None


def test_tokens_are_counted_as_they_will_be(client: anthropic.Anthropic) -> None:
    counted = client.messages.count_tokens(model="", messages=HELLO).input_tokens
    usage = client.messages.create(model="", max_tokens=1, messages=HELLO).usage
    assert counted == usage.input_tokens + (usage.cache_read_input_tokens or 0)
    with_tools = client.messages.count_tokens(model="", messages=HELLO, tools=[WEATHER])
    assert with_tools.input_tokens > counted


def test_what_goes_wrong_comes_as_the_errors_of_the_client(client: anthropic.Anthropic) -> None:
    with pytest.raises(anthropic.BadRequestError) as caught:
        client.messages.create(
            model="", max_tokens=4, messages=[{"role": "user", "content": "word " * 2000}]
        )
    assert "prompt is too long: 2011 tokens > 1024" in str(caught.value)
    body = caught.value.body
    assert isinstance(body, dict)
    assert body["error"]["type"] == "invalid_request_error"
