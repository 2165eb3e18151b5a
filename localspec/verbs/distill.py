"""`localspec distill`: makes a draft for a model, and says what it is worth."""

import argparse
import json
from pathlib import Path

from localspec import console
from localspec.distill import prompts
from localspec.distill.distill import Outcome, distill
from localspec.distill.measure import Acceptance
from localspec.llama.library import show_log
from localspec.models.pairs import made_here
from localspec.models.resolve import resolve
from localspec.progress import Progress

__all__ = ["run"]


def run(options: argparse.Namespace) -> int:
    """Ask, learn, measure, tell."""
    show_log(options.verbose)
    target, former = resolve(options.model, options.draft)
    output = options.output or made_here() / f"{target.stem}-draft.gguf"
    asked, left_out = prompts.own(options.prompts) if options.prompts else (prompts.seeds(), 0)
    if left_out:
        console.note(f"{left_out} lines of {options.prompts} are left out.")
    with Progress() as progress:
        outcome = distill(
            target,
            output,
            asked,
            size=options.size,
            seconds=options.minutes * 60,
            former=former,
            progress=progress.at,
        )
    for note in outcome.notes:
        console.note(note)
    if options.json:
        print(json.dumps(_document(target, outcome)))
    else:
        print("\n".join(console.paragraph(_page(target, outcome), console.columns())))
    return 0


def _page(target: Path, outcome: Outcome) -> str:
    after, before = outcome.after, outcome.before
    words = (
        f"{outcome.draft} guesses {after.greedy:.0%} of what {target.stem} says next with the "
        f"likeliest token, {after.sampled:.0%} at a temperature of 0.8, on {after.tokens} tokens "
        f"it did not learn from."
    )
    if before:
        words += f" The draft until now: {before.greedy:.0%} and {before.sampled:.0%}."
    if outcome.worth_using and outcome.used:
        return f"{words} --draft auto takes it from now on: {outcome.speedup:.2f}× expected here."
    if outcome.worth_using:
        return (
            f"{words} {outcome.speedup:.2f}× is expected here with --draft {outcome.draft}; "
            "auto goes on as before."
        )
    if outcome.speedup <= 1:
        return (
            f"{words} It is not worth using here ({outcome.speedup:.2f}×): more --minutes, or "
            "--prompts like those you will ask, may help."
        )
    return f"{words} That is no better, so the draft until now stays in use."


def _document(target: Path, outcome: Outcome) -> dict[str, object]:
    return {
        "target": str(target),
        "draft": str(outcome.draft),
        "parameters": outcome.shape.parameters,
        "tokens": outcome.tokens,
        "before": _shares(outcome.before),
        "after": _shares(outcome.after),
        "expected_speedup": round(outcome.speedup, 3),
        "worth_using": outcome.worth_using,
    }


def _shares(acceptance: Acceptance | None) -> dict[str, float] | None:
    if acceptance is None:
        return None
    shares = acceptance._asdict()
    return {key: round(value, 4) for key, value in shares.items()}
