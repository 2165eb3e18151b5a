"""Which draft was found best for which target, and which the catalogue suggests.

What was measured is kept by the files' content, so that a file may move, and a new one under an
old name is not taken for it.
"""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from localspec import folders
from localspec.errors import LocalspecError, ModelError
from localspec.models import catalogue, shelf
from localspec.models.fingerprint import fingerprint

__all__ = ["Match", "best_for", "keep", "remembered", "suggestions"]

_VERSION = 1


@dataclass(frozen=True)
class Match:
    """What a draft was found to be worth; see `bench.pairing.Measured`."""

    name: str
    path: str
    fingerprint: str
    held: float
    length: float
    speedup: float


def keep(target: Path, matches: Iterable[Match]) -> None:
    """Remember what was measured, beside what was before of other files. Raises OSError."""
    new = {match.fingerprint: match for match in matches}
    replaced = {match.path for match in new.values()}
    known = {m.fingerprint: m for m in remembered(target) if m.path not in replaced} | new
    best_first = sorted(known.values(), key=lambda match: -match.speedup)
    record = {"version": _VERSION, "drafts": [asdict(match) for match in best_first]}
    folders.write_atomically(_record(target), json.dumps(record))


def remembered(target: Path) -> list[Match]:
    """What is known of drafts for just this target, the best first."""
    try:
        record = json.loads(_record(target).read_text(encoding="utf-8"))
        if record["version"] != _VERSION:
            return []
        return [Match(**match) for match in record["drafts"]]
    except (OSError, ValueError, KeyError, TypeError, ModelError):
        return []


def best_for(target: Path, made_for_it: Path | None = None) -> Path | None:
    """The draft to use with a target: the one that was measured to be fastest, where that pays.

    Else it is the one made for it, the one that was pulled from beside it, or one that the
    catalogue knows and that is here, unless just that one was found not to pay. None where there
    is no such draft.
    """
    matches = [match for match in remembered(target) if _is_still(match)]
    if matches and matches[0].speedup > 1:
        return Path(matches[0].path)
    measured = {match.fingerprint for match in matches}
    try:
        promising = [made_for_it] if made_for_it else [*_beside(target), *_of_the_catalogue(target)]
        return next((path for path in promising if fingerprint(path) not in measured), None)
    except LocalspecError:  # a mistake in the user's catalogue is no reason not to answer
        return None


def _beside(target: Path) -> list[Path]:
    """Drafts that were pulled from the target's own repository."""
    origin = shelf.origin(target)
    there = shelf.of_repository(origin.repository) if origin else []
    drafts = [m.path for m in sorted(there, key=lambda m: m.size) if m.is_draft]
    return [] if target.absolute() in drafts else drafts


def _of_the_catalogue(target: Path) -> list[Path]:
    """The drafts that are here of those the catalogue knows for the target, in its order."""
    return list(filter(None, map(_pulled, _suggested(target))))


def _is_still(match: Match) -> bool:
    try:
        return fingerprint(Path(match.path)) == match.fingerprint
    except ModelError:
        return False


def _record(target: Path) -> Path:
    return folders.state() / "pairs" / f"{fingerprint(target)}.json"


def suggestions(target: Path) -> list[catalogue.Suggestion]:
    """What the catalogue knows for the target and is not on this computer."""
    return [s for s in _suggested(target) if not _pulled(s)]


def _suggested(target: Path) -> tuple[catalogue.Suggestion, ...]:
    origin = shelf.origin(target)
    entry = catalogue.entry_of(origin.repository) if origin else None
    return entry.drafts if entry else ()


def _pulled(suggestion: catalogue.Suggestion) -> Path | None:
    """The file of a suggested draft, where it is here and can be used."""
    reference = catalogue.reference(suggestion.model)
    if reference is None or suggestion.kind != "small model":
        return None
    return next((model.path for model in shelf.find(reference)), None)
