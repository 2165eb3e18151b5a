"""A thousand requests, many clients, random hanging up: nothing leaks, nothing is wrong.

python benchmarks/soak.py [MODEL] [--draft DRAFT] [--requests 1000] [--clients 16]

First every question is asked alone; then clients ask them in any order, all at once, with other
speculation, and leave some answers early. What was heard must be what was said alone. Then clients
hang up one by one: their slot must be free within a step and 50 ms. In the end 500 connections
come at once, and must get answers or a 503.
"""

import argparse
import asyncio
import collections
import random
import re
import statistics
import sys
import time
from typing import Any

import psutil
from client import ask, free_port, localspec_command, post, server

from localspec.bench import prompts

BABBLE = {str(token): -100 for token in range(16)}
"""Against the tokens that end an answer, which the shell's vocabulary has at its beginning."""


LOOK_AGAIN = 0.005
"""Seconds; asking without a pause keeps a core busy that the step needs to come to its end."""


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("model", nargs="?", default="shell")
    parser.add_argument("--draft", default="auto")
    parser.add_argument("--requests", type=int, default=1000)
    parser.add_argument("--clients", type=int, default=16)
    parser.add_argument("--questions", type=int, default=40)
    parser.add_argument("--tokens", type=int, default=16)
    parser.add_argument("--parallel", type=int, default=8)
    parser.add_argument("--context", type=int, default=512)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    port = free_port()
    with server(localspec_command(options, port), port) as process:
        found = asyncio.run(soak(port, psutil.Process(process.pid), options))
    print(f"{'passed' if found else 'FAILED'}")
    sys.exit(0 if found else 1)


async def soak(port: int, process: psutil.Process, options: argparse.Namespace) -> bool:
    chance = random.Random(options.seed)
    short = [prompt.text for prompt in prompts.own() if len(prompt.text) < 150]
    bodies = [body(chance.choice(short), i, options.tokens) for i in range(options.questions)]
    alone = [(await ask(port, {**b, "speculation": "off"})).text for b in bodies]
    wrong = left = broken = 0
    memory = list[int]()
    todo = iter(range(options.requests))
    start = time.perf_counter()

    async def client() -> None:
        nonlocal wrong, left, broken
        for n in todo:
            which = chance.randrange(len(bodies))
            leave = chance.randrange(1, 12) if chance.random() < 0.3 else None
            speculation = chance.choice(["auto", "off", 1, 3, 8])
            reply = await ask(port, {**bodies[which], "speculation": speculation}, leave)
            expected = alone[which]
            if leave is not None and not reply.done:
                left += 1
                expected = expected[: len(reply.text)]
            elif not reply.done:
                broken += 1
            wrong += reply.text != expected
            if n % 50 == 0:
                memory.append(process.memory_info().rss)

    await asyncio.gather(*(client() for _ in range(options.clients)))
    settled = memory[len(memory) // 5 :]
    growth = settled[-1] / settled[0] - 1
    print(
        f"{options.requests} requests by {options.clients} clients in "
        f"{time.perf_counter() - start:.0f} s: {left} left early, {broken} broken, {wrong} wrong; "
        f"memory {settled[0] / 2**20:.0f} to {settled[-1] / 2**20:.0f} MiB ({growth:+.1%})"
    )
    freed = await cancellations(port, bodies[0])
    replies = await asyncio.gather(
        *(ask(port, bodies[i % len(bodies)]) for i in range(500)), return_exceptions=True
    )
    told = collections.Counter(
        reply.status if not isinstance(reply, BaseException) else repr(reply) for reply in replies
    )
    print("500 connections at once:", dict(told))
    again = (await ask(port, bodies[0])).text == alone[0]
    clean = not (wrong or broken) and abs(growth) < 0.05 and freed
    return clean and set(told) == {200, 503} and again


async def cancellations(port: int, asked: dict[str, Any], times: int = 50) -> bool:
    """Whether the slots of clients that hang up are free in time, by what /metrics says."""
    took, late = list[float](), list[float]()
    for seed in range(times):
        longest = 0.0  # that a step took
        # Another text each time: one that is foreseen comes in steps of a hundred rows.
        babble = {"max_tokens": 400, "logit_bias": BABBLE, "temperature": 1.0, "seed": seed}
        reader, writer = await post(port, asked | babble)
        for i in range(8):
            start = time.perf_counter()
            while not (await reader.readline()).startswith(b"data: "):
                pass
            if i > 1:  # before are the role and the prompt
                longest = max(longest, time.perf_counter() - start)
        start = time.perf_counter()
        writer.close()
        while await running(port):
            await asyncio.sleep(LOOK_AGAIN)
        took.append(time.perf_counter() - start)
        late.append(took[-1] - longest)
    print(
        f"{times} slots free {statistics.median(took) * 1000:.0f} ms (median), "
        f"{max(took) * 1000:.0f} ms (most) after a client hung up; "
        f"at most {max(late) * 1000:.0f} ms beyond the longest of six steps"
    )
    return max(late) < 0.05


async def running(port: int) -> float:
    """Answers in work, as the server tells Prometheus."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
    told = (await reader.read()).decode()
    writer.close()
    found = re.search(r"^vllm:num_requests_running\S* (\S+)$", told, re.MULTILINE)
    assert found
    return float(found[1])


def body(text: str, seed: int, tokens: int) -> dict[str, Any]:
    """Every other question is answered greedily."""
    return {
        "messages": [{"role": "user", "content": text}],
        "seed": seed,
        "temperature": 0.0 if seed % 2 else 0.9,
        "max_tokens": tokens,
    }


if __name__ == "__main__":
    main()
