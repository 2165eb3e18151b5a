"""Calls as models of other families say them, with marks that are control tokens, over HTTP."""

import json
from collections.abc import Iterator
from typing import Any

import anthropic
import openai
import pytest
from families import FAMILIES
from remade import remade
from servers import Kept, serving

import localspec
from localspec import LLM

KIMI = next(family for family in FAMILIES if family.name == "Kimi K2")
MARKS = [
    *("<|tool_calls_section_begin|>", "<|tool_call_begin|>", "<|tool_call_argument_begin|>"),
    *("<|tool_call_end|>", "<|tool_calls_section_end|>", "<|other|>"),
]
SCHEMA = {
    "type": "object",
    "properties": {"city": {"type": "string", "maxLength": 8}, "days": {"type": "integer"}},
    "required": ["city"],
}
WEATHER: Any = {"type": "function", "function": {"name": "weather", "parameters": SCHEMA}}
ASKED: Any = {"model": "", "messages": [{"role": "user", "content": "Rain?"}], "tools": [WEATHER]}


@pytest.fixture(scope="module")
def llm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LLM]:
    path = remade(tmp_path_factory.mktemp("models") / "kimi.gguf", KIMI.source, MARKS)
    with localspec.load(path, draft="none") as llm:
        yield llm


@pytest.fixture(scope="module")
def url(llm: LLM) -> Iterator[str]:
    with serving(lambda: Kept(llm)) as url:
        yield url


@pytest.fixture(scope="module")
def client(url: str) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=f"{url}/v1", api_key="x") as client:
        yield client


def test_a_call_that_must_be_made_is_made(client: openai.OpenAI) -> None:
    asked = {**ASKED, "tool_choice": "required", "seed": 1, "max_tokens": 60}
    answer = client.chat.completions.create(**asked).choices[0]
    assert (answer.finish_reason, answer.message.content) == ("tool_calls", None)
    [call] = answer.message.tool_calls or []
    assert call.type == "function"
    assert call.function.name == "weather"
    assert "city" in json.loads(call.function.arguments)
    said = ""
    for chunk in client.chat.completions.create(**asked, stream=True):
        delta = chunk.choices[0].delta
        assert not delta.content
        for part in delta.tool_calls or []:
            said += part.function.arguments or ""
    assert said == call.function.arguments


def test_what_begins_with_a_mark_is_a_call(client: openai.OpenAI, llm: LLM) -> None:
    """And is one call where no more are wanted, whatever the model would like to say."""
    mark = llm.target.vocabulary.special[MARKS[0]]
    answer = client.chat.completions.create(
        **ASKED, logit_bias={str(mark): 100}, parallel_tool_calls=False, max_tokens=60, seed=1
    ).choices[0]
    assert answer.finish_reason == "tool_calls"
    [call] = answer.message.tool_calls or []
    assert call.type == "function"
    assert "city" in json.loads(call.function.arguments)


def test_other_control_tokens_may_be_said_where_tools_are_offered(llm: LLM) -> None:
    other = llm.target.vocabulary.special["<|other|>"]
    answer = llm.generate("Rain?", tools=[WEATHER], logit_bias={other: 100}, max_tokens=2)
    assert answer.tokens == [other, other]


def test_anthropic_s_client_hears_of_the_call(url: str) -> None:
    tool: Any = {"name": "weather", "input_schema": SCHEMA}
    with (
        anthropic.Anthropic(base_url=url, api_key="x") as client,
        client.messages.stream(
            model="", max_tokens=60, messages=ASKED["messages"], tools=[tool],
            tool_choice={"type": "tool", "name": "weather"},
        ) as stream,
    ):  # fmt: skip
        message = stream.get_final_message()
    [block] = message.content
    assert block.type == "tool_use"
    assert block.name == "weather"
    assert isinstance(block.input, dict)
    assert "city" in block.input
