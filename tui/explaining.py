"""What the models room knows of a choice, as sentences: does it fit, who guesses, how well.

Everything here takes a moment (files are read, llama.cpp is asked): not for the screen's thread.
"""

from pathlib import Path

from localspec import spoken
from localspec.drafters import drift
from localspec.errors import LocalspecError
from localspec.loading import Loading
from localspec.models import matches, pairs
from localspec.models.matches import Match
from localspec.models.pairs import Candidate
from localspec.models.reader import read_header
from localspec.models.resolve import find, resolve
from localspec.tui.backend import Choice

__all__ = ["check", "drafts", "model"]


def check(model: str, draft: str) -> None:
    """Raises LocalspecError where one of the names says no file, or one that is no model."""
    for name in (model, *({draft} - {"auto", "none"})):
        read_header(find(name))


def model(name: str, loading: Loading = Loading()) -> str:
    """Whether a model fits when it is loaded so, and who would guess for it."""
    try:
        target, draft = resolve(name)
        return f"{_room(target, draft, loading)}\n{_guesser(target, draft)}"
    except LocalspecError as error:
        return str(error)


def drafts(name: str) -> list[Choice]:
    """Who may guess for a model, the best first; then who may not, and why."""
    try:
        target, draft = resolve(name)
        known = {Path(match.path).resolve(): match for match in matches.remembered(target)}
        found = [(c, known.get(c.path.resolve())) for c in pairs.candidates(target)]
        auto = Choice("auto", "the one that was found best", _guesser(target, draft))
    except LocalspecError as error:
        found, auto = [], Choice("auto", "the one that was found best", str(error))
    found.sort(key=lambda pair: (pair[0].objection is not None, -_speedup(pair[1])))
    none = Choice("none", "guess from text already seen only")
    return [auto, none, *(_choice(name, candidate, match) for candidate, match in found)]


def _speedup(match: Match | None) -> float:
    """For ranking: who was not measured comes after who pays."""
    return match.speedup if match else 1.0


def _choice(target: str, candidate: Candidate, match: Match | None) -> Choice:
    if candidate.objection:
        meaning = f"no: {candidate.objection}"
        detail = f"It cannot guess for {target}: {candidate.objection}."
    else:
        size = f"{spoken.size(candidate.size)}, {candidate.merits}"
        if match:
            meaning = f"{match.speedup:.2f}× as fast as alone, {match.held:.0%} held"
            detail = f"{size}. {_measured(match)}"
        else:
            meaning = f"not measured; {size}"
            detail = f"{size}. localspec models pair {target} measures what it gains."
        used = drift.sentence(find(target), candidate.path)
        detail += f" {used[0].upper()}{used[1:]}." if used else ""
    return Choice(candidate.argument, meaning, detail, label=candidate.name)


def _measured(match: Match) -> str:
    held = f"{match.held:.0%} of its first guesses held"
    if match.speedup <= 1:
        return f"Measured here, {held}: {match.speedup:.2f}×, so it does not pay."
    return (
        f"Measured here, {held} and {match.length:.1f} a step were worth a look: "
        f"{match.speedup:.2f}× as fast as alone."
    )


def _guesser(target: Path, draft: Path | None) -> str:
    """Which draft a target gets, and why."""
    known = matches.remembered(target)
    if draft is None:
        why = "No draft that was measured pays" if known else "There is no draft for it here"
        return f"{why}; guesses come from text already seen."
    match = next((m for m in known if Path(m.path).resolve() == draft.resolve()), None)
    if match is None:
        return f"{draft.stem} guesses; it was made for this model."
    return f"{draft.stem} guesses. {_measured(match)}"


def _room(target: Path, draft: Path | None, loading: Loading) -> str:
    """What the models take of the memory that is free now."""
    from localspec.loading import memory  # brings llama.cpp along
    from localspec.models.description import describe
    from localspec.models.fit import suggestion

    paths = {"target": target} | ({"draft": draft} if draft else {})
    described = {role: describe(path) for role, path in paths.items()}
    length = loading.length(described["target"].context_length)
    machine, plans = memory.machine(), list(memory.plans(described, [length]))
    best = suggestion(plans, machine, length)
    least = best or min(plans, key=lambda plan: plan.host + plan.gpu)
    free = machine.host + (0 if machine.unified else machine.gpu)
    takes = f"takes {spoken.size(least.host + least.gpu)}, and {spoken.size(free)} are free"
    return f"It fits: it {takes}." if best else f"It does not fit: it {takes}."
