"""Arguments of `localspec distill`."""

import argparse
from pathlib import Path

from localspec.arguments.common import MODEL, Verbs, add_draft, add_verb

__all__ = ["add"]


def add(verbs: Verbs) -> None:
    """The flags of `localspec distill`."""
    verb = add_verb(
        verbs,
        "distill",
        "make a draft for a model",
        "Let a model answer many prompts, train a small decoder to guess what it says, measure "
        "it, and remember it for --draft auto. Started again after an interruption, it goes on "
        "where it was. Needs torch: pip install 'localspec[distill]'.",
        example="llama-3.1-8b --minutes 60",
    )
    verb.add_argument("model", metavar="TARGET", help=MODEL)
    add_draft(verb, "the draft until now, to compare with and go on from: auto, none, or a model")
    verb.add_argument(
        "-o", "--output", type=Path, metavar="FILE", help="the draft (default: in the data folder)"
    )
    verb.add_argument(
        "--prompts", type=Path, metavar="FILE", help='what to ask: a prompt or {"prompt": …} a line'
    )
    verb.add_argument(
        "--size",
        choices=("tiny", "small"),
        default="tiny",
        help="2 layers of width 256, or 4 of 512 (default: tiny)",
    )
    verb.add_argument(
        "--minutes", type=_minutes, default=20.0, metavar="N", help="how long (default: 20)"
    )


def _minutes(text: str) -> float:
    try:
        minutes = float(text)
    except ValueError:
        minutes = 0.0
    if not 0.0 < minutes <= 10_000:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of minutes")
    return minutes
