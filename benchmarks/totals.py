"""Seconds that `auto` and plain decoding take for all answers of a task together.

python benchmarks/totals.py [MODEL] [--draft auto] [--rounds 2]

`localspec bench` compares answer by answer, as a person meets them; here long answers weigh more,
and a first round, which does not count, teaches the governor what things cost. Steps that read
prompts are left out on both sides, what the draft reads of them is not.
"""

import argparse
import math
from collections import defaultdict
from statistics import fmean

import localspec
from localspec.bench.ours import Meter
from localspec.bench.prompts import own
from localspec.decoding.sequence import Speculation


def main() -> None:
    parser = argparse.ArgumentParser(description="Sums of seconds by task.")
    parser.add_argument("model", nargs="?", default="shell")
    parser.add_argument("--draft", default="auto")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--tokens", type=int, default=128)
    options = parser.parse_args()
    seconds: defaultdict[tuple[str, Speculation], float] = defaultdict(float)
    with localspec.load(options.model, draft=options.draft) as llm:
        meter = Meter(llm)
        for turn in range(1 + options.rounds):
            for i, (task, text) in enumerate(own()):
                modes: list[Speculation] = ["auto", 0] if (turn + i) % 2 else [0, "auto"]
                for mode in modes:
                    llm.forget()
                    meter.take()
                    llm.generate(text, max_tokens=options.tokens, temperature=0, speculation=mode)
                    if turn:
                        seconds[task, mode] += meter.take().total
    tasks = list(dict.fromkeys(task for task, _ in own()))
    ratios = {task: seconds[task, 0] / seconds[task, "auto"] for task in tasks}
    for task, ratio in ratios.items():
        print(f"{task:12} {ratio:.3f}   {seconds[task, 0]:6.1f} s of plain decoding")
    print(f"{'mean':12} {math.exp(fmean(map(math.log, ratios.values()))):.3f}")


if __name__ == "__main__":
    main()
