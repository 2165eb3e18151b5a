"""Whether to ask a drafter for guesses.

One whose first guess is known for nothing is taken up on it where it is a sure one; where not,
what the target says next shows for free what it would have been worth. One that must be asked is
asked where that has been worth it (`worth`), and else now and then, to see, within a quarter of a
percent of the time.
"""

from localspec.decoding.draft import Draft
from localspec.drafters.base import Drafter
from localspec.governor.book import Book
from localspec.governor.trial import Proposal, Trial
from localspec.governor.weighing import Weighing

__all__ = ["has_been_worth_it", "is_promising", "is_worth_its_rows"]

_REST = 4  # tokens before it is considered again whether to ask
_AT_LEAST = 2  # tokens over which reading a backlog must pay for itself, whatever was said
_PROMISE = 0.25  # of what asking takes, which it must promise beyond that
_PROBES_AT_ONCE = 4.0  # steps' worth of asking just to see
_MARGIN = 0.02  # tokens a step that asking must promise: what is nearly even is not worth a risk


def is_promising(weighing: Weighing, trial: Trial, book: Book, first: Draft, company: int) -> bool:
    """Whether a draft whose first guess is known is worth going on with; if not, what the target
    says next shows for free what it would have been worth.
    """
    if not first:
        return False
    prices = weighing.prices
    cost = book.proposal(1) * weighing.known.costs.pace / company
    proposal = Proposal(Draft(), book.calibration(trial.wish.sequence))
    proposal.update(first)
    survival, next_one = proposal.survivals[0], proposal.calibration.next_chance
    if survival / (1 - min(next_one, 0.95)) > prices.of(1):  # else no length can pay
        best, _ = prices.best(proposal.survivals)
        more = prices.outlook(proposal.survivals, next_one, trial.wish.limit, cost)
        if max(best, more) + book.surprise > trial.value:
            return True
    trial.proposals.append(proposal)
    return False


def has_been_worth_it(weighing: Weighing, trial: Trial, drafter: Drafter, company: int) -> bool:
    """Whether asking pays by what it has been worth, or it is time to see. `company` sequences
    share the cost of asking.
    """
    known, sequence = weighing.known, trial.wish.sequence
    costs, book = known.costs, known.book(drafter)
    own = book.worth(sequence, len(weighing.trials))
    if len(sequence) < own.rests_until:
        return False
    cost = book.proposal(1) * costs.pace / company
    worth = own.estimate(known.certainties.level(sequence), len(sequence)) + book.surprise
    reading, rate = book.reading(drafter.backlog(sequence)) * costs.pace, weighing.prices.rate
    gain = worth - trial.value - _MARGIN - _PROMISE * rate * cost
    if gain * trial.ahead(_AT_LEAST) > rate * reading:
        return True
    saved = _PROBES_AT_ONCE * costs.step(1, weighing.depth)
    whole = cost * company + reading  # others may not be asked
    if not book.probes(whole, known.passed, saved):
        own.rests_until = len(sequence) + _REST
        return False
    trial.probes[book] = whole
    return True


def is_worth_its_rows(weighing: Weighing, trial: Trial, drafter: Drafter) -> bool:
    """The same where another number of rows costs much: whether guesses are wanted for the rows
    that steps have, or it is time to see.
    """
    known, sequence = weighing.known, trial.wish.sequence
    book, steady = known.book(drafter), known.steady
    if steady.is_worth_asking(sequence, book, weighing.prices.rate):
        return True
    seconds = book.proposal(1) + book.reading(drafter.backlog(sequence)) + steady.deciding
    cost = seconds * known.costs.pace
    if not book.probes(cost, known.passed, max(cost, known.costs.step(1, weighing.depth))):
        return False
    steady.stride.probed()
    return True
