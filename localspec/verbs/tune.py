"""`localspec tune`: measures what guessing costs on this computer, and says what it is good for."""

import argparse
import json

from localspec import console
from localspec.bench import advice
from localspec.bench.machine import device
from localspec.bench.tuning import tune
from localspec.llama.library import show_log
from localspec.progress import Progress

__all__ = ["run"]


def run(options: argparse.Namespace) -> int:
    """Measure, keep, explain."""
    show_log(options.verbose)
    with Progress() as progress:
        tuning = tune(options.model, options.draft, progress.at)
    for note in tuning.notes:
        console.note(note)
    if options.json:
        print(json.dumps(advice.document(tuning, device()), ensure_ascii=False))
    else:
        print(advice.page(tuning, device(), console.columns()))
    return 0
