"""Which drafts there are for a target, what speaks against each, and which was found to be best.

What was measured is kept by the files' content, so that a file may move, and a new one under an
old name is not taken for it.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from localspec.models import catalogue, shelf
from localspec.models.embedded import EMBEDDED, embedded
from localspec.models.fingerprint import fingerprint
from localspec.models.header import Header, read_header

from localspec import folders
from localspec.errors import LocalspecError, ModelError

__all__ = [
    "Candidate",
    "Result",
    "best_for",
    "candidates",
    "keep",
    "objection",
    "remembered",
    "suggestions",
]

_VERSION = 1
_LARGEST_SHARE = 0.5  # of the target's weights: a larger draft cannot guess fast enough to pay


@dataclass(frozen=True)
class Candidate:
    """A file that may guess for a target, and what speaks for it or, as `objection`, against."""

    name: str
    path: Path
    size: int
    objection: str | None
    merits: str = ""


@dataclass(frozen=True)
class Result:
    """What a draft was found to be worth; see `bench.pairing.Measured`."""

    name: str
    path: str
    fingerprint: str
    held: float
    length: float
    speedup: float


def candidates(target: Path, more: Iterable[tuple[str, Path]] = ()) -> list[Candidate]:
    """All files on this computer that may guess for `target`, and `more`: the fit ones first.

    Those are the smallest first. Raises ModelError where the target cannot be read.
    """
    header = read_header(target)
    found: dict[Path, Candidate] = {}
    for name, path in (*more, *_here(target)):
        if path.resolve() not in found and path.resolve() != target.resolve():
            found[path.resolve()] = _judged(name, path, header)
    return sorted(found.values(), key=lambda c: (c.objection is not None, c.size, c.name))


def suggestions(target: Path) -> list[catalogue.Suggestion]:
    """What the catalogue knows for the target and is not on this computer."""
    origin = shelf.origin(target)
    entry = catalogue.entry_of(origin.repository) if origin else None
    return [s for s in (entry.drafts if entry else ()) if not _pulled(s)]


def objection(target: Header, draft: Header) -> str | None:
    """Why a draft cannot guess for a target, or should not, by what their headers say."""
    if draft.architecture.startswith("eagle"):
        return "it is an EAGLE head, which cannot be used here yet"
    ours, theirs = (h.strings("tokenizer.ggml.tokens") for h in (target, draft))
    if ours is None or theirs is None:
        return "it has no vocabulary of its own"
    token = ours.first_difference(theirs)
    if token is not None:
        return f"token {token} is {theirs[token]!r} in it and {ours[token]!r} in the target"
    if len(theirs) < len(ours) // 2:
        return f"it knows {len(theirs)} tokens, and the target {len(ours)}"
    for key, what in (("bos_token_id", "begins texts"), ("eos_token_id", "ends answers")):
        a, b = (h.integer(f"tokenizer.ggml.{key}") for h in (target, draft))
        if a != b:
            return f"it {what} with token {b}, and the target with {a}"
    times = target.parameters / max(1, draft.parameters)
    if times <= 1:
        return "it is no smaller than the target"
    if draft.parameters > target.parameters * _LARGEST_SHARE:
        return f"it is only {times:.1f} times smaller, and would cost more than it gives"
    return None


def _here(target: Path) -> Iterator[tuple[str, Path]]:
    """Names and files of models on this computer."""
    for name in EMBEDDED:
        yield f"draft of {name}", embedded(name).draft
    for model in shelf.shelved():
        yield model.name, model.path
    for path in sorted(target.parent.glob("*.gguf")):
        yield path.name, path


def _judged(name: str, path: Path, target: Header) -> Candidate:
    try:
        draft = read_header(path)
    except ModelError as error:
        return Candidate(name, path, 0, str(error))
    against = objection(target, draft)
    times = target.parameters / max(1, draft.parameters)
    return Candidate(name, path, draft.size, against, f"same vocabulary, {times:.0f} times smaller")


def _pulled(suggestion: catalogue.Suggestion) -> Path | None:
    """The file of a suggested draft, where it is here and can be used."""
    reference = catalogue.reference(suggestion.model)
    if reference is None or suggestion.kind != "small model":
        return None
    return next((model.path for model in shelf.find(reference)), None)


def keep(target: Path, results: Iterable[Result]) -> None:
    """Remember what was measured, beside what was before. Raises OSError."""
    known = {result.fingerprint: result for result in remembered(target)}
    known |= {result.fingerprint: result for result in results}
    best_first = sorted(known.values(), key=lambda result: -result.speedup)
    record = {"version": _VERSION, "drafts": [asdict(result) for result in best_first]}
    folders.write_atomically(_record(target), json.dumps(record))


def remembered(target: Path) -> list[Result]:
    """What is known of drafts for just this target, the best first."""
    try:
        record = json.loads(_record(target).read_text(encoding="utf-8"))
        if record["version"] != _VERSION:
            return []
        return [Result(**result) for result in record["drafts"]]
    except (OSError, ValueError, KeyError, TypeError, ModelError):
        return []


def best_for(target: Path, made_for_it: Path | None = None) -> Path | None:
    """The draft to use with a target: the one that was measured to be fastest, where that pays.

    Where nothing was measured it is the one made for it, or one that the catalogue knows and that
    is here. None where there is none, or where none was found to pay.
    """
    results = [result for result in remembered(target) if _is_still(result)]
    if results:
        return Path(results[0].path) if results[0].speedup > 1 else None
    if made_for_it:
        return made_for_it
    try:
        origin = shelf.origin(target)
        entry = catalogue.entry_of(origin.repository) if origin else None
        return next(filter(None, map(_pulled, entry.drafts if entry else ())), None)
    except LocalspecError:  # a mistake in the user's catalogue is no reason not to answer
        return None


def _is_still(result: Result) -> bool:
    try:
        return fingerprint(Path(result.path)) == result.fingerprint
    except ModelError:
        return False


def _record(target: Path) -> Path:
    return folders.state() / "pairs" / f"{fingerprint(target)}.json"
