"""`localspec models list`: models on this computer, and with `--all` those one could pull."""

import argparse
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from localspec import models, spoken
from localspec.console import columns, dim, paragraph, printable, strong, table
from localspec.errors import ModelError
from localspec.models import matches, shelf, twins, usage
from localspec.models.catalogue import Entry, catalogue
from localspec.models.description import Description, describe

__all__ = ["run"]


@dataclass(frozen=True)
class _Row:
    """A model on this computer; what is wrong with it where no description could be read."""

    name: str
    path: Path
    size: int
    description: Description | None
    problem: str | None
    draft: str | None
    last_used: float | None


def run(options: argparse.Namespace) -> int:
    """Print what is here, and what there is."""
    rows, entries = list(_rows()), catalogue()
    if options.json:
        document: dict[str, object] = {
            "folder": str(shelf.folder()),
            "models": [_document(row) for row in rows],
            "twins": twins.size(),
        }
        if options.all:
            document["catalogue"] = [_entry_document(entry) for entry in entries.values()]
        print(json.dumps(document, ensure_ascii=False))
        return 0
    for row in rows:
        print(strong(printable(row.name)))
        for line in _details(row):
            print(dim("\n".join(paragraph(printable(line), columns(), "  "))))
    if room := twins.size():
        print(strong(twins.NAME))
        print(dim(f"  {spoken.size(room)} · made by bench --shape; localspec models rm twins"))
    if options.all:
        print()
        heads, *lines = table([_HEADS, *(_cells(entry) for entry in entries.values())])
        print("\n".join([dim(heads), *lines]))
        print(f"\n{dim('localspec models pull NAME gets one of these.')}")
    else:
        print(f"\n{dim(f'{len(entries)} more can be pulled: localspec models list --all')}")
    return 0


def _rows() -> Iterator[_Row]:
    used = usage.last_used()
    for name in models.EMBEDDED:
        target, made_for_it = models.embedded(name)
        yield _row(name, target, matches.best_for(target, made_for_it), used)
    for model in shelf.shelved():
        yield _row(model.name, model.path, matches.best_for(model.path), used)


def _row(name: str, path: Path, draft: Path | None, used: dict[Path, float]) -> _Row:
    description, problem = None, None
    try:
        description = describe(path)
    except ModelError as error:
        problem = str(error)
    size = description.size if description else path.stat().st_size
    guesses_by = draft.stem if draft else None
    return _Row(name, path, size, description, problem, guesses_by, used.get(path))


def _details(row: _Row) -> Iterator[str]:
    d = row.description
    if d is None:
        yield f"{spoken.size(row.size)} · {row.problem}"
        return
    context = f"context {d.context_length}" if d.context_length else "context unknown"
    parts = [
        spoken.size(d.size),
        d.quantization,
        f"{spoken.weights(d.parameters)} weights",
        context,
    ]
    yield " · ".join([*parts, _ago(row.last_used)])
    if row.draft:
        yield f"guesses by {row.draft}"


def _ago(when: float | None) -> str:
    if when is None:
        return "not used yet"
    days = int((time.time() - when) // 86400)
    if days < 1:
        return "used today"
    return "used yesterday" if days == 1 else f"used {days} days ago"


def _document(row: _Row) -> dict[str, object]:
    d = row.description
    origin = shelf.origin(row.path)
    return {
        "name": row.name,
        "path": str(row.path),
        "size": row.size,
        "quantization": d and d.quantization,
        "parameters": d and d.parameters,
        "context_length": d and d.context_length,
        "draft": row.draft,
        "last_used": row.last_used,
        "commit": origin and origin.commit,
        "problem": row.problem,
    }


_HEADS = ("name", "weights", "context", "licence", "comes with")


def _cells(entry: Entry) -> tuple[str, ...]:
    return (
        entry.alias,
        entry.parameters,
        str(entry.context),
        entry.licence,
        next((draft.model for draft in entry.drafts if draft.kind == "small model"), ""),
    )


def _entry_document(entry: Entry) -> dict[str, object]:
    return {
        "name": entry.alias,
        "repository": entry.repository,
        "parameters": entry.parameters,
        "context_length": entry.context,
        "licence": entry.licence,
        "template": entry.template or None,
        "files": dict(entry.files),
        "drafts": [vars(draft) for draft in entry.drafts],
        "source": entry.source,
    }
