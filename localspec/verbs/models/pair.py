"""`localspec models pair`: which drafts go with a model, why others do not, and what it gains."""

import argparse
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Literal

from localspec import spoken
from localspec.bench.pairing import Measured, measure, remember
from localspec.console import columns, dim, mark, paragraph, printable, strong
from localspec.drafters import drift
from localspec.llama.library import show_log
from localspec.models import matches, pairs
from localspec.models.catalogue import Suggestion
from localspec.models.pairs import Candidate
from localspec.models.resolve import find
from localspec.progress import Progress

__all__ = ["run"]

_INDENT = "    "

Found = Mapping[Path, Measured]


def run(options: argparse.Namespace) -> int:
    """Judge by the headers, measure what is left, remember, explain."""
    show_log(options.verbose)
    target = find(options.model)
    candidates = pairs.candidates(target, [(name, find(name)) for name in options.drafts])
    fit = [] if options.quick else [c for c in candidates if c.objection is None]
    measured: dict[Path, Measured] = {}
    kept = True
    if fit:
        with Progress() as progress:
            for result in measure(target, (c.path for c in fit), progress.at):
                measured[result.draft] = result
        kept = remember(target, ((c.name, measured[c.path]) for c in fit))
    candidates.sort(key=lambda c: -_speedup(c, measured))
    suggestions = matches.suggestions(target)
    if options.json:
        print(json.dumps(_document(target, candidates, measured, suggestions)))
    else:
        for sign, name, words in _lines(target, candidates, measured, suggestions):
            print(f"{sign} {strong(printable(name))}")
            print(dim("\n".join(paragraph(printable(words), columns(), _INDENT))))
        if candidates or suggestions:
            print()
        conclusion = _conclusion(options.model, candidates, measured, kept=kept)
        print("\n".join(paragraph(conclusion, columns())))
    return 0


def _speedup(candidate: Candidate, measured: Found) -> float:
    """For ranking: what was measured, then what might be, then what cannot."""
    found = measured.get(candidate.path)
    if candidate.objection or (found and found.objection):
        return 0.0
    return found.speedup if found else 0.5


def _lines(
    target: Path, candidates: list[Candidate], measured: Found, suggestions: list[Suggestion]
) -> Iterator[tuple[str, str, str]]:
    """A sign, a name and words for each draft."""
    for candidate in candidates:
        state, words = _verdict(candidate, measured.get(candidate.path))
        used = None if candidate.objection else drift.sentence(target, candidate.path)
        yield mark(state), candidate.name, f"{words}; {used}" if used else words
    for suggestion in suggestions:
        yield "+", suggestion.model, _hint(suggestion)


def _hint(suggestion: Suggestion) -> str:
    """What the catalogue knows of a draft that is not here."""
    known = f" ({suggestion.note})" if suggestion.note else ""
    if suggestion.kind == "small model":
        words = "known to share its vocabulary, but not here"
        return f"{words}{known}: localspec models pull {suggestion.model}"
    return f"an {suggestion.kind} head for this model; those cannot be used here yet{known}"


def _verdict(
    candidate: Candidate, found: Measured | None
) -> tuple[Literal["ok", "warning", "failed"], str]:
    if candidate.objection:
        return "failed", candidate.objection
    size = f"{spoken.size(candidate.size)}, {candidate.merits}"
    if found is None:
        return "ok", f"{size}; not measured"
    if found.objection:
        return "failed", found.objection
    held = f"{found.held:.0%} of its first guesses held, each takes {found.seconds * 1000:.2g} ms"
    if found.speedup <= 1:
        return "warning", f"{size}; {held}: {found.speedup:.2f}×, it does not pay here"
    looked_at = f"{found.length:.1f} of them looked at a step"
    return "ok", f"{size}; {held}, {looked_at}: {found.speedup:.2f}× as fast as alone"


def _conclusion(model: str, candidates: list[Candidate], measured: Found, *, kept: bool) -> str:
    best = next((c for c in candidates if _speedup(c, measured) > 1), None)
    if best and kept:
        return f"--draft auto takes {best.name} for {model} from now on."
    if best:
        return f"{best.name} is the best for {model}; --draft {best.argument} takes it."
    if measured:
        return (
            "None of them pays here, so --draft auto takes none; guesses from text already "
            "seen go on, as they cost next to nothing."
        )
    if any(c.objection is None for c in candidates):
        return "Without --quick they are measured, and the best is remembered."
    return (
        f"No draft for {model} is here. One of the same family with a tenth of its weights or "
        "less would do: pull or name one, and pair again."
    )


def _document(
    target: Path, candidates: list[Candidate], measured: Found, suggestions: list[Suggestion]
) -> dict[str, object]:
    found = []
    for candidate in candidates:
        m = measured.get(candidate.path)
        found.append(
            {
                "name": candidate.name,
                "path": str(candidate.path),
                "size": candidate.size,
                "objection": candidate.objection or (m and m.objection) or None,
                "merits": candidate.merits,
                "first_guesses_held": m and round(m.held, 4),
                "guess_ms": m and round(m.seconds * 1000, 4),
                "length": m and round(m.length, 2),
                "expected_speedup": m and round(m.speedup, 3),
            }
        )
    best = next((c for c in candidates if _speedup(c, measured) > 1), None)
    return {
        "target": str(target),
        "candidates": found,
        "suggestions": [vars(suggestion) for suggestion in suggestions],
        "best": best and str(best.path),
    }
