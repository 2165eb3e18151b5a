"""How often drafts guess right for a target, by task: judged questions, and those of `bench`.

    python acceptance.py TARGET.gguf DRAFT.gguf [DRAFT.gguf …] [--tokens N]

The target answers greedily and at temperatures of 0.7 and 1, and every draft reads the answers:
the share of places at which draft and target hold the same token for the likeliest, and the
overlap of both at a temperature of 0.8, which bounds what sampling can reach.
"""

import argparse
import tempfile
import tomllib
from importlib.resources import files
from pathlib import Path

from blocks import blocks

from localspec.distill.measure import acceptance
from localspec.distill.record import Record
from localspec.distill.writing import write


def tasks() -> dict[str, list[str]]:
    """Prompts by task; none of them was learnt from."""
    bench = tomllib.loads(files("localspec.bench").joinpath("prompts.toml").read_text("utf-8"))
    own = {
        "commands": [question for question, _ in blocks("judge.txt")],
        "functions": [question for question, _ in blocks("judge_functions.txt")],
    }
    return own | {f"bench {task}": prompts for task, prompts in bench.items()}


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description="Compare drafts of a target by task.")
    parser.add_argument("target", type=Path)
    parser.add_argument("drafts", type=Path, nargs="+")
    parser.add_argument("--tokens", type=int, default=1500, help="of each task (default 1500)")
    options = parser.parse_args()
    print("| task | " + " | ".join(f"{d.stem}: greedy, at 0.8" for d in options.drafts) + " |")
    print("|---|" + "---|" * len(options.drafts))
    for task, prompts in tasks().items():
        with tempfile.TemporaryDirectory() as folder, Record(Path(folder) / "said") as record:
            write(
                options.target, prompts, record,
                tokens=options.tokens, seconds=60, progress=lambda share, what: None,
            )  # fmt: skip
            texts = record.texts()
        cells = [acceptance(draft, texts) for draft in options.drafts]
        shares = " | ".join(f"{c.greedy:.2f}, {c.sampled:.2f}" for c in cells)
        print(f"| {task} | {shares} |", flush=True)


if __name__ == "__main__":
    main()
