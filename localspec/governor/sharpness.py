"""Learns how far to sharpen a draft's guesses, sequence by sequence.

A draft's row tells at once what it would have guessed at every sharpness, and the target's pick
tells which of those were right: all values are tried at the price of one.
"""

from localspec.decoding.sampling import SHARPNESS, SHARPNESSES

__all__ = ["Sharpness"]

_FADE = 0.98
_PRIOR = 8.0  # guesses' worth of belief in what came before
_INITIAL = [0.60 if beta == SHARPNESS else 0.58 for beta in SHARPNESSES]


class Sharpness:
    """Shares of right guesses at each sharpness: over all sequences, or in one of them."""

    def __init__(self, common: "Sharpness | None" = None) -> None:
        self._common = common
        self._right = [0.0] * len(SHARPNESSES)
        self._seen = 0.0

    def observe(self, guesses: tuple[int, ...], token: int) -> None:
        """The target picked `token` where these would have been guessed."""
        self._right = [
            right * _FADE + (guess == token)
            for right, guess in zip(self._right, guesses, strict=True)
        ]
        self._seen = self._seen * _FADE + 1
        if self._common:
            self._common.observe(guesses, token)

    @property
    def best(self) -> float:
        """The value that was right most often."""
        shares = self._shares()
        return SHARPNESSES[shares.index(max(shares))]

    def _shares(self) -> list[float]:
        believed = self._common._shares() if self._common else _INITIAL
        weight = self._seen + _PRIOR
        return [
            (right + _PRIOR * belief) / weight
            for right, belief in zip(self._right, believed, strict=True)
        ]
