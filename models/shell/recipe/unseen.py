"""Keeps the judge unseen: a question that comes near one of judge*.txt is never trained on."""

import re

from blocks import blocks

__all__ = ["Unseen"]


class Unseen:
    """Tells whether a question comes near one the pair is judged by."""

    def __init__(self) -> None:
        files = ("judge.txt", "judge_functions.txt", "judge_unknown.txt")
        self._judge: dict[int, list[frozenset[str]]] = {}
        for words in (self._words(head) for name in files for head, _ in blocks(name)):
            self._judge.setdefault(len(words), []).append(words)

    @staticmethod
    def _words(text: str) -> frozenset[str]:
        return frozenset(re.findall(r"[a-z0-9_./-]+", text.lower().rstrip("?. ")))

    def __call__(self, asked: str) -> bool:
        """Whether a question may be trained on: it shares under 6 of 10 words with each of them."""
        words = self._words(asked)
        sizes = range(int(0.6 * len(words)), int(len(words) / 0.6) + 1)  # others cannot come near
        near = (other for size in sizes for other in self._judge.get(size, ()))
        return all(len(words & other) < 0.6 * len(words | other) for other in near)
