"""Seconds until the first token of prompts of several lengths: ours, and llama-server's, in turns.

python benchmarks/reading.py MODEL [--lengths 40,100,300,960] [--rounds 5] [--llama-server PATH]

MODEL is `shell`, the name of a shape (its twin of the shell pair is built), or a file.
"""

import argparse
import statistics
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from serve import files

import localspec
from localspec.bench.contest import Question
from localspec.bench.llama_server import serving
from localspec.bench.llama_server_flags import Setting
from localspec.bench.peers import site_of
from localspec.decoding.sampling import Sampling

Read = Callable[[list[int]], object]
TEXT = "The river rose in the night, and the village carried what it could to the hill. "


@contextmanager
def peer(llm: localspec.LLM, binary: Path) -> Iterator[Read]:
    with serving(site_of(llm, binary), Setting("plain", ()), Sampling(temperature=0), 1) as server:
        yield lambda tokens: server.answer(Question("", 0, tuple(tokens)))


def timed(read: Read, tokens: list[int]) -> float:
    start = time.perf_counter()
    read(tokens)
    return time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("model")
    parser.add_argument("--lengths", default="40,100,300,960")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--llama-server", type=Path)
    options = parser.parse_args()
    lengths = [int(length) for length in options.lengths.split(",")]
    target, _ = files(options.model, "none")
    seconds = defaultdict[tuple[str, int], list[float]](list)
    with ExitStack() as stack:
        llm = stack.enter_context(localspec.load(target, draft="none", context=max(lengths) + 16))
        text = llm.target.vocabulary.tokenize(TEXT * max(lengths))

        def ours(tokens: list[int]) -> None:
            llm.forget()
            llm.generate(tokens, max_tokens=1, temperature=0)

        readers: dict[str, Read] = {"localspec": ours}
        if options.llama_server:
            readers["llama-server"] = stack.enter_context(peer(llm, options.llama_server))
        for read in readers.values():
            read(text[:20])
        for _ in range(options.rounds):
            for length in lengths:
                for name, read in readers.items():
                    seconds[name, length].append(timed(read, text[:length]))
    for length in lengths:
        found = {name: statistics.median(seconds[name, length]) for name in readers}
        print(length, "tokens:", *(f"{name} {value:.2f} s " for name, value in found.items()))


if __name__ == "__main__":
    main()
