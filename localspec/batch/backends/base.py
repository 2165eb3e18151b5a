"""What a run asks of whoever answers."""

from collections.abc import Iterator
from typing import NamedTuple, Protocol

from localspec.batch.request import Body, Task

__all__ = ["OK", "Backend", "Effort", "Reply"]

OK = 200
"""The status of an answer; every other one is that of a failure."""


class Effort(NamedTuple):
    """What an answer cost, in tokens; what nobody counts is 0."""

    prompt: int = 0
    completion: int = 0
    drafted: int = 0
    accepted: int = 0
    read: int = 0
    """Of `prompt`, those that no cache held."""


class Reply(NamedTuple):
    """The answer to a task as a server gives it: an HTTP status, and a body of the OpenAI API.

    A status that is not 200 is a failure, and the body says of what.
    """

    task: Task
    status: int
    body: Body
    effort: Effort = Effort()

    @property
    def ok(self) -> bool:
        """Whether this is an answer."""
        return self.status == OK


class Backend(Protocol):
    """Answers tasks, many at once."""

    @property
    def parallel(self) -> int:
        """How many tasks are worked on at once."""

    def alone(self, effort: Effort) -> float | None:
        """Seconds of as much one answer at a time without guesses; None where nobody knows."""

    def answers(self, tasks: Iterator[Task]) -> Iterator[Reply]:
        """Replies as they come, in any order, each task's exactly once.

        Tasks are taken as they can be worked on, in the thread that takes the replies. After
        `stop` no more are taken; replies that are complete come, and those of the rest do not.
        Raises LocalspecError where nothing can be answered any more.
        """

    def stop(self) -> None:
        """End soon. May be called at any time, from a signal handler too."""
