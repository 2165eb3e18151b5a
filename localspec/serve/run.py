"""Runs the application: the socket, the signals, what a person reads when it starts.

The first SIGTERM or Ctrl-C lets running answers end and takes no new ones, the second stops.
"""

import logging
import signal
import socket
from collections.abc import Callable
from types import FrameType

import uvicorn

import localspec
from localspec.errors import LocalspecError
from localspec.runtime import LLM
from localspec.serve.app import application
from localspec.serve.resident import Resident
from localspec.serve.settings import Settings

__all__ = ["load", "run"]

log = logging.getLogger(__name__)

_BACKLOG = 2048
_IDLE_SECONDS = 30  # for which a connection without a request is kept


def run(settings: Settings, ready: Callable[[LLM], None], *, verbose: bool = False) -> None:
    """Load the model, call `ready` when clients can connect, serve until told to stop.

    Raises LocalspecError where that is not possible.
    """
    sock = _bound(settings)
    resident = Resident(lambda: load(settings), settings.keep_alive)
    llm = resident.load_now()
    sock.listen(_BACKLOG)
    config = uvicorn.Config(
        application(settings, resident),
        log_config=None,
        access_log=verbose,
        server_header=False,
        date_header=False,
        ws="none",
        timeout_keep_alive=_IDLE_SECONDS,
    )
    ready(llm)
    _Server(config).run(sockets=[sock])
    if resident.llm:
        resident.llm.close()


def load(settings: Settings) -> LLM:
    """The model, as the settings say."""
    return localspec.load(
        settings.model,
        draft=settings.draft,
        context=settings.context,
        parallel=settings.parallel,
        cache=settings.cache,
        gpu_layers=settings.gpu_layers,
        waiting=settings.waiting,
    )


def _bound(settings: Settings) -> socket.socket:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    sock = socket.socket(family)
    try:
        if hasattr(signal, "SIGKILL"):  # on Windows it would let two servers share a port
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((settings.host, settings.port))
    except OSError as error:
        sock.close()
        raise LocalspecError(
            f"{settings.host} port {settings.port} cannot be used ({error.strerror}); "
            "--port takes another one."
        ) from None
    return sock


class _Server(uvicorn.Server):
    """Stops at the second signal, whichever it is."""

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        if self.should_exit:
            self.force_exit = True
            for connection in list(self.server_state.connections):
                connection.transport.abort()
        else:
            log.warning("Stopping when running answers have ended; once more stops at once.")
            self.should_exit = True
