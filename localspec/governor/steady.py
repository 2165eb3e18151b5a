"""One sequence's steps where another number of rows costs much: decided together, not one by one.

`Stride` says how many rows; then the draft is asked for guesses that fill them. On a fast GPU a
step takes three milliseconds, and to weigh what guesses are worth takes Python a fifth of that:
after a step that was weighed some more coast on like it, but for the first ones of a text. What
coasts is learnt from all the same, and ends where it teaches that other rows are better.

What a draft is only asked to see, it is asked while the target is at work; so is what it would
answer itself, while the target reads the prompt: how sure it is of that tells how a text begins.
"""

from bisect import bisect_right
from collections.abc import Sequence as Many
from typing import NamedTuple

from localspec.decoding.draft import Draft
from localspec.decoding.sequence import Sequence
from localspec.drafters.base import Ask, Drafter
from localspec.governor.book import Book
from localspec.governor.costs import Costs
from localspec.governor.policy import Wish
from localspec.governor.prices import Prices
from localspec.governor.stride import Stride
from localspec.governor.trial import Proposal, Trial

__all__ = ["FORESIGHT", "HELD_UP", "Steady"]

FORESIGHT = 12
"""Tokens of a drafter's own answer. Measured on 128 texts of 9 kinds: its mean confidence in them
and the share of its guesses that hold later correlate at 0.84 (0.78 for 4 tokens, 0.85 for 16), as
well as the first three guesses that it is asked for; at 0.69 over 7 kinds that are not its own."""
_SURE = (0.5, 0.6, 0.7, 0.8, 0.9)  # mean confidences that part kinds of text
_COAST = 8  # steps that go on like the one before
_KNOWN = 3  # steps of a text that are weighed first
_AT_LEAST = 32  # tokens over which a change must pay for itself, whatever was said
_GAIN = 0.1
HELD_UP = 2.0  # times what was expected: who takes longer was held up


class _Coasting(NamedTuple):
    """A sequence, who guesses for it, and for how many steps."""

    sequence: Sequence
    drafter: Drafter
    steps: int


class Steady:
    """What is to be known beside the costs. Seconds are at a pace of 1."""

    def __init__(self, costs: Costs) -> None:
        self.stride = Stride()
        self._costs = costs
        self.deciding = 0.0
        """What it takes to weigh a step in which somebody is asked, beside what drafters take."""
        self._coasting: _Coasting | None = None

    def coasts(self, wishes: Many[Wish]) -> Drafter | None:
        """Who guesses in this step without further thought."""
        coasting = self._coasting
        if not coasting or len(wishes) > 1 or wishes[0].sequence is not coasting.sequence:
            self._coasting = None
            return None
        steps = coasting.steps - 1
        self._coasting = coasting._replace(steps=steps) if steps else None
        return coasting.drafter

    def coast(self, trial: Trial, drafter: Drafter, book: Book) -> None:
        """As many guesses as there are rows for."""
        rows = self._costs.steady = self.stride.rows
        sequence, limit = trial.wish
        (draft,) = drafter.propose([Ask(sequence, min(rows - 1, limit), lambda draft: True)])
        if draft:
            proposal = Proposal(Draft(), book.calibration(sequence))
            proposal.update(draft)
            trial.proposals.append(proposal)
            trial.chosen, trial.length = proposal, len(draft)
        else:
            self._coasting = None

    def learn(self, trial: Trial, book: Book, rate: float, depth: int) -> None:
        """What a step that coasts is worth, where time is worth `rate` tokens a second; the next
        one is weighed where that speaks for other rows.
        """
        most = 1 + len(trial.survivals)
        self.stride.learn(self._values(trial.survivals, [book], rate, depth, most))
        if self.stride.moves(self._change(rate), trial.ahead(_AT_LEAST)):
            self._coasting = None

    def decided(self, seconds: float) -> None:
        """To decide about a step took so long, beside what drafters took."""
        seconds = min(seconds, HELD_UP * (self.deciding or seconds))
        self.deciding += _GAIN * (seconds - self.deciding)

    def foresee(self, sequence: Sequence, draft: Draft) -> None:
        """A text will begin, to which `draft` is what its drafter would say for itself: how sure it
        is of that is how well it guesses what the target says.
        """
        sure = sum(draft.confidences) / len(draft)
        self.stride.begin(sequence, bisect_right(_SURE, sure))

    def is_worth_asking(self, sequence: Sequence, book: Book, rate: float) -> bool:
        """Whether a drafter should guess: the rows are there, or it is a text's beginning. What
        asking was worth tells less than what many steps of so many rows were.
        """
        self.stride.begin(sequence)
        guess = book.proposal(1) * self._costs.pace
        return self.stride.wants(book.calibration(sequence).next_chance, rate * guess)

    def settle(self, trial: Trial, prices: Prices, depth: int, drafters: Many[Drafter]) -> None:
        """The rows of a step that was weighed, and of those after it."""
        stride, sequence = self.stride, trial.wish.sequence
        stride.begin(sequence)
        values = self._weigh(trial, prices.rate, depth)
        if trial.asked or not stride.useful:  # else it says nothing about what guesses are worth
            stride.learn(values)
        change = self._change(prices.rate)
        rows = self._costs.steady = stride.take(values, change, trial.ahead(_AT_LEAST))
        trial.length = min(len(trial.survivals), rows - 1)
        if trial.chosen and trial.asked and rows == stride.rows > 1 and stride.seen >= _KNOWN:
            self._go_on(sequence, trial.chosen.draft.drafter, drafters)

    def saw(self, trial: Trial, rate: float, depth: int) -> None:
        """Somebody was asked only to see what guesses would be worth; no rows are for them yet."""
        self.stride.learn(self._weigh(trial, rate, depth))
        trial.length = 0

    def _weigh(self, trial: Trial, rate: float, depth: int) -> list[float]:
        return self._values(trial.survivals, trial.asked, rate, depth, self._costs.longest)

    def _change(self, rate: float) -> float:
        """What another number of rows costs once, in tokens."""
        return rate * self._costs.change * self._costs.pace

    def _go_on(self, sequence: Sequence, name: str, drafters: Many[Drafter]) -> None:
        if sequence.request.constraint is None:  # what it forces is known in steps that are weighed
            drafter = next(drafter for drafter in drafters if drafter.name == name)
            self._coasting = _Coasting(sequence, drafter, _COAST)

    def _values(
        self, survivals: list[float], asked: Many[Book], rate: float, depth: int, most: int
    ) -> list[float]:
        """What a step of one, two … `most` rows is worth, in tokens over plain decoding, where
        those `asked` make as many guesses as there are rows for.
        """
        times, values, gain = self._costs.times(depth), [0.0], 0.0
        deciding = self.deciding / (1 + _COAST) if asked else 0.0
        besides = self._costs.overhead_of_guesses + deciding - times[1]
        for guesses in range(1, most):
            gain += survivals[guesses - 1] if guesses <= len(survivals) else 0.0
            made = min(guesses, max(1, len(survivals)))
            drafting = sum(book.proposal(made) for book in asked)
            longer = times[1 + guesses] + besides + drafting
            values.append(gain - rate * longer * self._costs.pace)
        return values
