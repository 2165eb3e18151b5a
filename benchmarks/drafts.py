"""Drafts of one target side by side, in one run and in turns.

python benchmarks/drafts.py DRAFT [DRAFT …] [--target shell] [--rounds 3]

Each draft has a target and a process of its own (OpenMP's threads sleep sooner where a process has
more of them than the computer has cores, which would slow all down); `auto` decides. Questions of
the shell pair's judge and of `localspec bench` are asked in turns, greedily; by kind of question:
tokens a second of plain decoding, and how many times as fast each draft makes it (medians over
questions).
"""

import argparse
import statistics
import sys
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path

import localspec
from localspec.bench.prompts import own
from localspec.decoding.sequence import Speculation

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


def serve(pipe: Connection, target: str, draft: Path, tokens: int) -> None:
    """In a process: answer questions with the tokens a second after the first token."""
    with localspec.load(target, draft=draft) as llm:
        while asked := pipe.recv():
            question, speculation = asked
            llm.forget()
            answer = llm.generate(
                question, max_tokens=tokens, temperature=0, speculation=speculation
            )
            pipe.send(answer.statistics.tokens_per_second or 0.0)


def started(options: argparse.Namespace) -> list[Connection]:
    """The way to a process for each draft, begun one after another."""
    context, pipes = get_context("spawn"), []
    for draft in options.drafts:
        here, there = context.Pipe()
        arguments = (there, options.target, draft, options.tokens)
        context.Process(target=serve, args=arguments, daemon=True).start()
        pipes.append(here)
        rate(here, "Hello", 0)  # so that none measures what decoding costs beside another
    return pipes


def rate(pipe: Connection, question: str, speculation: Speculation) -> float:
    pipe.send((question, speculation))
    return float(pipe.recv())


def main() -> None:
    parser = argparse.ArgumentParser(description="Compare drafts of one target.")
    parser.add_argument("drafts", type=Path, nargs="+")
    parser.add_argument("--target", default="shell")
    parser.add_argument("--each", type=int, default=6, help="questions of a kind")
    parser.add_argument("--tokens", type=int, default=96)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    pipes = started(options)
    print(f"{'':12}{'plain':>9}" + "".join(f"{d.stem[:18]:>20}" for d in options.drafts))
    for kind, texts in questions(options.each).items():
        plain, ratios = list[float](), [list[float]() for _ in pipes]
        for text in texts * options.rounds:
            for pipe, found in zip(pipes, ratios, strict=True):
                plain.append(rate(pipe, text, 0))
                found.append(rate(pipe, text, "auto") / plain[-1])
        medians = "".join(f"{statistics.median(found):20.2f}" for found in ratios)
        print(f"{kind:12}{statistics.median(plain):9.1f}{medians}", flush=True)


if __name__ == "__main__":
    main()
