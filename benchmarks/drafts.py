"""Drafts of one target side by side, in one run and in turns.

python benchmarks/drafts.py DRAFT [DRAFT …] [--target shell] [--rounds 3]

Each draft is loaded with a target of its own, `auto` decides. Questions of the shell pair's judge
and of `localspec bench` are asked in turns, greedily, plain decoding first; by kind of question:
tokens a second of plain decoding, and how many times as fast each draft makes it (medians over
questions).
"""

import argparse
import statistics
import sys
from collections import defaultdict
from contextlib import ExitStack
from pathlib import Path

import localspec
from localspec.bench.prompts import own
from localspec.decoding.sequence import Speculation
from localspec.runtime import LLM

RECIPE = Path(__file__).parents[1] / "models/shell/recipe"


def questions(each: int) -> dict[str, list[str]]:
    """By kind; none of them was learnt from."""
    sys.path.insert(0, str(RECIPE))
    from blocks import blocks

    asked = {
        "commands": [question for question, _ in blocks("judge.txt")],
        "functions": [question for question, _ in blocks("judge_functions.txt")],
    }
    for prompt in own():
        asked.setdefault(prompt.task, []).append(prompt.text)
    return {kind: texts[:: max(1, len(texts) // each)][:each] for kind, texts in asked.items()}


def rate(llm: LLM, question: str, tokens: int, speculation: Speculation) -> float:
    """Tokens a second after the first."""
    llm.forget()
    answer = llm.generate(question, max_tokens=tokens, temperature=0, speculation=speculation)
    return answer.statistics.tokens_per_second or 0.0


def main() -> None:
    parser = argparse.ArgumentParser(description="Compare drafts of one target.")
    parser.add_argument("drafts", type=Path, nargs="+")
    parser.add_argument("--target", default="shell")
    parser.add_argument("--each", type=int, default=8, help="questions of a kind")
    parser.add_argument("--tokens", type=int, default=96)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    with ExitStack() as stack:
        llms = [
            stack.enter_context(localspec.load(options.target, draft=draft))
            for draft in options.drafts
        ]
        for llm in llms:
            rate(llm, "Hello", 8, 0)
        print(f"{'':12}{'plain':>9}" + "".join(f"{d.stem[:18]:>20}" for d in options.drafts))
        for kind, texts in questions(options.each).items():
            rates = defaultdict[tuple[str, int], list[float]](list)
            for _ in range(options.rounds):
                for text in texts:
                    rates[text, -1].append(rate(llms[0], text, options.tokens, 0))
                    for i, llm in enumerate(llms):
                        rates[text, i].append(rate(llm, text, options.tokens, "auto"))
            of = {key: statistics.median(found) for key, found in rates.items()}
            plain = statistics.median(of[text, -1] for text in texts)
            gains = [
                statistics.median(of[text, i] / of[text, -1] for text in texts if of[text, -1])
                for i in range(len(llms))
            ]
            print(f"{kind:12}{plain:9.1f}" + "".join(f"{gain:20.2f}" for gain in gains), flush=True)


if __name__ == "__main__":
    main()
