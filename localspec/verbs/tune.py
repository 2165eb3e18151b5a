"""`localspec tune`: measures what guessing costs on this computer, and says what it is good for."""

import argparse
import json
import shutil

import localspec
from localspec.bench import advice
from localspec.bench.machine import device
from localspec.bench.progress import Progress
from localspec.bench.tuning import tune
from localspec.console import Waiting
from localspec.llama.library import show_log

__all__ = ["run"]


def run(options: argparse.Namespace) -> int:
    """Measure, keep, explain."""
    show_log(options.verbose)
    with Waiting() as waiting:
        waiting.say(f"loading {options.model}")
        llm = localspec.load(options.model, draft=options.draft)
        for note in llm.notes:
            waiting.note(note)
    with llm:
        with Progress() as progress:
            tuning = tune(llm, progress.at)
        name, draft = llm.target.name, llm.draft.name if llm.draft else None
    if options.json:
        print(json.dumps(advice.document(tuning, name, draft, device()), ensure_ascii=False))
    else:
        print(advice.page(tuning, name, device(), shutil.get_terminal_size().columns))
    return 0
