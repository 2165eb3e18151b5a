"""A completion as events."""

import time
from collections.abc import AsyncIterator

from localspec.decoding.statistics import Statistics
from localspec.serve.answering import Answering
from localspec.serve.chat import DONE
from localspec.serve.events import event
from localspec.wire import answers
from localspec.wire.answers import Completion, CompletionChoice, Offsets
from localspec.wire.asked import Asked

__all__ = ["events"]


async def events(answering: Answering, asked: Asked, model: str) -> AsyncIterator[bytes]:
    """The events of a streamed completion, `[DONE]` included."""
    identity, created = answers.new_id("cmpl-"), int(time.time())
    offsets = [Offsets() for _ in range(asked.n * len(asked.prompts))]
    statistics = dict[int, Statistics]()
    async for news in answering.news():
        choice = CompletionChoice(news.index, news.text)
        logprobs = [piece.logprob for piece in news.pieces if piece.logprob is not None]
        if logprobs:
            choice.logprobs = answers.completion_logprobs(logprobs, offsets[news.index])
        chunk = Completion(identity, created, model, [choice])
        if news.answer:
            statistics[news.index] = news.answer.statistics
            choice.finish_reason = answers.reason(news.answer.finish_reason)
            if len(statistics) == len(offsets):
                chunk.timings = answers.timings(statistics.values())
        if choice.text or choice.logprobs or choice.finish_reason:
            yield event(chunk)
    if asked.usage:
        final = Completion(identity, created, model, [])
        final.usage = answers.usage([statistics[i] for i in sorted(statistics)], per_prompt=asked.n)
        yield event(final)
    yield DONE
