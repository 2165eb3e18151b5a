"""The number of rows that steps stay at, where another number costs much.

On a GPU, llama.cpp builds another graph for another number of rows, and records it where it has
not met that number before (docs/decisions/0063). So steps keep their number of rows, whether
they have guesses for them or not, and what each number would have been worth is averaged over many
steps. Another one is gone to where the difference, over as many tokens as are likely to follow,
pays for the change; a step that alone promises as much is taken, and then steps go on as before.
The first step of a text builds a graph in any case: it has the number that was best in others of
its kind.

At more than one row the draft is asked in every step, or its rows are wasted. At one row asking
tells only whether to go on so: that is done at the beginning of a text and now and then.
"""

from collections.abc import Sequence as Many
from weakref import ReferenceType, ref

from localspec.decoding.sequence import Sequence

__all__ = ["Stride"]

_GAIN = 1 / 32  # of the averages, and 1 / count while there is little
_TEXT_GAIN = 0.2  # of what is known of a kind, by each of its texts
_FEW = 3  # steps' worth of belief in what other texts were worth
_WITNESSES = 4  # steps that speak for a change at the least, those of other texts among them
_MOST = 1.5  # tokens that a step counts for: one long guess does not make a good text
_BURST = 3  # steps in which to ask at the beginning of a text
_AGAIN = 1  # steps in which to ask once more after one that was only to see
_HOPELESS = -0.1  # tokens a step
_EDGE = 1.5  # times what a guess costs: what it must promise at one row


class Stride:
    """Of steps that decode one sequence. Values are tokens a step, over plain decoding."""

    def __init__(self) -> None:
        self.rows = 1
        self.kinds: dict[int, list[float]] = {}
        """What a step with one, two … rows was worth in texts of each kind, by number."""
        self.useful = True
        """Whether the draft's guesses were worth their time when it was last considered."""
        self.means: list[float] = []
        """What a step with one, two … rows was worth lately."""
        self.seen = 0
        """Steps of this text that it has learnt from."""
        self._count = self._total = self._asked = 0
        self._hope = 0.0
        self._fresh = False
        self._text: ReferenceType[Sequence] | None = None
        self._kind = 0

    def recall(self, kinds: dict[int, list[float]]) -> None:
        """Begin with what was known some other time."""
        self.kinds = kinds
        self._total, self._count = (_WITNESSES, _FEW) if kinds else (0, 0)

    def begin(self, sequence: Sequence, kind: int | None = None) -> None:
        """Another text may be worth more or less: what others of its kind taught counts little.

        One of no known kind is taken for another of the last one's.
        """
        if self._text and self._text() is sequence:
            return
        self.kinds = self.known()
        self._text, self._kind = ref(sequence), self._kind if kind is None else kind
        nearest = min(self.kinds, key=lambda known: abs(known - self._kind), default=None)
        self.means = [] if nearest is None else list(self.kinds[nearest])
        self._count, self._asked, self.seen = min(self._count, _FEW), 0, 0
        self._hope = max(self.means[1:], default=0.0)
        if self.means:
            self.rows, self._fresh = _best(self.means), True

    def known(self) -> dict[int, list[float]]:
        """`kinds`, this text among its own."""
        if not self.seen:
            return self.kinds
        before = self.kinds.get(self._kind, self.means)
        before = before + self.means[len(before) :]
        pairs = zip(before, self.means, strict=True)
        return self.kinds | {self._kind: [b + _TEXT_GAIN * (m - b) for b, m in pairs]}

    @property
    def promising(self) -> bool:
        """Whether there are texts of some kind that guesses may be worth it in."""
        best = [max(means[1:], default=0.0) for means in self.known().values()]
        return max(best, default=0.0) >= _HOPELESS

    @property
    def hopeless(self) -> bool:
        """Whether texts have been worth so little that this one will not be."""
        return self.rows == 1 and self._total >= _WITNESSES and self._hope < _HOPELESS

    def wants(self, chance: float, price: float) -> bool:
        """Whether to ask for a guess that costs `price` tokens and holds with `chance`."""
        self.useful = chance > (_EDGE if self.rows == 1 else 1.0) * price
        if not self.useful or (self.rows == 1 and (self._asked >= _BURST or self.hopeless)):
            return False
        self._asked += 1
        return True

    def probed(self) -> None:
        """It is asked just to see: one step says little, so some more may follow."""
        self._asked = min(self._asked, _BURST - _AGAIN)
        self._hope = max(self._hope, _HOPELESS)

    def learn(self, values: Many[float]) -> None:
        """A step with n rows would have been worth `values[n - 1]`; more rows than these change as
        the last one does.
        """
        self.means += [0.0] * (len(values) - len(self.means))
        self._count += 1
        self._total += 1
        self.seen += 1
        gain, most = max(_GAIN, 1 / (1 + self._count)), max(values)
        scale = _MOST / most if most > _MOST else 1.0
        changes = [value * scale - mean for value, mean in zip(values, self.means, strict=False)]
        changes += changes[-1:] * (len(self.means) - len(changes))
        self.means = [m + gain * c for m, c in zip(self.means, changes, strict=True)]

    def take(self, values: Many[float], change: float, ahead: int) -> int:
        """The rows of the next step, worth `values[n - 1]` with n of them, where another number
        than last time costs `change` tokens once and `ahead` tokens are likely to follow.
        """
        if self._fresh or self.moves(change, ahead):
            self.rows, self._fresh = _best(self.means), False
        best = _best(values)
        return best if values[best - 1] - values[self.rows - 1] > change else self.rows

    def moves(self, change: float, ahead: int) -> bool:
        """Whether steps had better have another number of rows from now on."""
        if self._count < _WITNESSES:
            return False
        return (max(self.means) - self.means[self.rows - 1]) * ahead > change


def _best(values: Many[float]) -> int:
    """The number of rows that is worth most."""
    return 1 + max(range(len(values)), key=values.__getitem__)
