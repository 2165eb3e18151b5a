"""The policy that guesses only where it pays, and as far as it pays.

A step that looks at k guesses of survival S_1 ≥ S_2 ≥ … gives 1 + ΣS_i tokens and takes the time
of k + 1 rows plus that of drafting. Time is worth `rate` tokens a second: what is being reached
now. Of all lengths, 0 among them, the one with the highest tokens - rate * time is taken, and
since the rate follows what is reached, that length comes to be the one with the most tokens per
second (Dinkelbach 1967, for ratios).

A drafter whose first guess is known for nothing is taken up on it where it is a sure one; where
not, what the target says next shows for free what it would have been worth. One that must be
asked is asked where that has been worth it (`worth`), and else now and then, within a quarter of a
percent of the time. When all steps have guesses, two without them now and then keep it known what
plain decoding takes.
"""

import time
from collections.abc import Callable
from collections.abc import Sequence as Many

from localspec.decoding.draft import Draft
from localspec.decoding.sequence import Sequence
from localspec.drafters.base import Ask, Drafter
from localspec.governor import sharing
from localspec.governor.attention import Attention
from localspec.governor.book import Book
from localspec.governor.certainty import Certainties
from localspec.governor.costs import Costs
from localspec.governor.doubt import Doubt, doubt
from localspec.governor.policy import Step, Wish
from localspec.governor.prices import Prices
from localspec.governor.steady import FORESIGHT, HELD_UP, Steady
from localspec.governor.trial import Proposal, Trial

__all__ = ["Governor"]

