"""What localspec costs before and beside the model: seconds to start, bytes resident.

python benchmarks/footprint.py [MODEL] [--rounds 7]
"""

import argparse
import os
import re
import statistics
import subprocess
import sys
import time

import psutil

import localspec
from localspec.llama.library import log_lines


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("model", nargs="?", default="shell")
    parser.add_argument("--rounds", type=int, default=7)
    options = parser.parse_args()
    python = sys.executable
    for name, command in (
        ("python -c pass", [python, "-c", "pass"]),
        ("import localspec", [python, "-c", "import localspec"]),
        ("localspec --help", [python, "-m", "localspec", "--help"]),
    ):
        print(f"{name}: {statistics.median(elapsed(command) for _ in range(options.rounds)):.3f} s")
    generate = [python, "-m", "localspec", "generate", "-m", options.model, "--seed", "7", "Hello"]
    first = [first_byte(generate) for _ in range(options.rounds)]
    print(f"first token of generate: {statistics.median(first):.3f} s")
    memory(options.model)


def elapsed(command: list[str]) -> float:
    start = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True)
    return time.perf_counter() - start


def first_byte(command: list[str]) -> float:
    start = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout
        process.stdout.read(1)
        taken = time.perf_counter() - start
        process.stdout.read()
    return taken


def memory(model: str) -> None:
    """Resident bytes after an answer, beside what weights and caches take by themselves."""
    with localspec.load(model) as llm:
        llm.generate("Hello", max_tokens=32)
        resident = psutil.Process(os.getpid()).memory_info().rss
        weights = llm.target.size + (llm.draft.size if llm.draft else 0)
        said = re.findall(r"KV buffer size = +([\d.]+) MiB", "\n".join(log_lines()))
        caches = sum(map(float, said)) * 2**20
    print(f"resident {resident / 2**20:.0f} MiB: weights {weights / 2**20:.0f} MiB, ", end="")
    print(
        f"KV caches {caches / 2**20:.0f} MiB, rest {(resident - weights - caches) / 2**20:.0f} MiB"
    )


if __name__ == "__main__":
    main()
