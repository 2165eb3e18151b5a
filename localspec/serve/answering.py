"""Answers on their way, on the event loop: the bridge between the engine's thread and asyncio.

The engine's thread only sets an event; all reading happens on the loop. One event serves all
answers of a request, so several choices cost no more tasks than one.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Self

from localspec.decoding.sequence import Piece
from localspec.runtime import LLM
from localspec.wire.asked import Asked
from localspec.worker import Answer, Stream

__all__ = ["Answering", "News"]


@dataclass(frozen=True)
class News:
    """What came of the `index`-th answer; `answer` once it has ended, with `pieces` the last."""

    index: int
    pieces: Sequence[Piece]
    answer: Answer | None


class Answering:
    """The answers to one request. Leaving its `with` block ends those that are not done."""

    def __init__(
        self, streams: list[Stream], event: asyncio.Event, ended: Callable[[Answer], None]
    ) -> None:
        self._streams, self._event, self._ended = streams, event, ended

    @classmethod
    async def begin(
        cls, llm: LLM, asked: Asked, client: str, ended: Callable[[Answer], None]
    ) -> Self:
        """Begin all answers or none. Raises UsageError and BusyError.

        In the end `ended` is told of each, complete or not.
        """
        event = asyncio.Event()
        loop = asyncio.get_running_loop()

        def told() -> None:
            with suppress(RuntimeError):  # the loop has ended, and nobody waits any more
                loop.call_soon_threadsafe(event.set)

        streams = await asyncio.to_thread(_begin, llm, asked, client, told)
        return cls(streams, event, ended)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for stream in self._streams:
            stream.cancel()
            self._ended(stream.answer)

    @property
    def prompt_tokens(self) -> int:
        """Tokens of the first answer's prompt."""
        return self._streams[0].answer.statistics.prompt_tokens

    async def news(self) -> AsyncIterator[News]:
        """What comes, as it comes. Raises what went wrong."""
        unfinished = dict(enumerate(self._streams))
        while unfinished:
            await self._event.wait()
            self._event.clear()
            for index, stream in list(unfinished.items()):
                pieces = stream.take()
                if stream.ended:
                    del unfinished[index]
                    stream.take()  # raises where the answer ended in an error
                    yield News(index, pieces, stream.answer)
                elif pieces:
                    yield News(index, pieces, None)

    async def answers(self) -> list[Answer]:
        """All answers, when all have ended. Raises what went wrong."""
        async for _ in self.news():
            pass
        return [stream.answer for stream in self._streams]


def _begin(llm: LLM, asked: Asked, client: str, told: Callable[[], None]) -> list[Stream]:
    streams: list[Stream] = []
    try:
        for prompt, options in asked.each():
            options["client"] = client
            streams.append(llm.stream(prompt, told, **options))
    except BaseException:
        for stream in streams:
            stream.cancel()
        raise
    return streams
