"""The catalogue: models people run, where they are, and which small ones guess for them.

It stands in catalogue.toml beside this file. Entries in `catalogue.toml` in the config folder are
added, and take the place of ours of the same name.
"""

import functools
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Literal, get_args

from localspec import folders
from localspec.errors import UsageError
from localspec.models.naming import Reference, parse

__all__ = ["Entry", "Kind", "Suggestion", "catalogue", "entry_of", "reference"]

_OWN = Path(__file__).with_name("catalogue.toml")

Kind = Literal["small model", "EAGLE-3", "MTP"]
"""How a draft guesses. Only small models are used here today; the others are named for what
they are, so that nobody downloads them in vain."""


@dataclass(frozen=True)
class Suggestion:
    """A draft that is known to share the model's vocabulary."""

    model: str
    kind: Kind = "small model"
    note: str = ""


@dataclass(frozen=True)
class Entry:
    """A model on the hub. `files` are names by quantization, the one to take first."""

    alias: str
    repository: str
    parameters: str
    files: Mapping[str, str]
    licence: str
    context: int
    template: str
    source: str
    drafts: tuple[Suggestion, ...] = ()

    @property
    def default(self) -> str:
        """The quantization to take where none is named."""
        return next(iter(self.files))


def catalogue() -> Mapping[str, Entry]:
    """All entries by alias, the user's own among them. Raises UsageError for mistakes in those."""
    return {**_read(_OWN), **_read(folders.config() / _OWN.name)}


def reference(name: str) -> Reference | None:
    """`user/repo[:quant]` for an alias or such a name itself; None for anything else."""
    alias, _, quantization = name.partition(":")
    entry = catalogue().get(alias.lower())
    if entry:
        return Reference(entry.repository, quantization or entry.default)
    return parse(name)


def entry_of(repository: str) -> Entry | None:
    """The entry of a repository."""
    entries = catalogue().values()
    return next((e for e in entries if e.repository.lower() == repository.lower()), None)


def _read(path: Path) -> dict[str, Entry]:
    """The entries of one file, none where it does not exist; read once for as long as it stays."""
    try:
        return _parsed(path, path.stat().st_mtime_ns)
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except (OSError, ValueError, TypeError) as error:
        raise UsageError(f"The catalogue {path} cannot be used: {error}.") from None


@functools.lru_cache
def _parsed(path: Path, _version: int) -> dict[str, Entry]:
    tables = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    return {alias.lower(): _entry(alias, table) for alias, table in tables.items()}


_KINDS = {"files": dict, "context": int, "drafts": list}
_OPTIONAL = frozenset({"drafts", "template"})


def _entry(alias: str, table: object) -> Entry:
    """One table. Raises ValueError, as the end of a sentence."""
    if not isinstance(table, dict):
        raise ValueError(f"[{alias}] is no table")
    names = {field.name for field in fields(Entry)} - {"alias"}
    for name in table:
        if name not in names:
            raise ValueError(f"[{alias}] has {name!r}, which means nothing here")
    for name in sorted(names):
        kind = _KINDS.get(name, str)
        if name not in table and name not in _OPTIONAL:
            raise ValueError(f"[{alias}] does not say its {name}")
        if name in table and not isinstance(table[name], kind):
            raise ValueError(f"{name} of [{alias}] is no {kind.__name__}")
    if parse(table["repository"]) is None:
        raise ValueError(f"repository of [{alias}] is not user/repo")
    if not table["files"] or not all(isinstance(f, str) for f in table["files"].values()):
        raise ValueError(f"files of [{alias}] does not name a file by quantization")
    drafts = tuple(_suggestion(alias, draft) for draft in table.get("drafts", ()))
    rest = {name: table[name] for name in names - {"drafts", "template"}}
    return Entry(alias, template=table.get("template", ""), drafts=drafts, **rest)


def _suggestion(alias: str, draft: object) -> Suggestion:
    if not isinstance(draft, dict) or "model" not in draft:
        raise ValueError(f"a draft of [{alias}] does not name its model")
    suggestion = Suggestion(**draft)
    if suggestion.kind not in get_args(Kind):
        raise ValueError(f"a draft of [{alias}] is of no kind known: {', '.join(get_args(Kind))}")
    return suggestion
