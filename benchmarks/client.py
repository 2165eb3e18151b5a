"""A client that costs next to nothing, as it runs beside what it measures; servers to talk to."""

import asyncio
import contextlib
import json
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass
class Reply:
    """What came of a request. Times in seconds."""

    status: int
    text: str = ""
    tokens: int = 0
    first: float = 0.0
    seconds: float = 0.0
    done: bool = False


async def post(
    port: int, body: dict[str, Any]
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Ask for a chat completion as a stream; its connection."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    data = json.dumps({**body, "stream": True, "stream_options": {"include_usage": True}}).encode()
    writer.write(
        b"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
        b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(data) + data
    )
    return reader, writer


async def ask(port: int, body: dict[str, Any], leave_after: int | None = None) -> Reply:
    """Stream a chat completion; hang up after `leave_after` events, where given."""
    start = time.perf_counter()
    reader, writer = await post(port, body)
    reply, parts, events = Reply(int((await reader.readline()).split()[1])), list[str](), 0
    try:
        while line := await reader.readline():
            if not line.startswith(b"data: {"):
                reply.done = reply.done or line.startswith(b"data: [DONE]")
                continue
            event = json.loads(line[6:])
            choice = event["choices"][0] if event.get("choices") else {}
            piece = choice.get("delta", {}).get("content")
            if piece:
                reply.first = reply.first or time.perf_counter() - start
                parts.append(piece)
            if event.get("usage"):
                reply.tokens = event["usage"]["completion_tokens"]
            events += 1
            if leave_after is not None and events >= leave_after:
                break
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()
    reply.text, reply.seconds = "".join(parts), time.perf_counter() - start
    return reply


@contextlib.contextmanager
def server(command: Sequence[str], port: int) -> Iterator[subprocess.Popen[bytes]]:
    """A server process, up when the block begins and gone after it."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for _ in range(600):
            if process.poll() is not None:
                sys.exit(f"{command[0]} ended with {process.returncode}")
            with contextlib.suppress(OSError):
                urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=1).close()
                break
            time.sleep(0.1)
        yield process
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port


def localspec_command(options: Any, port: int) -> list[str]:
    """Ours, as a process."""
    return [
        sys.executable, "-m", "localspec", "serve", options.model, "--draft", options.draft,
        "--port", str(port), "--parallel", str(options.parallel), "--context", str(options.context),
    ]  # fmt: skip
