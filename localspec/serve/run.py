"""Runs the application: the model, the socket, the server."""

import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace

from localspec.errors import LocalspecError
from localspec.runtime import LLM
from localspec.serve.app import application
from localspec.serve.resident import Resident
from localspec.serve.server import Server
from localspec.serve.settings import Settings

__all__ = ["bound", "run"]

_BACKLOG = 2048
_UNREAD = 1 << 17  # bytes that the system keeps of an answer for a client that does not read it


def run(
    settings: Settings, ready: Callable[[Settings, LLM], None], *, verbose: bool = False
) -> None:
    """Load the model, call `ready` when clients can connect, serve until told to stop.

    `ready` gets the settings with the port that was found where they name none (0). Raises
    LocalspecError where serving is not possible.
    """
    sock = bound(settings)
    settings = replace(settings, port=sock.getsockname()[1])
    resident = Resident(lambda: LLM(settings.loading), settings.keep_alive)
    with closing(resident.load_now()) as llm:
        with _usable(sock, settings):  # another server may have been quicker to load
            sock.listen(_BACKLOG)
        ready(settings, llm)
        Server(application(settings, resident), access_log=verbose).run(sockets=[sock])


def bound(settings: Settings) -> socket.socket:
    """Where clients connect. Raises LocalspecError where that is not possible."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    sock = socket.socket(family)
    with _usable(sock, settings):
        if hasattr(signal, "SIGKILL"):  # on Windows it would let two servers share a port
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _UNREAD)  # connections inherit it
        sock.bind((settings.host, settings.port))
    return sock


@contextmanager
def _usable(sock: socket.socket, settings: Settings) -> Iterator[None]:
    """Says in a sentence why clients cannot connect to `sock`, where they cannot."""
    try:
        yield
    except OSError as error:
        sock.close()
        raise LocalspecError(
            f"{settings.host} port {settings.port} cannot be used ({error.strerror}); "
            "--port takes another one."
        ) from None
