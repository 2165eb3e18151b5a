"""Another draft of the same target as a contestant (`--against`), in a process of its own.

Two models in one process would slow each other: OpenMP's threads sleep sooner where a process has
more of them than the computer has cores.
"""

import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Protocol

import localspec
from localspec.bench.contest import Question, Run
from localspec.bench.ours import Meter, Ours
from localspec.errors import LocalspecError

__all__ = ["RIVAL", "Rival", "rival"]

RIVAL = "the other draft"

_END_SECONDS = 5.0
_READY = "ready"


class Pipe(Protocol):
    """An end of one; Windows has a class of its own for them."""

    def send(self, obj: Any, /) -> None:
        """Let the other end hear of something."""

    def recv(self) -> Any:
        """What the other end has to say."""


class Rival:
    """Answers with the other draft; `auto` decides."""

    name = RIVAL

    def __init__(self, pipe: Pipe) -> None:
        self._pipe = pipe

    def answer(self, question: Question) -> Run:
        """Answer as if nothing had been answered before. Raises LocalspecError."""
        with suppress(OSError):  # it may have ended, after it said why
            self._pipe.send(question)
        said = _heard(self._pipe)
        assert isinstance(said, Run)
        return said


def _heard(pipe: Pipe) -> object:
    """What the other process has to say. Raises LocalspecError where that is an error."""
    try:
        said: object = pipe.recv()
    except (EOFError, OSError) as error:
        raise LocalspecError(f"The process with {RIVAL} has ended.") from error
    if isinstance(said, LocalspecError):
        raise said
    return said


@contextmanager
def rival(
    target: Path, draft: Path, *, context: int, max_tokens: int, temperature: float
) -> Iterator[Rival]:
    """The other draft, for as long as the block lasts. Raises LocalspecError where it is none."""
    spawn = get_context("spawn")
    here, there = spawn.Pipe()
    order = (there, target, draft, context, max_tokens, temperature)
    process = spawn.Process(target=_answer, args=order, daemon=True)
    process.start()
    there.close()
    try:
        _heard(here)  # that it is ready, so that nobody is measured while it loads
        yield Rival(here)
    finally:
        here.close()  # at which it ends
        process.join(_END_SECONDS)
        process.kill()
        process.join()


def _answer(
    pipe: Pipe, target: Path, draft: Path, context: int, max_tokens: int, temperature: float
) -> None:
    """In the process: answer one question after another, until nobody is there to ask."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for who asks
    try:
        with localspec.load(target, draft=draft, context=context) as llm:
            if llm.draft is None:
                raise LocalspecError(" ".join(llm.notes))
            meter = Meter(llm)
            ours = Ours(RIVAL, llm, meter, "auto", max_tokens=max_tokens, temperature=temperature)
            pipe.send(_READY)
            while True:
                pipe.send(ours.answer(pipe.recv()))
    except (EOFError, OSError):
        pass
    except LocalspecError as error:
        with suppress(OSError):
            pipe.send(error)
