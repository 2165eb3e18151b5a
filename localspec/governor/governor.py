"""The policy that guesses only where it pays, and as far as it pays.

A step that looks at k guesses of survival S_1 ≥ S_2 ≥ … gives 1 + ΣS_i tokens and takes the time
of k + 1 rows plus that of drafting. Time is worth `rate` tokens a second: what is being reached
now. Of all lengths, 0 among them, the one with the highest tokens - rate * time is taken, and
since the rate follows what is reached, that length comes to be the one with the most tokens per
second (Dinkelbach 1967, for ratios). All lengths are compared, as V(n) has cliffs: a fourth row
can cost less than a third.

A drafter that costs next to nothing is always asked, also where nobody will look at its guess:
what the target says next shows for free what it would have been worth. One that costs something
and does not pay is asked now and then, within half a percent of the time.
"""

import time
from collections.abc import Callable
from collections.abc import Sequence as Many

from localspec.decoding.draft import Draft
from localspec.drafters.base import Ask, Drafter
from localspec.governor.book import Book
from localspec.governor.costs import Costs
from localspec.governor.policy import Step, Wish
from localspec.governor.trial import Proposal, Trial

__all__ = ["Governor"]

_PROBE_SHARE = 0.005  # of all time may go into asking drafters that do not pay
_CHEAP = 0.003  # of a plain step: who takes less for a guess is always asked
_MEMORY = 0.95  # how much of the rate a step leaves
_HORIZON = 64  # tokens over which reading a backlog must pay for itself
_MARGIN = 0.04  # tokens a step that asking must promise: what is nearly even is not worth a risk
_HOPELESS = 0.02  # a guess less likely to be reached is not worth making


