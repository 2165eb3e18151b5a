"""The policy that guesses only where it pays, and as far as it pays.

It says which steps are worth a look for guesses (`attention`), whom to ask (`asking`), and how many
of the guesses the target sees (`weighing`); where another number of rows costs much, it decides for
many steps together (`steady`). What it goes by (`knowledge`) it learns from every step. When all
steps have guesses, two without them now and then keep it known what plain decoding takes.
"""

import time
from collections.abc import Callable
from collections.abc import Sequence as Many

from localspec.decoding.draft import Draft
from localspec.decoding.sequence import Sequence
from localspec.drafters.base import Ask, Drafter
from localspec.governor import asking
from localspec.governor.attention import Attention
from localspec.governor.costs import Costs
from localspec.governor.doubt import Doubt, doubt
from localspec.governor.knowledge import Knowledge
from localspec.governor.policy import Step, Wish
from localspec.governor.steady import FORESIGHT
from localspec.governor.trial import Trial
from localspec.governor.weighing import Weighing

__all__ = ["Governor"]


class Governor:
    """Chooses drafter and length for every sequence and step, and learns from `observe`.

    `costs` may hold what an earlier run measured; the target's sequences have `own_cells` or not,
    and it is `asynchronous` or not; `clock` gives seconds.
    """

    def __init__(
        self,
        costs: Costs,
        *,
        own_cells: bool = False,
        asynchronous: bool = False,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self.known = known = Knowledge(costs, own_cells=own_cells)
        self.costs, self.books, self.steady = known.costs, known.books, known.steady
        self._asynchronous, self._clock = asynchronous, clock
        self._attention = Attention()
        self._depth = 0
        self._weighing: Weighing | None = None
        self._aside: Drafter | None = None  # to be asked while the target is at work

    def plain_rate(self, sequences: int = 1) -> float:
        """Tokens a second of plain decoding, at the pace of the moment; 0 while unknown."""
        return self.known.plain_rate(sequences, self._depth)

    def doubt(self, sequence: Sequence, drafter: str) -> Doubt | None:
        """What speaks against asking a drafter now; None where it is not known. For any thread."""
        book = self.books.get(drafter)
        if book is None:
            return None
        prices = self.known.prices([sequence], len(sequence))
        return doubt(sequence, book, prices, book.proposal(1) * self.costs.pace)

    def looks(self, sequences: Many[Sequence]) -> bool:
        """Whether the next step is worth a look for guesses."""
        if len(sequences) == 1 and _begins(sequences[0]):
            self._attention.wake()
        if self._attention.due() or (self.costs.change and self.steady.stride.rows > 1):
            return True  # of a stride of several rows, what there is decides how many
        return any(sequence.request.speculation != "auto" for sequence in sequences)

    def draft(self, wishes: Many[Wish], drafters: Many[Drafter]) -> list[Draft]:
        """The guesses that are worth the target's look."""
        began = self._clock()
        weighing = self._weighing = Weighing(self.known, wishes, self._clock)
        self._depth = weighing.depth
        coasting = self.steady.coasts(wishes)
        if coasting:
            return self._coast(weighing, coasting)
        free = [t for t in weighing.trials if t.wish.sequence.request.speculation == "auto"]
        fixed = [
            t for t in weighing.trials if t.wish.sequence.request.speculation not in ("auto", 0)
        ]
        weighing.propose(drafters[0], fixed)
        if free and not self.costs.due:
            for drafter in sorted(drafters, key=lambda d: self.known.book(d).proposal(1)):
                wanted = [t for t in free if self._is_wanted(weighing, t, drafter, len(free))]
                weighing.propose(drafter, wanted)
            weighing.share_out(free)
            if self.costs.change and weighing.alone:
                self.steady.settle(free[0], weighing.prices, self._depth, drafters)
            self._account(weighing, (self._clock() - began) / self.costs.pace, drafters)
        return weighing.drafts

    def _is_wanted(self, weighing: Weighing, trial: Trial, drafter: Drafter, company: int) -> bool:
        """Whether a drafter should guess now; `company` sequences share the cost of asking."""
        first = drafter.peek(trial.wish.sequence)
        if first is not None:
            book = self.known.book(drafter)
            book.free = True
            return asking.is_promising(weighing, trial, book, first, company)
        if not (self.costs.change and weighing.alone):
            return asking.has_been_worth_it(weighing, trial, drafter, company)
        wanted = asking.is_worth_its_rows(weighing, trial, drafter)
        if wanted and self._asynchronous and self.steady.stride.rows == 1:
            self._aside = drafter
            return False
        return wanted

    def _coast(self, weighing: Weighing, drafter: Drafter) -> list[Draft]:
        """Guess as in the step before."""
        (trial,), book, start = weighing.trials, self.known.book(drafter), self._clock()
        backlog = drafter.backlog(trial.wish.sequence)
        self.steady.coast(trial, drafter, book)
        if trial.length:
            weighing.pay(book, self._clock() - start, trial.length, backlog)
            rate = self.known.rate(1, self._depth)
            self.steady.learn(trial, book, rate, self._depth)
        return weighing.drafts

    def _account(self, weighing: Weighing, seconds: float, drafters: Many[Drafter]) -> None:
        """What came before a pass took so long, at a pace of 1, and led to guesses or to none."""
        trials = weighing.trials
        found = any(trial.length for trial in trials)
        asked = any(not book.free for trial in trials for book in trial.asked)
        if asked and weighing.alone:
            self.steady.decided(seconds - weighing.drafting / self.costs.pace)
        if not found and self._is_reading(trials, drafters):
            return
        if not (found or asked):
            self._attention.took(seconds + max(0.0, self.costs.distraction))
        step = self.costs.step(len(trials), self._depth) / self.costs.pace
        self._attention.found(found, step)

    def _is_reading(self, trials: Many[Trial], drafters: Many[Drafter]) -> bool:
        """Whether who guesses for nothing still reads a long text, and cannot say anything yet."""
        return any(
            self.known.book(drafter).free and drafter.backlog(trial.wish.sequence)
            for drafter in drafters
            for trial in trials
        )

    def meanwhile(self, sequences: Many[Sequence], drafters: Many[Drafter]) -> None:
        """Ask who is asked only to see; have a prompt read by those who may be asked soon."""
        weighing = self._weighing
        if weighing and self._aside:
            drafter, self._aside = self._aside, None
            weighing.propose(drafter, weighing.trials)
            self.steady.saw(weighing.trials[0], weighing.prices.rate, self._depth)
        elif len(sequences) == 1 and sequences[0].backlog > 1:
            for drafter in drafters:
                self._look_ahead(drafter, sequences[0])

    def _look_ahead(self, drafter: Drafter, sequence: Sequence) -> None:
        """Have a drafter read a prompt, and begin an answer of its own, which is not used."""
        wanted = sequence.request.speculation
        if not wanted or drafter.peek(sequence) is not None:
            return
        if wanted == "auto" and not self.steady.stride.promising:
            return
        length = min(FORESIGHT, sequence.room)
        (draft,) = drafter.propose([Ask(sequence, length, lambda draft: True)])
        drafter.truncate(sequence.slot, len(sequence))
        if draft:
            self.steady.foresee(sequence, draft)

    def observe(self, step: Step) -> None:
        """Learn what things cost and which guesses were right."""
        self._depth = step.depth
        self.known.observe(step)
        if self._weighing:
            self._weighing.learn(step)
        self._weighing = self._aside = None


def _begins(sequence: Sequence) -> bool:
    """Whether its text does: no more than what followed the prompt has been said."""
    return len(sequence) <= len(sequence.request.prompt) + 1
