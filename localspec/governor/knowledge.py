"""What the governor knows from one step to the next, and what time is worth by it."""

from collections.abc import Sequence as Many

from localspec.decoding.sequence import Sequence
from localspec.drafters.base import Drafter
from localspec.governor.book import Book
from localspec.governor.certainty import Certainties
from localspec.governor.costs import Costs
from localspec.governor.policy import Step
from localspec.governor.prices import Prices
from localspec.governor.steady import Steady

__all__ = ["Knowledge"]

_MEMORY = 0.98  # how much of the rate a step leaves


class Knowledge:
    """Of one target, whose sequences have `own_cells` or not, and of those who guess for it."""

    def __init__(self, costs: Costs, *, own_cells: bool) -> None:
        self.costs, self.own_cells = costs, own_cells
        self.books: dict[str, Book] = {}
        self.certainties = Certainties()
        self.steady = Steady(costs)
        self.passed = 0.0
        """Seconds of all steps in which it was free to ask."""
        self._tokens = self._seconds = 0.0

    def book(self, drafter: Drafter) -> Book:
        """The one of a drafter, begun where there is none."""
        if drafter.name not in self.books:
            self.books[drafter.name] = Book(self.costs.change)
        return self.books[drafter.name]

    def plain_rate(self, sequences: int, depth: int) -> float:
        """Tokens a second of plain decoding, at the pace of the moment; 0 while unknown."""
        seconds = self.costs.step(sequences, depth)
        return sequences / seconds if seconds else 0.0

    def rate(self, sequences: int, depth: int) -> float:
        """Tokens a second that time is worth: what is reached, and plain decoding at the least."""
        reached = self._tokens / self._seconds if self._seconds else 0.0
        return max(reached, self.plain_rate(sequences, depth))

    def prices(self, sequences: Many[Sequence], depth: int) -> Prices:
        """Of guesses in a step that decodes these, the deepest of them at `depth`."""
        several = len(sequences) if self.own_cells and len(sequences) > 1 else 0
        plain, rate = self.plain_rows(sequences), self.rate(len(sequences), depth)
        steady = self.steady.stride.rows if self.costs.change and len(sequences) == 1 else 0
        return Prices(self.costs, plain, depth, rate, sharing=several, steady=steady)

    def plain_rows(self, sequences: Many[Sequence]) -> int:
        """Rows of a step without guesses: with cells of their own, those of idle slots between."""
        slots = [sequence.slot for sequence in sequences]
        return max(slots) - min(slots) + 1 if self.own_cells else len(slots)

    def fold(self, pace: float) -> None:
        """Take so much of the pace of the moment for the computer's own."""
        self.costs.fold(pace)
        for book in self.books.values():
            book.fold(pace)

    def observe(self, step: Step) -> None:
        """Learn what a step cost, and what it reached."""
        self.costs.steady = self._rows_of_the_last(step)
        if step.prefilling or len(step.passes) != 1:
            self.costs.interrupted()
        else:
            overhead = step.seconds - step.target_seconds - step.draft_seconds
            plain = self.plain_rows([outcome.sequence for outcome in step.outcomes])
            self.costs.observe(
                step.rows, plain, step.target_seconds, overhead, step.depth, looked=step.looked
            )
        free = [o for o in step.outcomes if o.sequence.request.speculation == "auto"]
        for outcome in free:
            self.certainties.observe(outcome.sequence, outcome.row)
        if free:
            self.passed += step.seconds
        if step.outcomes and not step.prefilling:
            said = sum(1 + outcome.held for outcome in step.outcomes)
            self._tokens = self._tokens * _MEMORY + said
            self._seconds = self._seconds * _MEMORY + step.seconds

    def _rows_of_the_last(self, step: Step) -> int:
        """The last step of an answer, in which nobody guesses, needs no other number of rows."""
        if not self.costs.change or len(step.outcomes) != 1 or step.prefilling:
            return 0
        sequence = step.outcomes[0].sequence
        free = sequence.request.speculation == "auto" and not sequence.finish_reason
        return self.steady.stride.rows if free and sequence.room == 1 else 0
