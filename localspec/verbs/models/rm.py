"""`localspec models rm`: delete a pulled model, after asking."""

import argparse
import json
import sys

from localspec import spoken
from localspec.errors import UsageError
from localspec.models import EMBEDDED, catalogue, shelf
from localspec.models.resolve import find

__all__ = ["run"]


def run(options: argparse.Namespace) -> int:
    """Delete what was named; 1 where a person said no."""
    model = _pulled(options.model)
    freed = model.size
    if not options.yes:
        if options.json or not sys.stdin.isatty():
            raise UsageError(f"{model.name} is not deleted without being asked for; add --yes.")
        if not _agreed(f"Delete {model.name} ({spoken.size(freed)})? [y/N] "):
            print("Nothing was deleted.")
            return 1
    shelf.remove(model)
    if options.json:
        print(json.dumps({"name": model.name, "freed": freed}))
    else:
        print(f"Deleted {model.name}, {spoken.size(freed)}.")
    return 0


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
