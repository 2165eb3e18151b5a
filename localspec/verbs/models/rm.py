"""`localspec models rm`: delete a pulled model, or all twins, after asking."""

import argparse
import json
import sys
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

from localspec import spoken
from localspec.errors import UsageError
from localspec.models import EMBEDDED, catalogue, shelf, twins
from localspec.models.resolve import find

__all__ = ["run"]


class _Doomed(NamedTuple):
    """What is to be deleted."""

    name: str
    size: int
    remove: Callable[[], None]


def run(options: argparse.Namespace) -> int:
    """Delete what was named; 1 where a person said no."""
    doomed = _doomed(options.model)
    if not options.yes:
        if options.json or not sys.stdin.isatty():
            raise UsageError(f"{doomed.name} is not deleted without being asked for; add --yes.")
        if not _agreed(f"Delete {doomed.name} ({spoken.size(doomed.size)})? [y/N] "):
            print("Nothing was deleted.")
            return 1
    doomed.remove()
    if options.json:
        print(json.dumps({"name": doomed.name, "freed": doomed.size}))
    else:
        print(f"Deleted {doomed.name}, {spoken.size(doomed.size)}.")
    return 0


def _doomed(name: str) -> _Doomed:
    """Raises UsageError for what is not ours to delete, or not there."""
    if name != twins.NAME:
        model = _pulled(name)
        return _Doomed(model.name, model.size, partial(shelf.remove, model))
    if not twins.size():
        raise UsageError("There are no twins here; localspec bench --shape makes them.")
    return _Doomed(name, twins.size(), twins.remove)


def _agreed(question: str) -> bool:
    """Whether a person says yes; the end of what they type is no."""
    try:
        return input(question).strip().lower() in ("y", "yes")
    except EOFError:
        print()
        return False


def _pulled(name: str) -> shelf.Shelved:
    """The pulled model of that name. Raises UsageError for any other file."""
    if name in EMBEDDED:
        raise UsageError(f"{name} came with localspec, and goes when that is uninstalled.")
    reference = catalogue.reference(name)
    path = find(name).absolute()
    found = [model for model in shelf.shelved() if path in model.files]
    if not found or (reference is None and not path.is_relative_to(shelf.folder())):
        raise UsageError(f"{name} was not pulled by localspec; delete it yourself.")
    return found[0]
