"""Thoughts in answers: where each protocol shows them, whole and in events."""

from collections.abc import Iterator
from typing import Any

import anthropic
import httpx2
import openai
import pytest
from servers import FakeLLM, serving

from localspec.conversation.thinking import Marks, Thinking
from localspec.wire import chat

HELLO: Any = [{"role": "user", "content": "Hello"}]


@pytest.fixture(scope="module")
def llm() -> FakeLLM:
    return FakeLLM()


@pytest.fixture(scope="module")
def thinking_url(llm: FakeLLM) -> Iterator[str]:
    """A server whose model thinks: its own letters are taken for marks."""
    with serving(lambda: llm) as url:
        asked = {"prompt": "Hello", "max_tokens": 24}
        whole = httpx2.post(f"{url}/v1/completions", json=asked).json()["choices"][0]["text"]
        llm.thinking = Thinking((Marks(whole[:2], whole[8:11]),))
        yield url


@pytest.fixture
def told(thinking_url: str) -> tuple[str, str]:
    """The thoughts and the text of an answer of 24 tokens."""
    asked = {"prompt": "Hello", "max_tokens": 24}
    whole = httpx2.post(f"{thinking_url}/v1/completions", json=asked).json()["choices"][0]["text"]
    return whole[2:8], whole[11:]


def test_chat_completions(thinking_url: str, told: tuple[str, str]) -> None:
    with openai.OpenAI(base_url=f"{thinking_url}/v1", api_key="x") as client:
        message = client.chat.completions.create(model="", messages=HELLO, max_tokens=24)
        extra = message.choices[0].message.model_extra or {}
        assert (extra["reasoning_content"], message.choices[0].message.content) == told
        thoughts = text = ""
        for chunk in client.chat.completions.create(
            model="", messages=HELLO, max_tokens=24, stream=True
        ):
            delta = chunk.choices[0].delta
            thoughts += (delta.model_extra or {}).get("reasoning_content") or ""
            text += delta.content or ""
        assert (thoughts, text) == told


def test_messages(thinking_url: str, told: tuple[str, str]) -> None:
    with anthropic.Anthropic(base_url=thinking_url, api_key="x") as client:
        message = client.messages.create(model="", messages=HELLO, max_tokens=24)
        with client.messages.stream(model="", messages=HELLO, max_tokens=24) as stream:
            streamed = stream.get_final_message()
        for answer in (message, streamed):
            thoughts, text = answer.content
            assert thoughts.type == "thinking"
            assert text.type == "text"
            assert (thoughts.thinking, text.text) == told


def test_responses(thinking_url: str, told: tuple[str, str]) -> None:
    with openai.OpenAI(base_url=f"{thinking_url}/v1", api_key="x") as client:
        answer = client.responses.create(model="", input="Hello", max_output_tokens=24)
        with client.responses.stream(model="", input="Hello", max_output_tokens=24) as stream:
            events = list(stream)
        deltas = [e.delta for e in events if e.type == "response.reasoning_text.delta"]
        assert "".join(deltas) == told[0]
        assert events[-1].type == "response.incomplete"
        for response in (answer, events[-1].response):
            item = response.output[0]
            assert item.type == "reasoning"
            assert item.content is not None
            assert (item.content[0].text, response.output_text) == told


def test_thoughts_of_earlier_answers_reach_the_template() -> None:
    before = {"role": "assistant", "content": "Hi", "reasoning_content": "Greet back."}
    asked = chat.read({"messages": [*HELLO, before, *HELLO], "reasoning_effort": "none"})
    assert asked.prompts[0][1] == before
    assert asked.options["template"] == {"reasoning_effort": "none", "enable_thinking": False}
