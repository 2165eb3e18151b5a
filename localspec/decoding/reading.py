"""What of a prompt is read in bulk, and what of a cache it may begin with for that.

Rows that are read in bulk round otherwise than rows that are decoded (docs/decisions/0062). As no
answer should depend on what happens to be in a cache, a prompt's length alone decides how much of
it is read in bulk, and of a cache it takes over what was evaluated as it would be itself. An answer
that is gone on with is an exception: it stays in the cache as it was said, and the length of what
follows decides how that is read.
"""

import sys
from collections.abc import Sequence as Many
from typing import NamedTuple

__all__ = ["Bulk", "Held", "Reuse", "Stretch", "bulk_of", "portion", "reuse"]

_FEW = 16  # rows that are not worth being read in bulk, with others that were there already


class Bulk(NamedTuple):
    """A prompt's tokens up to `end` are read in bulk, `least` or more of them together."""

    end: int = 0
    least: int = 0

    def due(self, cached: int) -> int:
        """How many rows at least come next in bulk, after `cached` tokens; 0 where none do."""
        return self.least if self.end - cached >= self.least else 0


class Stretch(NamedTuple):
    """Tokens from `start` to `end` that were read in bulk, `least` or more together."""

    start: int
    end: int
    least: int


class Held(NamedTuple):
    """How tokens in a cache came there: some were read in `bulks`, in order, others decoded.

    At `joints` answers ended that were gone on with.
    """

    bulks: tuple[Stretch, ...] = ()
    joints: tuple[int, ...] = ()


class Reuse(NamedTuple):
    """Tokens to be taken over from a cache, and what is known of it once all is evaluated."""

    tokens: int
    held: Held


def bulk_of(prompt: int, sizes: Many[int]) -> Bulk:
    """What of a prompt of so many tokens is read in bulk, where rows round in one way from each of
    `sizes` on: all but its last token, which is decoded, if that is enough.
    """
    least = max((size for size in sizes if size < prompt), default=0)
    return Bulk(prompt - 1, least) if least else Bulk()


def portion(backlog: int, cached: int, most: int, bulk: Bulk) -> tuple[int, bool]:
    """How many tokens of a backlog, which follow `cached` ones, to evaluate next, about `most`,
    and whether in bulk.
    """
    rest, least = bulk.end - cached, bulk.due(cached)
    if not least:
        return min(backlog, most), False
    rows = min(rest, max(most, least))
    if 0 < rest - rows < least:  # too few would be left
        rows = rest if rest < 2 * least else rest - least
    return rows, True


def reuse(held: Held, common: int, bulk: Bulk, *, whole: bool, can_truncate: bool = True) -> Reuse:
    """What a prompt that is to be read in `bulk` takes over of a cache with which it has `common`
    tokens in common: `whole` where these are a prompt and its answer, and all there is.
    """
    joints = tuple(joint for joint in held.joints if joint <= common)
    if whole:
        joints = (*joints, common)
    start = joint = joints[-1] if joints else 0
    if bulk.end - joint < bulk.least:  # some of the answer would be read again
        worth_it = can_truncate and bulk.end - joint >= _FEW
        start = bulk.end - bulk.least if worth_it else bulk.end
    wanted = _until(held.bulks, min(start, joint))
    if start < bulk.end:
        wanted = (*wanted, Stretch(start, bulk.end, bulk.least))
    tokens = min(common, _difference(held.bulks, wanted))
    if start < bulk.end and 0 < bulk.end - tokens < bulk.least:
        tokens = bulk.end - bulk.least
    return Reuse(tokens, Held(wanted, joints))


def _until(bulks: Many[Stretch], end: int) -> tuple[Stretch, ...]:
    return tuple(bulk._replace(end=min(bulk.end, end)) for bulk in bulks if bulk.start < end)


def _difference(some: Many[Stretch], others: Many[Stretch]) -> int:
    """The first token that was evaluated in one way here and in another way there."""
    edges = {edge for bulk in (*some, *others) for edge in (bulk.start, bulk.end)}
    ways = ((edge, _way(some, edge), _way(others, edge)) for edge in sorted(edges))
    return next((edge for edge, one, other in ways if one != other), sys.maxsize)


def _way(bulks: Many[Stretch], token: int) -> int:
    return next((bulk.least for bulk in bulks if bulk.start <= token < bulk.end), 0)
