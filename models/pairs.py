"""Which drafts there are for a target on this computer, and what speaks against each."""

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from localspec import folders
from localspec.errors import ModelError
from localspec.models import matches, shelf
from localspec.models.description import header_of
from localspec.models.embedded import EMBEDDED, embedded
from localspec.models.files import models_in
from localspec.models.header import Header

__all__ = ["Candidate", "candidates", "made_here", "objection"]

_LARGEST_SHARE = 0.5  # of the target's weights: a larger draft cannot guess fast enough to pay


@dataclass(frozen=True)
class Candidate:
    """A file that may guess for a target, and what speaks for it or, as `objection`, against.

    `argument` is what `--draft` takes for it, wherever one stands.
    """

    name: str
    argument: str
    path: Path
    size: int
    objection: str | None
    merits: str = ""


def candidates(target: Path, more: Iterable[tuple[str, Path]] = ()) -> list[Candidate]:
    """All files on this computer that may guess for `target`, and `more`: the fit ones first.

    Those are the smallest first. Raises ModelError where the target cannot be read.
    """
    header = header_of(target)
    found: dict[Path, Candidate] = {}
    named = ((name, name, path) for name, path in more)
    for name, argument, path in (*named, *_here(target)):
        if path.resolve() not in found and path.resolve() != target.resolve():
            found[path.resolve()] = _judged(name, argument, path, header)
    return sorted(found.values(), key=lambda c: (c.objection is not None, c.size, c.name))


def objection(target: Header, draft: Header) -> str | None:
    """Why a draft cannot guess for a target, or should not, by what their headers say.

    A first look, without loading anything; `Vocabulary.difference` has the last word.
    """
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


def made_here() -> Path:
    """The folder of drafts that were made on this computer."""
    return folders.data() / "drafts"


def _here(target: Path) -> Iterator[tuple[str, str, Path]]:
    """Names, arguments and files of models on this computer."""
    for name in EMBEDDED:
        path = embedded(name).draft
        yield f"draft of {name}", str(path), path
    for model in shelf.shelved():
        yield model.name, model.name, model.path
    for folder in (target.absolute().parent, made_here()):
        for name, (path, *_) in models_in(folder).items():
            yield name, str(path), path
    for match in matches.remembered(target):  # drafts that were named once, wherever they lie
        path = Path(match.path)
        if os.path.isfile(path):
            yield match.name, match.path, path


def _judged(name: str, argument: str, path: Path, target: Header) -> Candidate:
    try:
        draft = header_of(path)
    except ModelError as error:
        return Candidate(name, argument, path, 0, str(error))
    against = objection(target, draft)
    times = target.parameters / max(1, draft.parameters)
    merits = f"same vocabulary, {times:.0f} times smaller"
    return Candidate(name, argument, path, draft.size, against, merits)
