"""Bytes of tokens to text that is safe to show.

A character may be split over tokens, and a stop string too: text is held back while it could
still turn out to be the beginning of a stop string.
"""

import codecs
from collections.abc import Sequence

__all__ = ["TextStream", "overlap"]


class TextStream:
    """Decodes UTF-8 piece by piece and ends at the first stop string."""

    def __init__(self, stops: Sequence[str] = ()) -> None:
        self._stops = tuple(stops)
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._held = ""
        self.stop: str | None = None
        """The stop string that ended the text."""

    @property
    def stopped(self) -> bool:
        """Whether a stop string came."""
        return self.stop is not None

    def feed(self, data: bytes) -> str:
        """The text that `data` makes safe to show. Nothing comes after a stop string."""
        return self._release(self._decoder.decode(data))

    def flush(self) -> str:
        """The rest, when no more bytes come; half a character becomes a replacement mark."""
        text = self._release(self._decoder.decode(b"", final=True))
        if not self.stopped:
            text, self._held = text + self._held, ""
        return text

    def _release(self, text: str) -> str:
        if self.stopped:
            return ""
        if not self._stops:
            return text
        text = self._held + text
        found = [(at + len(stop), at, stop) for stop in self._stops if (at := text.find(stop)) >= 0]
        if found:  # the one that is complete first, so that portions do not matter
            _, at, self.stop = min(found)
            self._held = ""
            return text[:at]
        keep = max(overlap(text, stop) for stop in self._stops)
        safe = len(text) - keep
        self._held = text[safe:]
        return text[:safe]


def overlap(text: str, stop: str) -> int:
    """The length of the longest beginning of `stop` that `text` ends with."""
    for n in range(min(len(text), len(stop) - 1), 0, -1):
        if text.endswith(stop[:n]):
            return n
    return 0
