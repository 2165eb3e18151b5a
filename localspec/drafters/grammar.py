"""Guessing what a grammar leaves no choice about: keys, quotes and brackets of a JSON schema.

The target may still split the forced text into other tokens, so these are guesses like any other;
they cost nothing to make and nearly always hold.
"""

from collections.abc import Sequence as Many

from localspec.decoding.draft import Draft
from localspec.decoding.sequence import Sequence
from localspec.drafters.base import Ask

__all__ = ["GrammarDrafter"]

_CONFIDENCE = 0.95


class GrammarDrafter:
    """Reads a sequence's constraint; it has no cache and no memory."""

    name = "grammar"

    def propose(self, asks: Many[Ask]) -> list[Draft]:
        """What must follow; nothing for sequences without a constraint."""
        return [self._guess(ask) for ask in asks]

    def _guess(self, ask: Ask) -> Draft:
        draft = Draft(self.name)
        for token in ask.sequence.sampler.forced()[: ask.length]:
            if not ask.more(draft):
                break
            draft.append(token, _CONFIDENCE)
        return draft

    def peek(self, sequence: Sequence) -> Draft:
        """The first token that must follow, if any must."""
        draft = Draft(self.name)
        for token in sequence.sampler.forced()[:1]:
            draft.append(token, _CONFIDENCE)
        return draft

    def backlog(self, sequence: Sequence) -> int:
        """Nothing has to be read."""
        return 0

    def observe(self, sequence: Sequence) -> None:
        """The constraint has seen it."""

    def forget(self) -> None:
        """There is nothing to forget."""

    def truncate(self, slot: int, length: int) -> None:
        """There is no cache."""

    def copy(self, source: int, slot: int, length: int) -> None:
        """There is no cache."""
