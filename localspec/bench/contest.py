"""Contestants answer the same questions in turns, so that a busy minute hits all of them alike.

Every question goes to all contestants one after another before the next one is asked, in an order
that is reversed from question to question and from round to round. What is measured is the time
after the first token.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from localspec.decoding.statistics import Statistics

__all__ = ["Contestant", "Question", "Record", "Run", "Spent", "contest"]


class Question(NamedTuple):
    """A prompt in tokens. `number` tells it from others of its task."""

    task: str
    number: int
    tokens: tuple[int, ...]


@dataclass
class Spent:
    """Seconds of steps in all, and of these in the target and in drafting."""

    total: float = 0.0
    target: float = 0.0
    draft: float = 0.0


@dataclass(frozen=True)
class Run:
    """One answer: its speed after the first token, and how many tokens there were.

    What only localspec can say of itself (the tokens, counts, times) another program leaves out.
    """

    per_second: float
    count: int
    drafted: int = 0
    tokens: tuple[int, ...] = ()
    statistics: Statistics | None = None
    spent: Spent | None = None


class Contestant(Protocol):
    """Something that answers, always in the same way."""

    @property
    def name(self) -> str:
        """Tells it from the other contestants."""

    def answer(self, question: Question) -> Run:
        """Answer with no memory of earlier answers."""


class Record(NamedTuple):
    """What a contestant did with a question in one of the rounds."""

    question: Question
    round: int
    contestant: str
    run: Run


def contest(
    questions: Sequence[Question],
    contestants: Sequence[Contestant],
    rounds: int,
    progress: Callable[[float, str], None],
) -> Iterator[Record]:
    """Ask everything `rounds` times; records come as they are made, so an interrupt loses one.

    Before the first one each contestant warms up with an answer that does not count.
    """
    for contestant in contestants:
        progress(0.0, f"warming up {contestant.name}")
        contestant.answer(questions[0])
    done, total = 0, rounds * len(questions) * len(contestants)
    for turn in range(rounds):
        for i, question in enumerate(questions):
            order = contestants if (turn + i) % 2 == 0 else contestants[::-1]
            for contestant in order:
                what = f"round {turn + 1} of {rounds}, {question.task}, {contestant.name}"
                progress(done / total, what)
                yield Record(question, turn, contestant.name, contestant.answer(question))
                done += 1
