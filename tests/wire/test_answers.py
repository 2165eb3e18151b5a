"""Answers in OpenAI's objects, as its own client reads them."""

from dataclasses import replace

import msgspec
from hypothesis import given
from hypothesis import strategies as st
from openai.types import Completion as TheirCompletion
from openai.types.chat import ChatCompletion as TheirChatCompletion

from localspec.conversation.calling.notation import Calling
from localspec.decoding.sequence import TokenLogprob
from localspec.decoding.statistics import Statistics
from localspec.engine.worker import Answer
from localspec.errors import BusyError, ContextError, DecodeError, ModelError
from localspec.wire.answers import Offsets, chat_completion, completion, completion_logprobs
from localspec.wire.errors import document, refusal

STATISTICS = Statistics(
    prompt_tokens=9, cached_tokens=4, completion_tokens=3, predicted_tokens=2,
    draft_tokens=5, accepted_tokens=1, prompt_seconds=0.5, predicted_seconds=0.25,
)  # fmt: skip
LOGPROBS = [
    TokenLogprob("ü".encode(), -0.5, (("ü".encode(), -0.5), (b"\xc3", float("-inf")))),
    TokenLogprob(b"x", None),
]


def answer(text: str, logprobs: list[TokenLogprob] | None = None) -> Answer:
    return Answer(text, [1], "stop", 7, STATISTICS, logprobs)


def test_a_chat_completion_is_what_openai_s_client_expects() -> None:
    mine = chat_completion("shell", [answer("Hi", LOGPROBS), answer("Ho")])
    theirs = TheirChatCompletion.model_validate_json(msgspec.json.encode(mine), strict=True)
    assert [choice.message.content for choice in theirs.choices] == ["Hi", "Ho"]
    assert theirs.usage is not None
    assert (theirs.usage.prompt_tokens, theirs.usage.completion_tokens) == (9, 6)
    first = theirs.choices[0].logprobs
    assert first is not None
    assert first.content is not None
    assert [top.token for top in first.content[0].top_logprobs] == ["ü", "bytes:\\xc3"]
    assert first.content[0].top_logprobs[1].logprob == -9999
    assert mine.timings.draft_n_accepted == 2


def test_calls_are_read_only_where_tools_were_offered() -> None:
    text = '<tool_call>\n{"name": "f", "arguments": {"x": 1}}\n</tool_call>'
    calling = Calling.of([{"function": {"name": "f"}}])
    mine = chat_completion("shell", [replace(answer(text), calling=calling)])
    theirs = TheirChatCompletion.model_validate_json(msgspec.json.encode(mine), strict=True)
    choice = mine.choices[0]
    calls = theirs.choices[0].message.tool_calls
    assert calls is not None
    assert calls[0].type == "function"
    assert (calls[0].function.name, calls[0].function.arguments) == ("f", '{"x": 1}')
    assert (choice.finish_reason, choice.message.content) == ("tool_calls", None)
    assert chat_completion("shell", [answer(text)]).choices[0].message.content == text


def test_a_completion_counts_each_prompt_once() -> None:
    mine = completion("shell", [answer("a", LOGPROBS[:1] * 2)] * 4, n=2)
    theirs = TheirCompletion.model_validate_json(msgspec.json.encode(mine))
    assert theirs.usage is not None
    assert (theirs.usage.prompt_tokens, theirs.usage.completion_tokens) == (18, 12)
    assert theirs.choices[0].logprobs is not None
    assert theirs.choices[0].logprobs.text_offset == [0, 1]


@given(st.lists(st.sampled_from([*map(str.encode, "a ü日🎉"), b"\xc3", b"\xbc", b"\xf0\x9f"])))
def test_tokens_stand_where_their_offsets_say(pieces: list[bytes]) -> None:
    text = b"".join(pieces).decode("utf-8", "replace")
    logprobs = [TokenLogprob(piece, -1.0) for piece in pieces]
    told, portions, streamed = completion_logprobs(logprobs), Offsets(), list[int]()
    for entry in logprobs:
        streamed += completion_logprobs([entry], portions).text_offset
    assert streamed == told.text_offset == sorted(told.text_offset)
    for token, offset in zip(told.tokens, told.text_offset, strict=True):
        assert token.startswith("bytes:") or text[offset:].startswith(token)
    assert all(offset <= len(text) for offset in streamed)


def test_errors_say_what_concerns_the_asker_and_nothing_else() -> None:
    assert refusal(ContextError("Too long.")).code == "context_length_exceeded"
    busy = refusal(BusyError("Full."))
    assert (busy.status, busy.retry_after) == (503, 2)
    for error in (ModelError("/home/me/x.gguf"), DecodeError("llama.cpp"), ValueError("secret")):
        told = document(refusal(error))["error"]
        assert (refusal(error).status, told["type"]) == (500, "server_error")
        assert str(error) not in str(told)
