"""Drafts of one target side by side, on what the shell pair is made for too.

python benchmarks/drafts.py DRAFT OTHER [OTHER …] [--target shell] [--rounds 3]

`localspec bench --against`, with the questions of the pair's judge beside its own prompts: none of
them was learnt from.
"""

import argparse
import shutil
import sys
from pathlib import Path

import localspec
from localspec.bench.benchmark import Plan, benchmark
from localspec.bench.prompts import Prompt, choose, own
from localspec.bench.screen import screen
from localspec.progress import Progress

RECIPE = Path(__file__).parents[1] / "models/shell/recipe"


def questions(each: int) -> list[Prompt]:
    """So many of a kind."""
    sys.path.insert(0, str(RECIPE))
    from blocks import blocks

    asked = []
    for kind, file in (("commands", "judge.txt"), ("functions", "judge_functions.txt")):
        texts = [question for question, _ in blocks(file)]
        asked += [Prompt(kind, text) for text in texts[:: max(1, len(texts) // each)]]
    return choose([*asked, *own()], [], each)


def main() -> None:
    parser = argparse.ArgumentParser(description="Compare drafts of one target.")
    parser.add_argument("draft", type=Path)
    parser.add_argument("others", type=Path, nargs="+")
    parser.add_argument("--target", default="shell")
    parser.add_argument("--each", type=int, default=6, help="questions of a kind")
    parser.add_argument("--tokens", type=int, default=96)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    with localspec.load(options.target, draft=options.draft) as llm:
        for other in options.others:
            plan = Plan(options.tokens, rounds=options.rounds, against=other)
            with Progress() as progress:
                result = benchmark(llm, questions(options.each), plan, progress.at)
            print(screen(result, shutil.get_terminal_size().columns))


if __name__ == "__main__":
    main()