class Governor:
    """Chooses drafter and length for every sequence and step, and learns from `observe`.

    `costs` may hold what an earlier run measured; `clock` gives seconds.
    """

    def __init__(self, costs: Costs, clock: Callable[[], float] = time.perf_counter) -> None:
        self.costs = costs
        self.books: dict[str, Book] = {}
        self._clock = clock
        self._tokens = self._seconds = 0.0
        self._credit = 0.0
        self._depth = 0
        self._plain_seconds = 0.0
        self._trials: list[Trial] = []

    def plain_rate(self, sequences: int = 1) -> float:
        """Tokens a second of plain decoding, at the pace of the moment; 0 while unknown."""
        seconds = self.costs.step(sequences, self._depth)
        return sequences / seconds if seconds else 0.0

    def draft(self, wishes: Many[Wish], drafters: Many[Drafter]) -> list[Draft]:
        """The guesses that are worth the target's look."""
        self._depth = max(len(wish.sequence) for wish in wishes)
        self._trials = [Trial(wish) for wish in wishes]
        self._plain_seconds = self.costs.step(1, self._depth)
        free = [t for t in self._trials if t.wish.sequence.request.speculation == "auto"]
        fixed = [t for t in self._trials if t.wish.sequence.request.speculation not in ("auto", 0)]
        self._propose(drafters[0], fixed, self._ask_fixed)
        for drafter in sorted(drafters, key=lambda drafter: self._book(drafter).seconds):
            wanted = [t for t in free if self._is_worth_asking(drafter, t)]
            self._propose(drafter, wanted, self._ask_while_it_pays)
        self._share_out(free)
        return [trial.looked_at for trial in self._trials]

    def observe(self, step: Step) -> None:
        """Learn what things cost and which guesses were right."""
        self._depth = step.depth
        overhead = step.seconds - step.target_seconds - step.draft_seconds
        if not step.prefilling:
            self.costs.observe(step.rows, step.target_seconds, overhead, self._depth)
            self._credit += _PROBE_SHARE * step.seconds
        said = 0
        for trial in self._trials:
            sequence = trial.wish.sequence
            tokens = sequence.tokens[trial.base :]
            said += len(tokens)
            for proposal in trial.proposals:
                self.books[proposal.draft.drafter].learn(sequence, proposal.draft, tokens)
        if len(self._trials) == 1 and not step.prefilling:
            self._compare(self._trials[0], said, step.seconds)
        if said and not step.prefilling:
            self._tokens = self._tokens * _MEMORY + said
            self._seconds = self._seconds * _MEMORY + step.seconds
        self._trials = []

    def _compare(self, trial: Trial, said: int, seconds: float) -> None:
        """What was promised for asking a drafter, and what came of it: the books remember."""
        extra = seconds - self._plain_seconds
        value = said - 1 - self._rate * extra
        for name, promised in trial.promises.items():
            self.books[name].surprised(value - promised)

    def _book(self, drafter: Drafter) -> Book:
        return self.books.setdefault(drafter.name, Book())

    @property
    def _rate(self) -> float:
        """Tokens a second that time is worth: what is reached, and plain decoding at the least."""
        reached = self._tokens / self._seconds if self._seconds else 0.0
        return max(reached, self.plain_rate(len(self._trials)))

    def _price(self, guesses: int) -> float:
        """What looking at `guesses` more rows costs, in tokens."""
        plain = len(self._trials)
        return self._rate * self.costs.extra(plain + guesses, plain, self._depth)

    def _best(self, survivals: Many[float]) -> tuple[float, int]:
        """The most valuable number of guesses to look at, and its value in tokens."""
        best, length, gain = 0.0, 0, 0.0
        for i, survival in enumerate(survivals, start=1):
            gain += survival
            value = gain - self._price(i)
            if value > best:
                best, length = value, i
        return best, length

    def _outlook(self, survivals: Many[float], chance: float, limit: int, cost: float) -> float:
        """The value of the best length beyond what is guessed, if guesses go on as expected."""
        best, gain = -1.0, sum(survivals)
        survival = survivals[-1] if survivals else 1.0
        for i in range(len(survivals) + 1, limit + 1):
            survival *= chance
            gain += survival
            drafting = self._rate * cost * (i - len(survivals))
            best = max(best, gain - self._price(i) - drafting)
            if survival < _HOPELESS:
                break
        return best

    def _is_worth_asking(self, drafter: Drafter, trial: Trial) -> bool:
        """Whether a drafter should guess now: it is cheap, or it pays, or it is time to see."""
        book, sequence = self._book(drafter), trial.wish.sequence
        if book.seconds <= _CHEAP / max(self.plain_rate(), 1e-9):
            return True
        backlog = drafter.backlog(sequence)
        reading = book.seconds_to_read * backlog
        chance = book.calibration(sequence).next_chance
        outlook = self._outlook((), chance, trial.wish.limit, book.seconds) + book.surprise
        gain = outlook - trial.value - _MARGIN
        if gain * min(_HORIZON, sequence.room) > self._rate * reading:
            trial.promises[drafter.name] = outlook
            return True
        if self._credit < book.seconds + reading:
            return False
        self._credit -= book.seconds + reading
        return True

    def _propose(
        self, drafter: Drafter, trials: Many[Trial], ask: Callable[[Trial, Proposal, Book], Ask]
    ) -> None:
        if not trials:
            return
        book = self._book(drafter)
        proposals = [Proposal(Draft(), book.calibration(t.wish.sequence)) for t in trials]
        backlog = max(drafter.backlog(t.wish.sequence) for t in trials)
        start = self._clock()
        drafts = drafter.propose([ask(t, p, book) for t, p in zip(trials, proposals, strict=True)])
        seconds = self._clock() - start
        book.paid(seconds, max(len(draft) for draft in drafts), backlog)
        for trial, proposal, draft in zip(trials, proposals, drafts, strict=True):
            proposal.update(draft)
            if draft:
                trial.proposals.append(proposal)
                self._consider(trial, proposal)

    def _consider(self, trial: Trial, proposal: Proposal) -> None:
        """Prefer the proposal to the one chosen so far, where it is worth more."""
        if trial.wish.sequence.request.speculation != "auto":
            trial.chosen, trial.length = proposal, len(proposal.draft)
            return
        value, length = self._best(proposal.survivals)
        if value > trial.value:
            trial.chosen, trial.value, trial.length = proposal, value, length

    def _ask_fixed(self, trial: Trial, proposal: Proposal, book: Book) -> Ask:
        wanted = trial.wish.sequence.request.speculation
        assert wanted != "auto"
        return Ask(trial.wish.sequence, min(trial.wish.limit, wanted), lambda draft: True)

    def _ask_while_it_pays(self, trial: Trial, proposal: Proposal, book: Book) -> Ask:
        """Go on for as long as longer guesses promise more than the ones there are."""
        limit = trial.wish.limit

        def more(draft: Draft) -> bool:
            proposal.update(draft)
            survivals = proposal.survivals
            if not survivals:
                return True  # whether to ask at all has been decided
            chance = proposal.calibration.next_chance
            best, _ = self._best(survivals)
            return self._outlook(survivals, chance, limit, book.seconds) > best

        return Ask(trial.wish.sequence, limit, more)

    def _share_out(self, trials: Many[Trial]) -> None:
        """Where several sequences decode together, spend rows where they buy most."""
        if len(self._trials) == 1:
            return
        guesses = sorted(
            ((survival, t) for t in trials if t.chosen for survival in t.chosen.survivals),
            key=lambda guess: -guess[0],
        )
        _, length = self._best([survival for survival, _ in guesses])
        for trial in trials:
            trial.length = sum(1 for _, t in guesses[:length] if t is trial)
