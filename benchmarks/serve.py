"""Tokens a second and time to first token under load, in turns with llama-server.

python benchmarks/serve.py [shell] [qwen3-0.6b] [FILE.gguf] --llama-server PATH

A model is `shell`, the name of a shape (its twin of the shell pair is built), or a file. Every
round asks all servers the same prompts at every number of clients; llama-server runs without
guessing and with the draft, with `--all` in every setting it is known to be good at, and the best
one counts. With one client the engine alone, as `localspec generate` has it, takes part too.
Medians of rounds.
"""

import argparse
import asyncio
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from itertools import count
from pathlib import Path
from typing import NamedTuple

from client import Reply, ask, free_port, localspec_command, server

import localspec
from localspec import models
from localspec.bench import llama_server_flags as flags
from localspec.bench import prompts, twins
from localspec.bench.llama_server import surviving
from localspec.bench.shapes import draft_shape, shape_named
from localspec.llama.library import threads

ENGINE = "engine alone"


class Load(NamedTuple):
    """What came of one round: wall seconds and the replies."""

    seconds: float
    replies: list[Reply]

    @property
    def speed(self) -> float:
        return sum(reply.tokens for reply in self.replies) / self.seconds


Contestant = Callable[[int, list[str]], Load]
"""Asks texts by so many clients, each of whom waits for an answer before asking again."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("models", nargs="*", default=["shell", "qwen3-0.6b"])
    parser.add_argument("--draft", default="auto", help="of a model that is a file")
    parser.add_argument("--llama-server", type=Path, metavar="PATH")
    parser.add_argument("--all", action="store_true", help="llama-server in all its settings")
    parser.add_argument("--clients", default="1,4,16")
    parser.add_argument("--requests", type=int, default=2, help="of each client in a round")
    parser.add_argument("--tokens", type=int, default=48)
    parser.add_argument("--temperature", type=float, default=0.0)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--parallel", type=int, default=16)
    parser.add_argument("--context", type=int, default=1024)
    options = parser.parse_args()
    for name in options.models:
        print(f"{name}:")
        pair = files(name, options.draft)
        with ExitStack() as stack:
            for text in measure(dict(contestants(pair, options, stack)), options):
                print(text, flush=True)


def files(name: str, draft: str) -> tuple[Path, Path | None]:
    """Target and draft."""
    if name.endswith(".gguf"):
        return models.resolve(name, draft)
    pair = models.embedded("shell")
    if name == "shell":
        return pair.target, pair.draft
    shape = shape_named(name)
    return (
        twins.build(shape, "Q4_0", pair.target),
        twins.build(draft_shape(shape), "Q4_0", pair.draft),
    )


def contestants(
    pair: tuple[Path, Path | None], options: argparse.Namespace, stack: ExitStack
) -> Iterator[tuple[str, Contestant]]:
    """All who take part, ready to be asked."""
    target, draft = pair
    options.model, options.draft = str(target), str(draft or "none")
    port = free_port()
    stack.enter_context(server(localspec_command(options, port), port))
    yield "localspec", over_http(port, options)
    llm = stack.enter_context(
        localspec.load(target, draft=draft or "none", context=options.context)
    )
    yield ENGINE, alone(llm, options)
    if options.llama_server is None:
        return
    site = flags.Site(
        binary=options.llama_server,
        help_text=flags.help_of(options.llama_server),
        target=target,
        draft=draft,
        context=options.context,
        threads=threads(),
        parallel=options.parallel,
    )
    site = surviving(site)
    for setting in flags.settings(site.help_text, draft, every=options.all):
        port = free_port()
        stack.enter_context(server(flags.command(site, setting, port), port))
        yield f"llama-server, {setting.name}", over_http(port, options)


def measure(who: dict[str, Contestant], options: argparse.Namespace) -> Iterator[str]:
    """Let all be asked in turns; the lines of the table."""
    texts, fresh = [prompt.text for prompt in prompts.own()], count()
    for contestant in who.values():
        contestant(1, texts[:1])
    loads: dict[tuple[str, int], list[Load]] = {}
    sizes = [int(n) for n in options.clients.split(",")]
    for _ in range(options.rounds):
        for n in sizes:
            number = next(fresh)
            chosen = [  # nobody has seen any of them before, nor how they begin
                f"({number}.{i}) {texts[(number * 7 + i) % len(texts)]}"
                for i in range(n * options.requests)
            ]
            for name, contestant in who.items():
                if n == 1 or name != ENGINE:
                    loads.setdefault((name, n), []).append(contestant(n, chosen))
    for n in sizes:
        mine = loads["localspec", n]
        for name in who:
            if (name, n) in loads:
                yield line(name, n, loads[name, n], mine)


def over_http(port: int, options: argparse.Namespace) -> Contestant:
    """A server, asked by clients in this process."""

    async def load(clients: int, texts: list[str]) -> Load:
        async def client(who: int) -> list[Reply]:
            mine = texts[who::clients]
            return [await ask(port, body(text, options)) for text in mine]

        start = time.perf_counter()
        replies = await asyncio.gather(*(client(who) for who in range(clients)))
        return Load(time.perf_counter() - start, [reply for some in replies for reply in some])

    return lambda clients, texts: asyncio.run(load(clients, texts))


def body(text: str, options: argparse.Namespace) -> dict[str, object]:
    return {
        "messages": [{"role": "user", "content": text}],
        "max_tokens": options.tokens,
        "temperature": options.temperature,
        "seed": 7,
    }


def alone(llm: localspec.LLM, options: argparse.Namespace) -> Contestant:
    """The engine in this process."""

    def load(clients: int, texts: list[str]) -> Load:
        start, replies = time.perf_counter(), []
        for text in texts:
            answer = llm.generate(
                text, max_tokens=options.tokens, temperature=options.temperature, seed=7
            )
            s = answer.statistics
            replies.append(
                Reply(200, answer.text, s.completion_tokens, s.first_token_seconds, done=True)
            )
        return Load(time.perf_counter() - start, replies)

    return load


def line(name: str, clients: int, loads: list[Load], mine: list[Load]) -> str:
    speed = statistics.median(load.speed for load in loads)
    ratio = statistics.median(a.speed / b.speed for a, b in zip(mine, loads, strict=True))
    replies = [reply for load in loads for reply in load.replies]
    firsts = sorted(reply.first for reply in replies if reply.first)
    p99 = firsts[min(len(firsts) - 1, int(len(firsts) * 0.99))]
    failed = sum(not reply.done for reply in replies)
    return (
        f"{clients:3} clients  {name:<32} {speed:7.1f} tokens/s   localspec {ratio:5.2f}x   "
        f"first token {statistics.median(firsts) * 1000:6.0f} ms, p99 {p99 * 1000:6.0f} ms"
        + (f"   {failed} failed" if failed else "")
    )


if __name__ == "__main__":
    main()