_MEMORY = 0.98  # how much of the rate a step leaves
_REST = 4  # tokens before it is considered again whether to ask
_AT_LEAST = 2  # tokens over which reading a backlog must pay for itself, whatever was said
_PROMISE = 0.25  # of what asking takes, which it must promise beyond that
_PROBES_AT_ONCE = 4.0  # steps' worth of asking just to see
_MARGIN = 0.02  # tokens a step that asking must promise: what is nearly even is not worth a risk


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
        self.costs = costs
        self._own_cells, self._asynchronous = own_cells, asynchronous
        self.books: dict[str, Book] = {}
        self._clock = clock
        self._tokens = self._seconds = 0.0
        self._depth = 0
        self._attention = Attention()
        self._passed = 0.0  # seconds of all steps in which it was free to ask
        self._prices = Prices(costs, 1, 0, 0.0)
        self._drafting = 0.0  # seconds of this step
        self.steady = Steady(costs)
        self._trials: list[Trial] = []
        self._aside: Drafter | None = None  # to be asked while the target is at work
        self._certainties = Certainties()

    def plain_rate(self, sequences: int = 1) -> float:
        """Tokens a second of plain decoding, at the pace of the moment; 0 while unknown."""
        seconds = self.costs.step(sequences, self._depth)
        return sequences / seconds if seconds else 0.0

    def fold(self, pace: float) -> None:
        """Take so much of the pace of the moment for the computer's own."""
        self.costs.fold(pace)
        for book in self.books.values():
            book.fold(pace)

    def doubt(self, sequence: Sequence, drafter: str) -> Doubt | None:
        """What speaks against asking a drafter now; None where it is not known. For any thread."""
        book = self.books.get(drafter)
        if book is None:
            return None
        prices = Prices(self.costs, 1, len(sequence), self._rate(1))
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
        began, self._drafting = self._clock(), 0.0
        self._depth = max(len(wish.sequence) for wish in wishes)
        self._trials = [Trial(wish) for wish in wishes]
        coasting = self.steady.coasts(wishes)
        if coasting:
            return [self._coast(self._trials[0], coasting)]
        self._prices = self._price([wish.sequence for wish in wishes])
        free = [t for t in self._trials if t.wish.sequence.request.speculation == "auto"]
        fixed = [t for t in self._trials if t.wish.sequence.request.speculation not in ("auto", 0)]
        self._propose(drafters[0], fixed, self._ask_fixed)
        alone = len(self._trials) == len(free) == 1
        if free and not self.costs.due:
            for drafter in sorted(drafters, key=lambda drafter: self._book(drafter).proposal(1)):
                wanted = [t for t in free if self._is_worth_asking(drafter, t, len(free))]
                self._propose(drafter, wanted, self._ask_while_it_pays)
            self._share_out(free)
            if self.costs.change and alone:
                self.steady.settle(free[0], self._prices, self._depth, drafters)
            self._account((self._clock() - began) / self.costs.pace, alone, drafters)
        return [trial.looked_at for trial in self._trials]

    def _account(self, seconds: float, alone: bool, drafters: Many[Drafter]) -> None:
        """What came before a pass took so long, at a pace of 1, and led to guesses or to none."""
        found = any(trial.length for trial in self._trials)
        asked = any(not book.free for trial in self._trials for book in trial.asked)
        if asked and alone:
            self.steady.decided(seconds - self._drafting / self.costs.pace)
        if not found and self._is_reading(drafters):
            return
        if not (found or asked):
            self._attention.took(seconds + max(0.0, self.costs.distraction))
        step = self.costs.step(len(self._trials), self._depth) / self.costs.pace
        self._attention.found(found, step)

    def _is_reading(self, drafters: Many[Drafter]) -> bool:
        """Whether who guesses for nothing still reads a long text, and cannot say anything yet."""
        return any(
            self._book(drafter).free and drafter.backlog(trial.wish.sequence)
            for drafter in drafters
            for trial in self._trials
        )

    def _coast(self, trial: Trial, drafter: Drafter) -> Draft:
        """Guess as in the step before."""
        book, start = self._book(drafter), self._clock()
        backlog = drafter.backlog(trial.wish.sequence)
        self.steady.coast(trial, drafter, book)
        if trial.length:
            self._pay(book, self._clock() - start, trial.length, backlog)
            self.steady.learn(trial, book, self._rate(1), self._depth)
        return trial.looked_at

    def _pay(self, book: Book, seconds: float, guesses: int, backlog: int) -> None:
        step = self.costs.step(1, self._depth)
        book.paid(seconds / self.costs.pace, guesses, backlog, step / self.costs.pace)

    def meanwhile(self, sequences: Many[Sequence], drafters: Many[Drafter]) -> None:
        """Ask who is asked only to see; have a prompt read by those who may be asked soon."""
        if self._aside:
            drafter, self._aside = self._aside, None
            self._propose(drafter, self._trials, self._ask_while_it_pays)
            self.steady.saw(self._trials[0], self._prices.rate, self._depth)
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
        self.costs.steady = self._rows_of_the_last(step)
        if step.prefilling or len(step.passes) != 1:
            self.costs.interrupted()
        else:
            overhead = step.seconds - step.target_seconds - step.draft_seconds
            plain = self._plain_rows([outcome.sequence for outcome in step.outcomes])
            self.costs.observe(
                step.rows, plain, step.target_seconds, overhead, self._depth, looked=step.looked
            )
        for sequence, *_, row in step.outcomes:
            if sequence.request.speculation == "auto":
                self._certainties.observe(sequence, row)
        if len(self._trials) == 1 and not step.prefilling:
            self._compare(self._trials[0], step)
        for trial in self._trials:
            sequence = trial.wish.sequence
            tokens = sequence.tokens[trial.base :]
            for proposal in trial.proposals:
                self.books[proposal.draft.drafter].learn(sequence, proposal.draft, tokens)
        if step.outcomes and not step.prefilling:
            said = sum(1 + outcome.held for outcome in step.outcomes)
            self._tokens = self._tokens * _MEMORY + said
            self._seconds = self._seconds * _MEMORY + step.seconds
        if any(outcome.sequence.request.speculation == "auto" for outcome in step.outcomes):
            self._passed += step.seconds
        self._trials, self._aside = [], None

    def _rows_of_the_last(self, step: Step) -> int:
        """The last step of an answer, in which nobody guesses, needs no other number of rows."""
        if not self.costs.change or len(step.outcomes) != 1 or step.prefilling:
            return 0
        sequence = step.outcomes[0].sequence
        free = sequence.request.speculation == "auto" and not sequence.finish_reason
        return self.steady.stride.rows if free and sequence.room == 1 else 0

    def _compare(self, trial: Trial, step: Step) -> None:
        """What asking promised, and what came of it: what nothing else explains is remembered."""
        if (
            trial.asked
            and not self.costs.change
            and trial.wish.sequence.request.speculation == "auto"
        ):
            rate, spent = self._prices.rate, trial.spent * self.costs.pace
            price = self._prices.of(trial.length) + rate * spent
            paid = rate * (step.seconds - self.costs.step(1, self._depth))
            gained = len(trial.wish.sequence) - trial.base - 1 - min(paid, HELD_UP * price)
            for book in trial.asked:
                book.surprised(gained - (trial.value - rate * spent))

    def _book(self, drafter: Drafter) -> Book:
        if drafter.name not in self.books:
            self.books[drafter.name] = Book(self.costs.change)
        return self.books[drafter.name]

    def _rate(self, sequences: int) -> float:
        """Tokens a second that time is worth: what is reached, and plain decoding at the least."""
        reached = self._tokens / self._seconds if self._seconds else 0.0
        return max(reached, self.plain_rate(sequences))

    def _plain_rows(self, sequences: Many[Sequence]) -> int:
        """Rows of a step without guesses: with cells of their own, those of idle slots between."""
        slots = [sequence.slot for sequence in sequences]
        return max(slots) - min(slots) + 1 if self._own_cells else len(slots)

    def _price(self, sequences: Many[Sequence]) -> Prices:
        several = len(sequences) if self._own_cells and len(sequences) > 1 else 0
        plain, rate = self._plain_rows(sequences), self._rate(len(sequences))
        steady = self.steady.stride.rows if self.costs.change and len(sequences) == 1 else 0
        return Prices(self.costs, plain, self._depth, rate, sharing=several, steady=steady)

    def _is_worth_asking(self, drafter: Drafter, trial: Trial, company: int) -> bool:
        """Whether a drafter should guess now: its first guess is a sure one, or it has been worth
        asking, or it is time to see. `company` sequences share the cost of asking.
        """
        book, sequence = self._book(drafter), trial.wish.sequence
        cost = book.proposal(1) * self.costs.pace / company
        known = drafter.peek(sequence)
        if known is not None:
            book.free = True
            return bool(known) and self._is_promising(trial, book, known, cost)
        if self.costs.change and len(self._trials) == 1:
            steadily = self.steady.is_worth_asking(sequence, book, self._prices.rate)
            wanted = steadily or self._is_time_to_see(drafter, trial, book)
            if wanted and self._asynchronous and self.steady.stride.rows == 1:
                self._aside = drafter
                return False
            return wanted
        own = book.worth(sequence, len(self._trials))
        if len(sequence) < own.rests_until:
            return False
        worth = own.estimate(self._certainties.level(sequence), len(sequence)) + book.surprise
        reading = book.reading(drafter.backlog(sequence)) * self.costs.pace
        gain = worth - trial.value - _MARGIN - _PROMISE * self._prices.rate * cost
        if gain * trial.ahead(_AT_LEAST) > self._prices.rate * reading:
            return True
        saved = _PROBES_AT_ONCE * self.costs.step(1, self._depth)
        whole = cost * company + reading  # others may not be asked
        if not book.probes(whole, self._passed, saved):
            own.rests_until = len(sequence) + _REST
            return False
        trial.probes[book] = whole
        return True

    def _is_time_to_see(self, drafter: Drafter, trial: Trial, book: Book) -> bool:
        """Whether to ask just to see, where another number of rows costs much."""
        backlog = drafter.backlog(trial.wish.sequence)
        seconds = book.proposal(1) + book.reading(backlog) + self.steady.deciding
        cost = seconds * self.costs.pace
        if not book.probes(cost, self._passed, max(cost, self.costs.step(1, self._depth))):
            return False
        self.steady.stride.probed()
        return True

    def _is_promising(self, trial: Trial, book: Book, known: Draft, cost: float) -> bool:
        """Whether a draft whose first guess is known is worth going on with; if not, what the
        target says next shows for free what it would have been worth.
        """
        proposal = Proposal(Draft(), book.calibration(trial.wish.sequence))
        proposal.update(known)
        first, next_one = proposal.survivals[0], proposal.calibration.next_chance
        if first / (1 - min(next_one, 0.95)) > self._prices.of(1):  # else no length can pay
            best, _ = self._prices.best(proposal.survivals)
            more = self._prices.outlook(proposal.survivals, next_one, trial.wish.limit, cost)
            if max(best, more) + book.surprise > trial.value:
                return True
        trial.proposals.append(proposal)
        return False

    def _propose(
        self,
        drafter: Drafter,
        trials: Many[Trial],
        ask: Callable[[Trial, Proposal, float], Ask],
    ) -> None:
        if not trials:
            return
        book = self._book(drafter)
        cost = book.proposal.each * self.costs.pace / len(trials)
        proposals = [Proposal(Draft(), book.calibration(t.wish.sequence)) for t in trials]
        backlog = max(drafter.backlog(t.wish.sequence) for t in trials)
        start = self._clock()
        asks = [ask(t, p, cost) for t, p in zip(trials, proposals, strict=True)]
        hints = [trial.chosen.draft.tokens if trial.chosen else [] for trial in trials]
        drafts = drafter.propose(
            [a._replace(hint=hint) for a, hint in zip(asks, hints, strict=True)]
        )
        seconds = self._clock() - start
        self._drafting += seconds
        self._pay(book, seconds, max(len(draft) for draft in drafts), backlog)
        for trial, proposal, draft in zip(trials, proposals, drafts, strict=True):
            proposal.update(draft)
            self._consider(trial, proposal, book, book.proposal(len(draft)) / len(trials))
            trial.asked.append(book)
            trial.spent += book.proposal(len(draft)) + book.reading(backlog)

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
        value, length = self._prices.best(proposal.survivals)
        if len(self._trials) == 1:
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
        worth = value - self._prices.rate * seconds * self.costs.pace
        own = book.worth(sequence, len(self._trials))
        own.observe(worth, self._certainties.level(sequence), len(sequence))
        if worth > 0:  # it was no waste
            book.probed -= trial.probes.pop(book, 0.0)

    def _ask_fixed(self, trial: Trial, proposal: Proposal, cost: float) -> Ask:
        wanted = trial.wish.sequence.request.speculation
        assert wanted != "auto"
        return Ask(trial.wish.sequence, min(trial.wish.limit, wanted), lambda draft: True)

    def _ask_while_it_pays(self, trial: Trial, proposal: Proposal, cost: float) -> Ask:
        """Go on for as long as longer guesses, which take `cost` seconds each, promise more than
        the ones there are.
        """
        limit = trial.wish.limit

        def more(draft: Draft) -> bool:
            proposal.update(draft)
            survivals = proposal.survivals
            if not survivals:
                return True  # whether to ask at all has been decided
            chance = proposal.calibration.next_chance
            best, _ = self._prices.best(survivals)
            return self._prices.outlook(survivals, chance, limit, cost) > best

        return Ask(trial.wish.sequence, limit, more)

    def _share_out(self, trials: Many[Trial]) -> None:
        """Where several sequences decode together, spend rows where they buy most."""
        if len(self._trials) == 1:
            return
        chosen = {t.wish.sequence.slot: t.chosen.survivals for t in trials if t.chosen}
        if self._own_cells:
            slots = [trial.wish.sequence.slot for trial in self._trials]
            value, lengths = sharing.passes(
                slots,
                chosen,
                self._prices.rate,
                lambda rows: self.costs.step(rows, self._depth),
                self.costs.overhead_of_guesses,
            )
        else:
            value, lengths = sharing.rows(chosen, self._prices)
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
                guessed = trial.chosen and self.books[trial.chosen.draft.drafter] is book
                self._was_worth(trial, book, each * gain if guessed else 0.0, seconds)


def _begins(sequence: Sequence) -> bool:
    """Whether its text does: no more than what followed the prompt has been said."""
    return len(sequence) <= len(sequence.request.prompt) + 1
