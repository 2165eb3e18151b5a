"""Time a step spends outside llama.cpp's decodes: sampling, verification, bookkeeping.

python benchmarks/overhead.py MODEL.gguf [--draft DRAFT.gguf] [--tokens 128] [--rounds 5]
"""

import argparse
import statistics
import time
from collections.abc import Callable, Iterable

import localspec
from localspec.decoding.sequence import Speculation
from localspec.llama.context import Context
from localspec.llama.rows import Logits, Run, nothing
from localspec.runtime import Options

SAMPLINGS: dict[str, Options] = {
    "greedy": {"temperature": 0.0},
    "T 0.8, top-p 0.95": {"temperature": 0.8, "top_p": 0.95},
}
SPECULATIONS: tuple[Speculation, ...] = (0, 3, "auto")


class Stopwatch:
    """Counts target decodes and the time inside all decodes."""

    def __init__(self) -> None:
        self.seconds, self.steps = 0.0, 0
        inner = Context.decode

        def decode(
            context: Context, runs: Iterable[Run], meanwhile: Callable[[], None] = nothing
        ) -> Logits:
            start = time.perf_counter()
            logits = inner(context, runs, meanwhile)
            self.seconds += time.perf_counter() - start
            self.steps += 1
            return logits

        Context.decode = decode  # type: ignore[assignment, method-assign]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("model")
    parser.add_argument("--draft", default="auto")
    parser.add_argument("--tokens", type=int, default=128)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    watch = Stopwatch()
    with localspec.load(options.model, draft=options.draft) as llm:
        print(f"{llm.target.name}, vocabulary {llm.target.vocabulary.size}")
        for name, sampling in SAMPLINGS.items():
            for speculation in SPECULATIONS:
                spent = [
                    overhead(llm, watch, options.tokens, speculation, sampling)
                    for _ in range(options.rounds)
                ]
                print(
                    f"{name}, speculation {speculation}: {statistics.median(spent):.0f} µs a step"
                )


def overhead(
    llm: localspec.LLM,
    watch: Stopwatch,
    tokens: int,
    speculation: Speculation,
    sampling: Options,
) -> float:
    """Microseconds a step of the target."""
    llm.forget()
    watch.seconds, watch.steps = 0.0, 0
    asked: Options = {**sampling, "max_tokens": tokens, "seed": 7, "speculation": speculation}
    answer = llm.generate("Write a Python function that sorts a list of numbers.", **asked)
    total = answer.statistics.prompt_seconds + answer.statistics.predicted_seconds
    return (total - watch.seconds) / max(1, answer.statistics.steps) * 1e6


if __name__ == "__main__":
    main()
