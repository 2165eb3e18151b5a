"""The model that answers: loaded when it is needed, unloaded when nobody has asked for a while."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from localspec.errors import LocalspecError
from localspec.runtime import LLM

__all__ = ["Resident"]

log = logging.getLogger(__name__)


class Resident:
    """One model and its place in memory.

    It is unloaded after `keep_alive` seconds without use, None meaning never.
    """

    def __init__(self, load: Callable[[], LLM], keep_alive: float | None) -> None:
        self._load, self._keep_alive = load, keep_alive
        self._llm: LLM | None = None
        self._lock = asyncio.Lock()
        self._users = 0
        self._timer: asyncio.TimerHandle | None = None
        self._closing: asyncio.Task[None] | None = None

    def load_now(self) -> LLM:
        """Load the model before there is an event loop. Raises what loading raises."""
        self._llm = self._load()
        return self._llm

    @property
    def llm(self) -> LLM | None:
        """The model, if it is in memory."""
        return self._llm

    @asynccontextmanager
    async def use(self) -> AsyncIterator[LLM]:
        """The model, in memory for as long as the block lasts. Raises what loading raises."""
        self._users += 1
        if self._timer:
            self._timer.cancel()
        try:
            yield await self._present()
        finally:
            self._users -= 1
            if not self._users and self._keep_alive is not None:
                loop = asyncio.get_running_loop()
                self._timer = loop.call_later(self._keep_alive, self._unload)

    async def close(self) -> None:
        """Unload the model for good; answers that are being made are cancelled."""
        async with self._lock:
            llm, self._llm = self._llm, None
            if llm:
                await asyncio.to_thread(llm.close)

    async def _present(self) -> LLM:
        async with self._lock:
            if self._llm is None:
                try:
                    self._llm = await asyncio.to_thread(self._load)
                except LocalspecError as error:
                    log.error("%s", error)
                    raise
                for note in self._llm.notes:
                    log.warning("%s", note)
            return self._llm

    def _unload(self) -> None:
        self._closing = asyncio.ensure_future(self._close_if_idle())

    async def _close_if_idle(self) -> None:
        if not self._users:
            log.info("Nobody has asked for a while: the model leaves the memory.")
            await self.close()
