"""A chat completion as events: one chunk for all that was said since the last."""

import time
from collections.abc import AsyncIterator

from localspec.conversation.calling.reader import Arguments, Begun
from localspec.conversation.thinking import Thought
from localspec.decoding.statistics import Statistics
from localspec.serve.answering import Answering, News
from localspec.serve.events import event
from localspec.wire import answers
from localspec.wire.answers import ChatChunk, ChunkChoice, Delta, FunctionCall, ToolCall
from localspec.wire.asked import Asked
from localspec.wire.said import Reader

__all__ = ["DONE", "events"]

DONE = b"data: [DONE]\n\n"


async def events(answering: Answering, asked: Asked, model: str) -> AsyncIterator[bytes]:
    """The events of a streamed chat completion, `[DONE]` included."""
    identity, created = answers.new_id("chatcmpl-"), int(time.time())

    def chunk(*choices: ChunkChoice) -> ChatChunk:
        return ChatChunk(identity, created, model, list(choices))

    readers = answering.readers()
    for i in range(asked.n):
        yield event(chunk(ChunkChoice(i, Delta(role="assistant", content=""))))
    statistics = dict[int, Statistics]()
    async for news in answering.news():
        choice = ChunkChoice(news.index, _delta(news, readers[news.index]))
        logprobs = [piece.logprob for piece in news.pieces if piece.logprob is not None]
        if logprobs:
            choice.logprobs = answers.chat_logprobs(logprobs)
        if choice.logprobs or choice.delta != Delta():
            yield event(chunk(choice))
        if news.answer:
            statistics[news.index] = news.answer.statistics
            called = readers[news.index].called
            reason = answers.reason(news.answer.finish_reason, calls=called)
            last = chunk(ChunkChoice(news.index, Delta(), reason))
            if len(statistics) == asked.n:
                last.timings = answers.timings(statistics.values())
            yield event(last)
    if asked.usage:
        final = chunk()
        final.usage = answers.usage([statistics[i] for i in sorted(statistics)], per_prompt=asked.n)
        yield event(final)
    yield DONE


def _delta(news: News, reader: Reader) -> Delta:
    thoughts, content, calls = "", "", list[ToolCall]()
    for part in reader.feed(news.text, last=news.answer is not None):
        if isinstance(part, Begun):
            function = FunctionCall(name=part.name, arguments="")
            identity = answers.new_id("call_")
            calls.append(ToolCall(function, id=identity, type="function", index=part.index))
        elif isinstance(part, Arguments):
            _add(calls, part)
        elif isinstance(part, Thought):
            thoughts += part.text
        else:
            content += part
    return Delta(
        content=content or None, reasoning_content=thoughts or None, tool_calls=calls or None
    )


def _add(calls: list[ToolCall], part: Arguments) -> None:
    """Arguments, to the call they belong to."""
    if calls and calls[-1].index == part.index:
        calls[-1].function.arguments += part.text
    else:
        calls.append(ToolCall(FunctionCall(arguments=part.text), index=part.index))
