"""Tokens a second and time to first token under load, in turns with llama-server.

python benchmarks/serve.py MODEL.gguf --draft DRAFT.gguf --peer LLAMA_SERVER

Every round asks both servers the same prompts at every number of clients. Medians of rounds.
"""

import argparse
import asyncio
import shlex
import statistics
import time
from contextlib import ExitStack
from itertools import count

from client import Reply, ask, free_port, localspec_command, server

from localspec.bench import prompts


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("model")
    parser.add_argument("--draft", default="auto")
    parser.add_argument("--peer", metavar="LLAMA_SERVER")
    parser.add_argument("--peer-flags", default="")
    parser.add_argument("--clients", default="1,4,16")
    parser.add_argument("--requests", type=int, default=2, help="of each client in a round")
    parser.add_argument("--tokens", type=int, default=48)
    parser.add_argument("--temperature", type=float, default=0.0)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--parallel", type=int, default=16)
    parser.add_argument("--context", type=int, default=1024)
    parser.add_argument("--speculation", default="auto")
    options = parser.parse_args()
    clients = [int(n) for n in options.clients.split(",")]
    results: dict[tuple[str, int], list[tuple[float, list[Reply]]]] = {}
    with ExitStack() as stack:
        ports = {"localspec": free_port()}
        stack.enter_context(
            server(localspec_command(options, ports["localspec"]), ports["localspec"])
        )
        if options.peer:
            ports["llama-server"] = free_port()
            command = [
                options.peer, "-m", options.model, "--port", str(ports["llama-server"]),
                "-np", str(options.parallel), "-c", str(options.context * options.parallel),
                *shlex.split(options.peer_flags),
            ]  # fmt: skip
            stack.enter_context(server(command, ports["llama-server"]))
        texts = [prompt.text for prompt in prompts.own()]
        fresh = count()
        for port in ports.values():
            asyncio.run(load(port, 1, 1, texts[:1], options))
        for _ in range(options.rounds):
            for n in clients:
                number = next(fresh)
                first = (number * 7) % len(texts)
                chosen = [  # no server has seen any of them before, nor how they begin
                    f"({number}.{i}) {texts[(first + i) % len(texts)]}"
                    for i in range(n * options.requests)
                ]
                for name, port in ports.items():
                    result = asyncio.run(load(port, n, options.requests, chosen, options))
                    results.setdefault((name, n), []).append(result)
    for n in clients:
        for name in ports:
            print(line(name, n, results[name, n]))


async def load(
    port: int, clients: int, requests: int, texts: list[str], options: argparse.Namespace
) -> tuple[float, list[Reply]]:
    """Wall seconds, and the replies to `clients` who each ask `requests` times in a row."""

    async def client(who: int) -> list[Reply]:
        replies = []
        for i in range(requests):
            text = texts[who * requests + i]
            body = {
                "messages": [{"role": "user", "content": text}],
                "max_tokens": options.tokens,
                "temperature": options.temperature,
                "seed": 7 + who,
            }
            if options.speculation != "auto":
                body["speculation"] = options.speculation
            replies.append(await ask(port, body))
        return replies

    start = time.perf_counter()
    replies = await asyncio.gather(*(client(who) for who in range(clients)))
    return time.perf_counter() - start, [reply for some in replies for reply in some]


def line(name: str, clients: int, rounds: list[tuple[float, list[Reply]]]) -> str:
    speed = statistics.median(sum(r.tokens for r in rs) / seconds for seconds, rs in rounds)
    firsts = sorted(r.first for _, replies in rounds for r in replies if r.first)
    failed = sum(not r.done for _, replies in rounds for r in replies)
    p99 = firsts[min(len(firsts) - 1, int(len(firsts) * 0.99))]
    return (
        f"{clients:3} clients  {name:<12} {speed:7.1f} tokens/s   first token "
        f"{statistics.median(firsts) * 1000:6.0f} ms, p99 {p99 * 1000:6.0f} ms"
        + (f"   {failed} failed" if failed else "")
    )


if __name__ == "__main__":
    main()
