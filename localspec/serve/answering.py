"""Answers on their way, on the event loop: the bridge between the engine's thread and asyncio.

The engine's thread only rings; all reading happens on the loop. One event serves all answers of a
request, so several choices cost no more tasks than one, and a step that gave something to many
requests wakes the loop once.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Self

from localspec.decoding.sequence import Piece
from localspec.engine.worker import Answer, Stream
from localspec.runtime import LLM, Options
from localspec.wire.asked import Asked
from localspec.wire.said import Reader

__all__ = ["Answering", "Bell", "News"]

_REST_SECONDS = 0.04
"""Nobody sees a text grow more often than that, and every event takes the processor from the
model: an event a token took 6 to 9 % of the speed of a small model with one client.
"""


class Bell:
    """Sets events on the loop from other threads, all that are rung in one go together.

    Waking a loop is a system call, and takes the interpreter's lock away from the engine.
    """

    def __init__(self) -> None:
        self._rung: deque[asyncio.Event] = deque()
        self._coming = False

    def ring(self, event: asyncio.Event, loop: asyncio.AbstractEventLoop) -> None:
        """Set `event` soon. For any thread."""
        self._rung.append(event)
        if not self._coming:
            self._coming = True
            with suppress(RuntimeError):  # the loop has ended, and nobody waits any more
                loop.call_soon_threadsafe(self._answer)

    def _answer(self) -> None:
        self._coming = False  # first, so that whoever rings from now on calls again
        while self._rung:
            self._rung.popleft().set()


class _Reader:
    """Waits for something to read. Who has just read rests: what is said meanwhile is read
    together, but for an answer's end.
    """

    def __init__(self, bell: Bell) -> None:
        self._bell, self._loop = bell, asyncio.get_running_loop()
        self._event = asyncio.Event()
        self._rest: asyncio.TimerHandle | None = None

    def told(self, last: bool) -> None:
        """There is something to read, and whether it is the last of an answer. For any thread."""
        if last or not self._rest:
            self._bell.ring(self._event, self._loop)

    async def wait(self) -> None:
        """Until there may be something to read."""
        await self._event.wait()
        self._event.clear()
        if self._rest:
            self._rest.cancel()
            self._rest = None  # before anything is read, so that nothing is missed

    def rest(self) -> None:
        """Something was read."""
        if not self._rest:
            self._rest = self._loop.call_later(_REST_SECONDS, self._event.set)


@dataclass(frozen=True)
class News:
    """What came of the `index`-th answer; `answer` once it has ended, with `pieces` the last."""

    index: int
    pieces: Sequence[Piece]
    answer: Answer | None

    @property
    def text(self) -> str:
        """The text of all pieces."""
        return "".join(piece.text for piece in self.pieces)


class Answering:
    """The answers to one request. Leaving its `with` block ends those that are not done."""

    def __init__(
        self, streams: list[Stream], reader: _Reader, ended: Callable[[Answer], None]
    ) -> None:
        self._streams, self._reader, self._ended = streams, reader, ended

    @classmethod
    async def begin(
        cls, llm: LLM, asked: Asked, client: str, bell: Bell, ended: Callable[[Answer], None]
    ) -> Self:
        """Begin all answers or none. Raises UsageError and BusyError.

        In the end `ended` is told of each, complete or not.
        """
        reader = _Reader(bell)

        def begin() -> list[Stream]:
            options: Options = {**asked.options, "client": client, "whole": not asked.stream}
            return llm.streams(asked.prompts, asked.n, reader.told, **options)

        return cls(await asyncio.to_thread(begin), reader, ended)

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

    def readers(self) -> list[Reader]:
        """Who tells thoughts, text and calls apart, for each answer."""
        return [Reader(stream.thinking, stream.calling) for stream in self._streams]

    async def news(self) -> AsyncIterator[News]:
        """What comes, as it comes. Raises what went wrong."""
        unfinished = dict(enumerate(self._streams))
        while unfinished:
            await self._reader.wait()
            for index, stream in list(unfinished.items()):
                pieces = stream.take()
                if stream.ended:
                    del unfinished[index]
                    stream.take()  # raises where the answer ended in an error
                    yield News(index, pieces, stream.answer)
                elif pieces:
                    self._reader.rest()  # while it is sent, too
                    yield News(index, pieces, None)

    async def answers(self) -> list[Answer]:
        """All answers, when all have ended. Raises what went wrong."""
        async for _ in self.news():
            pass
        return [stream.answer for stream in self._streams]
