"""Whether the chat slows decoding down: the same answers through `generate` and through the app.

    python benchmarks/chat_speed.py [MODEL] [ROUNDS]

In turns within one process and one loaded model: a question through the Python API, as `localspec
generate` asks it, and the same in the app, which draws to a pty. Same seed, same tokens. Then the
time from the start of `localspec chat` to its first screen. POSIX only.
"""

import argparse
import asyncio
import json
import os
import pty
import select
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from chat_drawing import run_in_terminal

QUESTION = "Write a function that counts the words of a text, and explain it."
OPTIONS: dict[str, Any] = {"seed": 7, "temperature": 1.0, "max_tokens": 200}


def child(model: str, rounds: int, report: Path) -> None:
    from localspec.tui.app import Chat
    from localspec.tui.here import Here
    from localspec.tui.local import Local
    from localspec.tui.store import Store

    chat = Chat(Store(Path(tempfile.mkdtemp()) / "chats.db"), Here(), model=model)

    async def compare() -> None:
        while not chat.session.backend:
            await asyncio.sleep(0.05)
        assert isinstance(chat.session.backend, Local)
        llm = chat.session.backend.llm
        plain, drawn = [], []
        for _ in range(rounds):
            llm.forget()
            answer = await asyncio.to_thread(
                llm.generate, [{"role": "user", "content": QUESTION}], **OPTIONS
            )
            plain.append(answer.statistics.tokens_per_second)
            llm.forget()
            chat.session.choices = dict(OPTIONS)
            await chat.action_command("new")
            chat.prompt.put(QUESTION)
            chat.prompt.enter()
            await asyncio.sleep(0.2)
            while chat.session.running:
                await asyncio.sleep(0.2)
            message = chat.session.tree.path()[-1]
            assert message.figures
            assert message.content == answer.text
            drawn.append(message.figures.statistics.tokens_per_second)
        report.write_text(json.dumps({"plain": plain, "drawn": drawn}))
        chat.exit()

    chat.call_later(lambda: chat.run_worker(compare()))
    chat.run()


def first_screen() -> float:
    """Seconds from the command to the first screen with a prompt on it."""
    start = time.perf_counter()
    process, master = pty.fork()
    if process == 0:
        os.execv(sys.executable, [sys.executable, "-m", "localspec", "chat"])
    seen = b""
    while b"for commands" not in seen:
        if select.select([master], [], [], 20)[0]:
            seen += os.read(master, 1 << 16)
    elapsed = time.perf_counter() - start
    os.write(master, b"\x11")  # ctrl+q
    while select.select([master], [], [], 20)[0]:
        try:
            if not os.read(master, 1 << 16):
                break
        except OSError:
            break
    os.waitpid(process, 0)
    os.close(master)
    return elapsed


def main() -> None:
    parser = argparse.ArgumentParser(description="Compare answers in the chat with those outside.")
    parser.add_argument("model", nargs="?", default="shell")
    parser.add_argument("rounds", type=int, nargs="?", default=7)
    parser.add_argument("--child", type=Path, help=argparse.SUPPRESS)  # where it reports to
    options = parser.parse_args()
    model, rounds = options.model, options.rounds
    if options.child:
        child(model, rounds, options.child)
        return
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        command = [sys.executable, __file__, model, str(rounds), "--child", str(report)]
        run_in_terminal(command, 240)
        document = json.loads(report.read_text())
    plain, drawn = (statistics.median(document[name]) for name in ("plain", "drawn"))
    ratios = sorted(d / p for d, p in zip(document["drawn"], document["plain"], strict=True))
    print(f"generate: {plain:.1f} tokens/s, chat: {drawn:.1f} tokens/s, medians of {rounds}")
    print(f"chat / generate: {statistics.median(ratios):.3f} ({ratios[0]:.3f} to {ratios[-1]:.3f})")
    print(f"first screen: {statistics.median(first_screen() for _ in range(5)):.2f} s")


if __name__ == "__main__":
    main()
