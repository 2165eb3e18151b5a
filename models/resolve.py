"""From what a person types to a file: an embedded name or a path."""

import difflib
from pathlib import Path

from localspec.models.embedded import EMBEDDED, embedded

from localspec.errors import UsageError

__all__ = ["resolve"]


def resolve(model: str, draft: str = "auto") -> tuple[Path, Path | None]:
    """The target's file and the draft's, if there is to be one.

    `draft` is a path, "none", or "auto": the one that belongs to an embedded target. Raises
    UsageError with the nearest name where `model` is neither known nor a file.
    """
    target = embedded(model).target if model in EMBEDDED else _file(model)
    if draft == "none":
        return target, None
    if draft == "auto":
        return target, embedded(model).draft if model in EMBEDDED else None
    return target, embedded(draft).draft if draft in EMBEDDED else _file(draft)


def _file(name: str) -> Path:
    path = Path(name).expanduser()
    if path.exists() or path.suffix == ".gguf" or path.parent != Path("."):
        return path  # loading says what is wrong with it
    nearby = [file.name for file in Path(".").glob("*.gguf")]
    near = difflib.get_close_matches(name, [*EMBEDDED, *nearby], n=1)
    hint = f"did you mean {near[0]!r}?" if near else "give the path of a GGUF file, or 'shell'."
    raise UsageError(f"There is no model {name!r}; {hint}")
