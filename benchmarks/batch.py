"""Batches: speed against one at a time and against llama-server, memory, resuming, being killed.

python benchmarks/batch.py speed [--llama-server PATH] [--parallel N] [--plain] [--lines 300]
python benchmarks/batch.py memory       10,000 lines of 20 tokens
python benchmarks/batch.py resume       10,000 lines that are answered already
python benchmarks/batch.py kill         kill -9 at 50 random moments over 300 lines
"""

import argparse
import http.client
import itertools
import json
import os
import random
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
from client import free_port, server

import localspec
from localspec import models
from localspec.bench import llama_server_flags as flags
from localspec.bench.llama_server import surviving
from localspec.llama.library import threads

TOKENS = 64
VERBS = ("list", "count", "find", "copy", "compress", "delete", "sort", "rename", "compare", "show")
THINGS = (
    "files larger than 5 MB", "all Python files", "empty folders", "the newest logs", "links",
    "duplicate lines", "hidden files", "images", "processes by memory", "open ports",
)  # fmt: skip
ASKING = (
    "How do I {} {}?",
    "Write a Python function to {} {}.",
    "Explain in a sentence how to {} {}.",
)


def prompts(count: int) -> list[str]:
    """300 different ones, which then come again with a number."""
    made = [a.format(v, t) for v, t, a in itertools.product(VERBS, THINGS, ASKING)]
    return [made[n] if n < len(made) else f"{made[n % len(made)]} ({n})" for n in range(count)]


def write(path: Path, count: int, tokens: int = TOKENS, **fields: object) -> None:
    common = {"max_tokens": tokens, "temperature": 0, **fields}
    with path.open("w") as file:
        for n, prompt in enumerate(prompts(count)):
            file.write(json.dumps({"custom_id": f"n{n}", "prompt": prompt, **common}) + "\n")


def command(folder: Path, *options: str) -> list[str]:
    files = [str(folder / "in.jsonl"), "-o", str(folder / "out.jsonl")]
    return [sys.executable, "-m", "localspec", "batch", *files, *options]


def ended(output: str) -> dict[str, Any]:
    """The last event of a run."""
    document: dict[str, Any] = json.loads(output.strip().splitlines()[-1])
    return document


# Speed -----------------------------------------------------------------------------------------


def speed(options: argparse.Namespace) -> None:
    rates: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write(folder / "in.jsonl", options.lines, **({"speculation": 0} if options.plain else {}))
        for _ in range(options.rounds):
            rates.setdefault("one at a time", []).append(one_at_a_time(options.lines))
            document = batch(folder, options.parallel)
            rates.setdefault("batch", []).append(document["tokens_per_second"])
            if options.llama_server:
                n = int(options.server_parallel or document["parallel"])
                rate = peer(options.llama_server, n, options.lines)
                rates.setdefault(f"llama-server, {n} at once", []).append(rate)
    for who, found in rates.items():
        print(f"{who:28} {statistics.median(found):8.1f} tokens/s   {[round(r) for r in found]}")
    ours = rates.pop("batch")
    for who, found in rates.items():
        ratio = statistics.median(a / b for a, b in zip(ours, found, strict=True))
        print(f"batch against {who}: {ratio:.2f}×")


def one_at_a_time(count: int) -> float:
    """Through the engine of `localspec generate`, speculation as it pays."""
    with localspec.load("shell") as llm:
        llm.generate("Hello", max_tokens=8)
        start, tokens = time.perf_counter(), 0
        for prompt in prompts(count):
            answer = llm.generate(prompt, max_tokens=TOKENS, temperature=0)
            tokens += answer.statistics.completion_tokens
        return tokens / (time.perf_counter() - start)


def batch(folder: Path, parallel: str | None) -> dict[str, Any]:
    (folder / "out.jsonl").unlink(missing_ok=True)
    width = ["--parallel", parallel] if parallel else []
    run = subprocess.run(command(folder, "--json", *width), check=True, capture_output=True)
    return ended(run.stdout.decode())


def peer(binary: str, parallel: int, count: int) -> float:
    """llama-server without a draft, as many requests at a time as it has slots."""
    with serving(binary, parallel) as port:
        ask(port, "Hello")
        waiting, tokens = iter(prompts(count)), [0] * parallel
        lock = threading.Lock()

        def work(i: int) -> None:
            while True:
                with lock:
                    prompt = next(waiting, None)
                if prompt is None:
                    return
                tokens[i] += ask(port, prompt)

        workers = [threading.Thread(target=work, args=(i,)) for i in range(parallel)]
        start = time.perf_counter()
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        return sum(tokens) / (time.perf_counter() - start)


