"""One step's guesses being weighed: who guessed what, what is looked at, what came of it.

A step that looks at k guesses of survival S_1 ≥ S_2 ≥ … gives 1 + ΣS_i tokens and takes the time
of k + 1 rows plus that of drafting. Time is worth `rate` tokens a second: what is being reached
now. Of all lengths, 0 among them, the one with the highest tokens - rate * time is taken, and
since the rate follows what is reached, that length comes to be the one with the most tokens per
second (Dinkelbach 1967, for ratios).
"""

from collections.abc import Callable
from collections.abc import Sequence as Many
from functools import cached_property, partial

from localspec.decoding.draft import Draft
from localspec.drafters.base import Ask, Drafter
from localspec.governor import sharing
from localspec.governor.book import Book
from localspec.governor.knowledge import Knowledge
from localspec.governor.policy import Step, Wish
from localspec.governor.prices import Prices
from localspec.governor.steady import HELD_UP
from localspec.governor.trial import Proposal, Trial

__all__ = ["Weighing"]


class Weighing:
    """Of a step for these wishes; `clock` gives seconds."""

    def __init__(self, known: Knowledge, wishes: Many[Wish], clock: Callable[[], float]) -> None:
        self.known, self._clock = known, clock
        self.trials = [Trial(wish) for wish in wishes]
        self.depth = max(len(wish.sequence) for wish in wishes)
        self.drafting = 0.0
        """Seconds that went into drafting."""

    @property
    def alone(self) -> bool:
        """Whether one sequence decodes alone."""
        return len(self.trials) == 1

    @cached_property
    def prices(self) -> Prices:
        """Of guesses in this step."""
        return self.known.prices([trial.wish.sequence for trial in self.trials], self.depth)

    @property
    def drafts(self) -> list[Draft]:
        """What goes to the target, for each wish."""
        return [trial.looked_at for trial in self.trials]

    def propose(self, drafter: Drafter, trials: Many[Trial]) -> None:
        """Have a drafter guess for some of the sequences, as far as that is wanted or pays."""
        if not trials:
            return
        book, pace = self.known.book(drafter), self.known.costs.pace
        cost = book.proposal.each * pace / len(trials)
        proposals = [Proposal(Draft(), book.calibration(t.wish.sequence)) for t in trials]
        backlog = max(drafter.backlog(t.wish.sequence) for t in trials)
        start = self._clock()
        asks = [self._ask(t, p, cost) for t, p in zip(trials, proposals, strict=True)]
        drafts = drafter.propose(asks)
        seconds = self._clock() - start
        self.drafting += seconds
        self.pay(book, seconds, max(len(draft) for draft in drafts), backlog)
        for trial, proposal, draft in zip(trials, proposals, drafts, strict=True):
            proposal.update(draft)
            self._consider(trial, proposal, book, book.proposal(len(draft)) / len(trials))
            trial.asked.append(book)
            trial.spent += book.proposal(len(draft)) + book.reading(backlog)

    def pay(self, book: Book, seconds: float, guesses: int, backlog: int) -> None:
        """Drafting took so long."""
        pace, step = self.known.costs.pace, self.known.costs.step(1, self.depth)
        book.paid(seconds / pace, guesses, backlog, step / pace)

    def _ask(self, trial: Trial, proposal: Proposal, cost: float) -> Ask:
        """For so many guesses as were wished for, or while longer ones, which take `cost` seconds
        each, promise more than the ones there are.
        """
        sequence, limit = trial.wish
        wanted = sequence.request.speculation
        hint = trial.chosen.draft.tokens if trial.chosen else []
        if wanted != "auto":
            return Ask(sequence, min(limit, wanted), lambda draft: True, hint)
        return Ask(sequence, limit, partial(self._pays_more, proposal, limit, cost), hint)

    def _pays_more(self, proposal: Proposal, limit: int, cost: float, draft: Draft) -> bool:
        proposal.update(draft)
        survivals = proposal.survivals
        if not survivals:
            return True  # whether to ask at all has been decided
        best, _ = self.prices.best(survivals)
        return self.prices.outlook(survivals, proposal.calibration.next_chance, limit, cost) > best

    def _consider(self, trial: Trial, proposal: Proposal, book: Book, seconds: float) -> None:
        """Prefer the proposal, which took `seconds`, to the one chosen so far, where it is worth
        more.
        """
        sequence, guesses = trial.wish.sequence, len(proposal.draft)
        if guesses:
            trial.proposals.append(proposal)
        if sequence.request.speculation != "auto":
            trial.chosen, trial.length = proposal, guesses
            return
        value, length = self.prices.best(proposal.survivals)
        if self.alone:
            self._was_worth(trial, book, value, seconds)
        else:  # to be told when it has been decided who is looked at
            trial.costs[book] = seconds
        if trial.chosen and guesses and trial.chosen.draft.tokens[0] != proposal.draft.tokens[0]:
            trial.value = 0.0  # who was asked later, and for more, knows better
            trial.chosen, trial.length = None, 0
        if value > trial.value:
            trial.chosen, trial.value, trial.length = proposal, value, length

    def _was_worth(self, trial: Trial, book: Book, value: float, seconds: float) -> None:
        """Asking took `seconds` and gave guesses worth `value` tokens."""
        sequence = trial.wish.sequence
        worth = value - self.prices.rate * seconds * self.known.costs.pace
        own = book.worth(sequence, len(self.trials))
        own.observe(worth, self.known.certainties.level(sequence), len(sequence))
        if worth > 0:  # it was no waste
            book.probed -= trial.probes.pop(book, 0.0)

    def share_out(self, trials: Many[Trial]) -> None:
        """Where several sequences decode together, spend rows where they buy most."""
        if self.alone:
            return
        chosen = {t.wish.sequence.slot: t.chosen.survivals for t in trials if t.chosen}
        if self.known.own_cells:
            slots = [trial.wish.sequence.slot for trial in self.trials]
            costs = self.known.costs
            value, lengths = sharing.passes(
                slots,
                chosen,
                self.prices.rate,
                lambda rows: costs.step(rows, self.depth),
                costs.overhead_of_guesses,
            )
        else:
            value, lengths = sharing.rows(chosen, self.prices)
        for trial in trials:
            trial.length = lengths.get(trial.wish.sequence.slot, 0)
        self._credit(trials, value)

    def _credit(self, trials: Many[Trial], value: float) -> None:
        """Tell those who were asked what came of it: of all guesses together, which are worth
        `value`, each has its part by the tokens that it gives; what nobody looks at is worth none.
        """
        gains = [sum(trial.survivals[: trial.length]) for trial in trials]
        each = value / sum(gains) if any(gains) else 0.0
        for trial, gain in zip(trials, gains, strict=True):
            for book, seconds in trial.costs.items():
                guessed = trial.chosen and self.known.books[trial.chosen.draft.drafter] is book
                self._was_worth(trial, book, each * gain if guessed else 0.0, seconds)

    def learn(self, step: Step) -> None:
        """The step was taken: compare what was guessed and promised with what came of it."""
        if self.alone and not step.prefilling:
            self._compare(self.trials[0], step)
        for trial in self.trials:
            sequence = trial.wish.sequence
            tokens = sequence.tokens[trial.base :]
            for proposal in trial.proposals:
                self.known.books[proposal.draft.drafter].learn(sequence, proposal.draft, tokens)

    def _compare(self, trial: Trial, step: Step) -> None:
        """What asking promised, and what came of it: what nothing else explains is remembered."""
        sequence, costs = trial.wish.sequence, self.known.costs
        if trial.asked and not costs.change and sequence.request.speculation == "auto":
            rate, spent = self.prices.rate, trial.spent * costs.pace
            price = self.prices.of(trial.length) + rate * spent
            paid = rate * (step.seconds - costs.step(1, step.depth))
            gained = len(sequence) - trial.base - 1 - min(paid, HELD_UP * price)
            for book in trial.asked:
                book.surprised(gained - (trial.value - rate * spent))
