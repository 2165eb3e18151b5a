"""Models of this computer, as the chat's source."""

from collections.abc import Sequence
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any

from localspec import models, spoken
from localspec.loading import Loading
from localspec.models import shelf
from localspec.models.files import models_in
from localspec.tui.backend import Backend, Choice

__all__ = ["Here"]


class Here:
    """This computer as a source of models."""

    default = "shell"
    promise = "Everything stays on this computer."

    def __init__(self, loading: Loading = Loading()) -> None:
        """Every model is loaded as `loading` says."""
        self._loading = loading

    def check(self, model: str, draft: str) -> None:
        """Raises LocalspecError for a name that is unknown, and for a file that is no model."""
        _explaining().check(model, draft)

    def open(self, model: str, draft: str) -> Backend:
        """Load a model and its draft."""
        from localspec.tui.local import load  # brings llama.cpp along; the screen does not wait

        return load(replace(self._loading, model=model, draft=draft))

    def models(self) -> Sequence[Choice]:
        """What is embedded, what was pulled, and files in the folder one is in."""
        embedded = [Choice(name, "comes with localspec") for name in models.EMBEDDED]
        pulled = [Choice(m.name, f"{spoken.size(m.size)}, pulled") for m in shelf.shelved()]
        return embedded + pulled + [_file(files) for files in models_in(Path()).values()]

    def drafts(self, model: str) -> Sequence[Choice]:
        """Who may guess for a model, and what speaks for or against each."""
        choices: list[Choice] = _explaining().drafts(model)
        return choices

    def explain(self, model: str) -> str:
        """Whether it fits, and who guesses for it."""
        return str(_explaining().model(model, self._loading))


def _explaining() -> Any:
    """The module; it brings numpy along, before which llama.cpp has to be there."""
    import_module("localspec.llama.library")
    return import_module("localspec.tui.explaining")


def _file(files: tuple[Path, ...]) -> Choice:
    size = sum(file.stat().st_size for file in files)
    return Choice(str(files[0]), f"{spoken.size(size)}, in this folder")
