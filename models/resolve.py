"""From what a person types to a file.

A name is, in this order: embedded (`shell`), the path of a file, or a model that was pulled
(an alias of the catalogue or `user/repo[:quant]`). What is not on this computer is not fetched in
passing: the error says how to pull it.
"""

import difflib
import os
from pathlib import Path

from localspec.errors import UsageError
from localspec.models import catalogue, matches, shelf
from localspec.models.embedded import EMBEDDED, embedded
from localspec.models.files import models_in
from localspec.models.naming import Reference

__all__ = ["find", "known_names", "resolve"]


def resolve(model: str, draft: str = "auto") -> tuple[Path, Path | None]:
    """The target's file and the draft's, if there is to be one.

    `draft` is a name, "none", or "auto": the one that belongs to an embedded target, or the best
    that `models pair` has found. Raises UsageError, with the nearest name, for one unknown.
    """
    target = find(model)
    if draft == "none":
        return target, None
    if draft == "auto":
        made_for_it = embedded(model).draft if model in EMBEDDED else None
        return target, matches.best_for(target, made_for_it)
    return target, find(draft)


def find(name: str) -> Path:
    """The file of a model. Raises UsageError where the name says none."""
    if name in EMBEDDED:
        return embedded(name).target
    path = Path(os.path.expanduser(name))
    if os.path.isfile(path) or _looks_like_a_path(name):  # Path's may raise
        return path  # loading says what is wrong with it
    reference = catalogue.reference(name)
    found = shelf.find(reference) if reference else []
    if len(found) == 1:
        return found[0].path
    if found:
        choices = ", ".join(model.name for model in found)
        raise UsageError(f"{name} is here in several quantizations; name one of {choices}.")
    raise UsageError(_unknown(name, reference))


def known_names() -> list[str]:
    """All names that need no path, those of files on this computer first."""
    nearby = models_in(Path("."))
    pulled = (name for model in shelf.shelved() for name in (model.repository, model.name))
    return [*EMBEDDED, *pulled, *nearby, *catalogue.catalogue()]


def _looks_like_a_path(name: str) -> bool:
    """Whether a name can be nothing else."""
    return (
        name.lower().endswith(".gguf")
        or name.startswith((".", "/", "~"))
        or "\\" in name
        or name.count("/") > 1
        or os.path.isabs(name)
    )


def _unknown(name: str, reference: Reference | None) -> str:
    here = shelf.of_repository(reference.repository) if reference else []
    if here:
        choices = ", ".join(model.quantization for model in here)
        return (
            f"{name} is not on this computer, only {choices}; localspec models pull {name} gets it."
        )
    near = difflib.get_close_matches(name.lower(), known_names(), n=1, cutoff=0.75)
    if near and not (reference and near[0] in catalogue.catalogue()):
        return f"There is no model {name!r}; did you mean {near[0]!r}?"
    if reference:
        return f"{name} is not on this computer; localspec models pull {name} gets it."
    if near:
        return f"There is no model {name!r}; did you mean {near[0]!r}?"
    return f"There is no model {name!r}; give a GGUF file, user/repo, or a name of models list."
