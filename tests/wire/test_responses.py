"""The items of `/v1/responses` as a conversation."""

from typing import Any

from localspec.wire.responses import read

CALL = {"type": "function_call", "call_id": "c1", "name": "look", "arguments": "{}"}
OUTPUT = {"type": "function_call_output", "call_id": "c1", "output": "sunny"}


def conversation(*items: dict[str, Any]) -> list[Any]:
    [prompt] = read({"input": [{"role": "user", "content": "So?"}, *items]}).prompts
    assert isinstance(prompt, list)
    assert prompt[0] == {"role": "user", "content": "So?"}
    return prompt[1:]


def said(text: str) -> dict[str, Any]:
    part = {"type": "output_text", "text": text}
    return {"type": "message", "role": "assistant", "content": [part]}


def function(call: dict[str, Any]) -> dict[str, Any]:
    made = {"name": call["name"], "arguments": call["arguments"]}
    return {"id": call["call_id"], "type": "function", "function": made}


def test_thoughts_words_and_calls_of_one_turn_are_one_message() -> None:
    thoughts = {"type": "reasoning", "content": [{"type": "reasoning_text", "text": "Hm."}]}
    other = {**CALL, "call_id": "c2"}
    turn, *results = conversation(
        thoughts, said("I look."), CALL, other, OUTPUT, {**OUTPUT, "call_id": "c2"}
    )
    assert turn == {
        "role": "assistant",
        "content": "I look.",
        "reasoning_content": "Hm.",
        "tool_calls": [function(CALL), function(other)],
    }
    assert [result["tool_call_id"] for result in results] == ["c1", "c2"]


def test_what_follows_a_result_is_another() -> None:
    first, result, second = conversation(CALL, OUTPUT, said("It is sunny."))
    assert first == {"role": "assistant", "content": "", "tool_calls": [function(CALL)]}
    assert result == {"role": "tool", "tool_call_id": "c1", "content": "sunny"}
    assert second == {"role": "assistant", "content": "It is sunny."}


def test_thoughts_that_were_not_told_are_nothing() -> None:
    silent = {"type": "reasoning", "summary": [], "encrypted_content": "gAAAA"}
    assert conversation(silent) == []
    assert conversation(silent, said("Yes.")) == [{"role": "assistant", "content": "Yes."}]


def test_words_in_several_items_are_paragraphs() -> None:
    assert conversation(said("One."), said("Two.")) == [
        {"role": "assistant", "content": "One.\n\nTwo."}
    ]
