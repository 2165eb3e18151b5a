"""What was measured on this computer, kept for the next time.

One small JSON file for each target, draft, build, device and number of threads. It is a cache:
a file that is damaged, of another version or cannot be written is passed over, and of many the
latest are kept.
"""

import hashlib
import json
from pathlib import Path
from typing import Any

from localspec import folders
from localspec.governor.book import Book
from localspec.governor.governor import Governor

__all__ = ["load", "path_for", "save"]

_VERSION = 14
_MOST = 200  # files: containers, say, have another name for the computer whenever they start
_EXTRAS = ("overhead", "overhead_of_guesses", "aftermath", "change")


def path_for(*circumstances: object) -> Path:
    """The file for these circumstances: whatever changes what things cost."""
    key = hashlib.sha256(repr(circumstances).encode()).hexdigest()[:20]
    return folders.cache() / "profiles" / f"{key}.json"


def save(governor: Governor, path: Path) -> bool:
    """Keep what the governor knows; the last of several writers wins, each file is whole.

    False where it cannot be written.
    """
    governor.known.fold(min(1.0, governor.costs.pace))  # a slower one is of what else was going on
    record = {
        "version": _VERSION,
        **{name: getattr(governor.costs, name) for name in _EXTRAS},
        "curves": [curve.measured() for curve in governor.costs.curves],
        "drafters": {name: _record(book) for name, book in governor.books.items()},
        "stride": governor.steady.stride.known(),
    }
    try:
        folders.write_atomically(path, json.dumps(record))
    except OSError:
        return False
    folders.keep_latest(path.parent, _MOST)
    return True


def load(governor: Governor, path: Path) -> bool:
    """Give the governor what was kept; False where there is nothing of use."""
    try:
        record = json.loads(path.read_text(encoding="utf-8"), parse_constant=_refuse)
        if record["version"] != _VERSION:
            return False
        curves = [{int(n): float(s) for n, s in curve.items()} for curve in record["curves"]]
        books = {name: _book(kept) for name, kept in record["drafters"].items()}
        stride = {int(kind): [float(x) for x in kept] for kind, kept in record["stride"].items()}
        extras = {name: max(0.0, float(record[name])) for name in _EXTRAS}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return False
    if not any(curves) or not all(s > 0 for curve in curves for s in curve.values()):
        return False
    governor.costs.load(curves)
    for name, seconds in extras.items():
        setattr(governor.costs, name, seconds)
    governor.books.update(books)
    governor.steady.stride.recall(stride)
    return True


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no measurement")


def _record(book: Book) -> dict[str, Any]:
    return {
        "proposal": [book.proposal.fixed, book.proposal.each],
        "catching_up": [book.catching_up.fixed, book.catching_up.each],
        "calibration": book.common.to_json(),
        "worths": [worth.to_json() for worth in book.common_worths],
    }


def _book(kept: dict[str, Any]) -> Book:
    book = Book()
    for line, seconds in (
        (book.proposal, kept["proposal"]),
        (book.catching_up, kept["catching_up"]),
    ):
        line.fixed, line.each = (max(0.0, float(s)) for s in seconds)
    book.common.load(kept["calibration"])
    for worth, record in zip(book.common_worths, kept["worths"], strict=True):
        worth.load(record)
    return book
