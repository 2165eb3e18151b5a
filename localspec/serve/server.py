"""uvicorn's server, with signals as people expect them and an end to patience.

The first SIGTERM or Ctrl-C lets running answers end and takes no new ones, the second stops.
"""

import asyncio
import logging
import socket
import time
from types import FrameType
from typing import Any

import uvicorn
from starlette.types import ASGIApp

from localspec.serve.connection import Connection
from localspec.serve.patience import PATIENCE_SECONDS, Patience

__all__ = ["Server"]

log = logging.getLogger(__name__)

_LOOK_SECONDS = 0.5


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

    async def serve(self, sockets: list[socket.socket] | None = None) -> None:
        """Serve, with no more patience for clients while running answers end than before."""
        watch = asyncio.ensure_future(self._watch())
        try:
            await super().serve(sockets)
        finally:
            watch.cancel()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Stop when answers have ended; at once at the second signal, whichever it is.

        Answers end with their connections; then all ends in order, which `force_exit` would not.
        """
        if self.should_exit:
            for connection in list(self.server_state.connections):
                connection.transport.abort()
        else:
            log.warning("Stopping when running answers have ended; once more stops at once.")
            self.should_exit = True

    async def _watch(self) -> None:
        while True:
            self._patience.look(self.server_state.connections, time.monotonic())
            await asyncio.sleep(_LOOK_SECONDS)
