"""What drawing an answer costs: the share of one core that the chat takes while tokens come.

    python benchmarks/chat_drawing.py [RATE] [SECONDS] [--profile]

The real app runs in a terminal of its own (a pty of 100 × 40 cells), and an answer is said to it
at a steady rate: of prose, lists, tables and code, plain and tinted; all one list; all one block of
code. What is counted is time of the processor, so a busy computer changes little; `behind` is how
late what is on the screen was at the most. With --profile it is said where the time goes. POSIX
only.
"""

import argparse
import cProfile
import json
import os
import pstats
import pty
import select
import struct
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from fcntl import ioctl
from pathlib import Path
from termios import TIOCSWINSZ

COLUMNS, LINES = 100, 40
CHARACTERS = 4  # of a token
WHO = (None, "model", "model", "lookup")
ANSWER = """
Files can be sorted by size with `ls` itself, which reads the folder and puts the largest first.
Where folders count too, `du` adds up what they hold, and `sort` understands its short units:

```sh
ls -lS                     # the largest file first
du -sh * | sort -h         # folders too, the largest last
```

1. `ls -lS` looks at **one folder** and asks the file system for sizes.
2. `du -s` walks through *everything below* it, which takes longer.

| command | counts | sorts |
|---|---|---|
| `ls -lS` | bytes of a file | yes |
| `du -sh` | blocks on the disk | no |

In Python the same is a matter of a few lines:

```python
from pathlib import Path

def by_size(folder: Path) -> list[Path]:
    files = (path for path in folder.iterdir() if path.is_file())
    return sorted(files, key=lambda path: path.stat().st_size, reverse=True)
```

"""


TEXTS = {
    "markdown": ANSWER * 100,
    "tinted": ANSWER * 100,
    "list": "1. `ls -lS` looks at **one folder** and asks the file system for sizes.\n" * 2000,
    "code": "```python\n" + "total = sum(path.stat().st_size for path in files)  # bytes\n" * 2000,
}


def child(rate: float, seconds: float, kind: str, profiled: bool, report: Path) -> None:
    sys.path.insert(0, str(Path(__file__).parent.parent / "tests/support"))
    from scripted import ScriptedBackend, ScriptedSource, figures

    from localspec.tui.app import Chat
    from localspec.tui.backend import Said
    from localspec.tui.store import Store
    from localspec.tui.widgets.message import Answer

    backend = ScriptedBackend(None)
    chat = Chat(Store(Path(tempfile.mkdtemp()) / "chats.db"), ScriptedSource(scripted=backend),
                model="scripted")  # fmt: skip
    text = TEXTS[kind]
    tokens = [Said(text[i : i + CHARACTERS], WHO[i // CHARACTERS % 4])
              for i in range(0, len(text), CHARACTERS)]  # fmt: skip

    async def talk() -> None:
        import asyncio

        if kind == "tinted":
            await chat.action_command("tint")
        while not chat.session.backend:
            await asyncio.sleep(0.05)
        chat.prompt.put("How do I list files by size?")
        chat.prompt.enter()
        while not backend.replies:
            await asyncio.sleep(0.05)
        reply, said, start = backend.replies[0], 0, time.monotonic()
        used = time.process_time()
        speaking = threading.Event()

        def speak() -> None:  # as an engine's thread does, and as little in the way
            nonlocal said
            while not speaking.wait(0.05):
                due = int((time.monotonic() - start) * rate)
                reply.say(*tokens[said:due])
                reply.figures = figures(due, time.monotonic() - start)
                said = due

        thread = threading.Thread(target=speak)
        thread.start()
        profile = cProfile.Profile(time.process_time)
        if profiled:
            profile.enable()
        behind, answer = 0.0, chat.query(Answer).last()
        while time.monotonic() < start + seconds:
            await asyncio.sleep(0.05)
            drawn = len(answer.message.content) / CHARACTERS
            behind = max(behind, (said - drawn) / rate)
        profile.disable()
        spent, wall = time.process_time() - used, time.monotonic() - start
        speaking.set()
        thread.join()
        reply.end()
        report.write_text(json.dumps({"share": spent / wall, "behind": behind}))
        if profiled:
            with report.with_suffix(".txt").open("w") as lines:
                pstats.Stats(profile, stream=lines).sort_stats("cumulative").print_stats(50)
        await asyncio.sleep(0.5)
        chat.exit()

    chat.call_later(lambda: chat.run_worker(talk()))
    chat.run()


def measure(rate: float, seconds: float, kind: str, profiled: bool) -> dict[str, float]:
    """The share of one core, and seconds that the screen was behind."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        flags = ["--kind", kind] + ["--profile"] * profiled
        command = [sys.executable, __file__, str(rate), str(seconds), *flags]
        run_in_terminal([*command, "--child", str(report)], seconds + 30)
        document: dict[str, float] = json.loads(report.read_text())
        if profiled:
            print(report.with_suffix(".txt").read_text())
    return document


def run_in_terminal(command: Sequence[str], patience: float) -> None:
    master, slave = pty.openpty()
    ioctl(slave, TIOCSWINSZ, struct.pack("HHHH", LINES, COLUMNS, 0, 0))
    environment = {**os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor"}
    process = subprocess.Popen(command, stdin=slave, stdout=slave, stderr=slave, env=environment)
    os.close(slave)
    end = time.monotonic() + patience
    while process.poll() is None and time.monotonic() < end:
        if select.select([master], [], [], 0.2)[0]:
            try:
                os.read(master, 1 << 20)
            except OSError:
                break
    process.kill()
    process.wait()
    os.close(master)


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure what drawing an answer costs.")
    parser.add_argument("rate", type=float, nargs="?", default=200.0, help="tokens/s (200)")
    parser.add_argument("seconds", type=float, nargs="?", default=15.0, help="of each kind (15)")
    parser.add_argument("--kind", choices=TEXTS, help="of text (default: all)")
    parser.add_argument("--profile", action="store_true", help="say where the time goes")
    parser.add_argument("--child", type=Path, help=argparse.SUPPRESS)  # where it reports to
    options = parser.parse_args()
    rate, seconds, profiled = options.rate, options.seconds, options.profile
    if options.child:
        child(rate, seconds, options.kind, profiled, options.child)
        return
    for kind in [options.kind] if options.kind else TEXTS:
        found = measure(rate, seconds, kind, profiled)
        print(
            f"{kind}: {found['share']:.1%} of one core at {rate:.0f} tokens/s over "
            f"{seconds:.0f} s, at most {found['behind']:.1f} s behind"
        )


if __name__ == "__main__":
    main()
