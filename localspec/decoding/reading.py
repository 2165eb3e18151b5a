"""What of a prompt is read in bulk, and what of a cache it may begin with for that.

Rows that are read in bulk round otherwise than rows that are decoded (docs/decisions/0062). As no
answer should depend on what happens to be in a cache, a prompt's length alone decides how much of
it is read in bulk, and of a cache it takes over what was evaluated as it would be itself. An answer
that is gone on with is an exception: it stays in the cache as it was said.
"""

import sys
from collections.abc import Sequence as Many
from typing import NamedTuple

__all__ = ["Bulk", "Held", "Reuse", "bulk_of", "portion", "reuse"]

_FEW = 16  # rows that are not worth being read in bulk, with others that were there already


class Bulk(NamedTuple):
    """A prompt's tokens up to `end` are read in bulk, `least` or more of them together."""

    end: int = 0
    least: int = 0

    def due(self, cached: int) -> int:
        """How many rows at least come next in bulk, after `cached` tokens; 0 where none do."""
        return self.least if self.end - cached >= self.least else 0


class Held(NamedTuple):
    """How tokens in a cache came there: the first in `bulk`, others up to `decoded` decoded.

    The first `base` were another prompt with its answer, which this one goes on with.
    """

    bulk: Bulk = Bulk()
    decoded: int = sys.maxsize
    base: int = 0


class Reuse(NamedTuple):
    """Tokens to be taken over from a cache, and what is known of it from then on."""

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


def reuse(held: Held, common: int, bulk: Bulk, *, whole: bool) -> Reuse:
    """What a prompt that is to be read in `bulk` takes over of a cache with which it has `common`
    tokens in common: `whole` where these are a prompt and its answer, and all there is.
    """
    goes_on = whole or 0 < held.base <= common
    tokens = common if goes_on else min(common, _alike(held, bulk))
    if (_FEW if goes_on else 1) <= bulk.end - tokens < bulk.least:
        tokens = bulk.end - bulk.least
    if not goes_on:
        return Reuse(tokens, Held(bulk))
    reads = bulk.end - tokens >= bulk.least > 0
    decoded = min(held.decoded, tokens) if reads else held.decoded
    return Reuse(tokens, Held(held.bulk, decoded, common if whole else held.base))


def _alike(held: Held, bulk: Bulk) -> int:
    """Up to where what is held was evaluated as it would be for a prompt that is read in `bulk`."""
    if held.bulk == bulk:
        return held.decoded
    return min(held.bulk.end, bulk.end) if held.bulk.least == bulk.least else 0