def ask(port: int, prompt: str) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", port)
    messages = [{"role": "user", "content": prompt}]
    body = {"messages": messages, "max_tokens": TOKENS, "temperature": 0}
    connection.request("POST", "/v1/chat/completions", json.dumps(body))
    answer = json.load(connection.getresponse())
    connection.close()
    return int(answer["usage"]["completion_tokens"])


@contextmanager
def serving(binary: str, parallel: int) -> Iterator[int]:
    port, path = free_port(), Path(binary)
    target, _ = models.resolve("shell")
    site = flags.Site(path, flags.help_of(path), target, None, 1024, threads(), parallel=parallel)
    order = flags.command(surviving(site), flags.Setting("plain", ()), port)
    with server(order, port):
        yield port


# Memory, resuming, being killed ----------------------------------------------------------------


def memory(options: argparse.Namespace) -> None:
    count = options.lines if options.lines != 300 else 10_000
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write(folder / "in.jsonl", count, tokens=20)
        order = command(folder, "--json")
        sizes: dict[int, float] = {}
        with subprocess.Popen(order, stdout=subprocess.PIPE, text=True) as run:
            process = psutil.Process(run.pid)
            assert run.stdout
            for event in map(json.loads, run.stdout):
                if event["event"] == "progress":
                    sizes[event["answered"]] = process.memory_info().rss / 2**20
        print(f"after {event['seconds']:.0f} s, {event['tokens_per_second']:.0f} tokens/s")
    begin = next(size for answered, size in sizes.items() if answered >= 100)
    print(f"{count} lines: {begin:.0f} MB at line 100, at most {max(sizes.values()):.0f} MB, "
          f"grown by {max(sizes.values()) - begin:.1f} MB")  # fmt: skip


def resume(options: argparse.Namespace) -> None:
    from localspec.batch.answer import entry_of
    from localspec.batch.backends.base import Reply
    from localspec.batch.journal import Journal
    from localspec.batch.request import Recipe
    from localspec.batch.source import records
    from localspec.models.fingerprint import fingerprint

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write(folder / "in.jsonl", 10_000)
        recipe = Recipe(fingerprint(models.resolve("shell")[0]))
        body = {"choices": [{"message": {"content": "word " * 40}}]}
        with Journal(folder / "out.jsonl.journal") as journal:
            for record in records(str(folder / "in.jsonl")):
                journal.append(entry_of(Reply(recipe.task(record), 200, body)))
        for what in ("journal", "output"):
            start = time.perf_counter()
            run = subprocess.run(command(folder, "--json"), check=True, capture_output=True)
            seconds = time.perf_counter() - start
            assert ended(run.stdout.decode())["answered_now"] == 0
            print(f"10,000 lines from the {what}: {seconds:.2f} s, the command's start included")


def kill(options: argparse.Namespace) -> None:
    moments = random.Random(1)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        out = folder / "out.jsonl"
        write(folder / "in.jsonl", 300, tokens=24)
        subprocess.run(command(folder), check=True, stdout=subprocess.DEVNULL)
        expected = out.read_bytes()
        kills = runs = 0
        while kills < options.kills:
            out.unlink(missing_ok=True)
            while True:
                with subprocess.Popen(command(folder), stdout=subprocess.DEVNULL) as run:
                    try:
                        run.wait(moments.uniform(0.5, 4))
                        break
                    except subprocess.TimeoutExpired:
                        os.kill(run.pid, signal.SIGKILL)
                        kills += 1
            runs += 1
            assert run.returncode == 0
            assert out.read_bytes() == expected, "the output differs"
            print(f"{kills} kills, {runs} runs: the same {len(expected)} bytes", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("what", choices=("speed", "memory", "resume", "kill"))
    parser.add_argument("--llama-server")
    parser.add_argument("--parallel", help="default: auto")
    parser.add_argument("--server-parallel", help="default: as many as the batch chose")
    parser.add_argument("--plain", action="store_true", help="no guesses in the batch")
    parser.add_argument("--lines", type=int, default=300)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--kills", type=int, default=50)
    options = parser.parse_args()
    {"speed": speed, "memory": memory, "resume": resume, "kill": kill}[options.what](options)


if __name__ == "__main__":
    main()
