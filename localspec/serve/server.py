"""uvicorn's server, with signals as people expect them and an end to patience.

The first SIGTERM or Ctrl-C lets running answers end and takes no new ones, the second stops.
"""

import logging
import time
from types import FrameType
from typing import Any

import uvicorn
from starlette.types import ASGIApp

from localspec.serve.connection import Connection
from localspec.serve.patience import PATIENCE_SECONDS, Patience

__all__ = ["Server"]

log = logging.getLogger(__name__)

_LOOK_EVERY = 5  # ticks, of a tenth of a second


class Server(uvicorn.Server):
    """Serves until told to stop; hangs up on clients it has to wait for longer than `patience`."""

    def __init__(self, app: ASGIApp, *, patience: float = PATIENCE_SECONDS, **options: Any) -> None:
        """`options` are uvicorn's."""
        config = uvicorn.Config(
            app,
            http=Connection,
            log_config=None,
            server_header=False,
            date_header=False,
            ws="none",
            timeout_keep_alive=int(PATIENCE_SECONDS),
            **options,
        )
        super().__init__(config)
        self._patience = Patience(patience)

    async def on_tick(self, counter: int) -> bool:
        """What is to be done now and then; whether to stop."""
        if counter % _LOOK_EVERY == 0:
            self._patience.look(self.server_state.connections, time.monotonic())
        return await super().on_tick(counter)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Stop when answers have ended; at once at the second signal, whichever it is."""
        if self.should_exit:
            self.force_exit = True
            for connection in list(self.server_state.connections):
                connection.transport.abort()
        else:
            log.warning("Stopping when running answers have ended; once more stops at once.")
            self.should_exit = True
