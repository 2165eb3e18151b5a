"""What drawing an answer costs: the share of one core that the chat takes while tokens come.

    python benchmarks/chat_drawing.py [TOKENS_PER_SECOND] [SECONDS]

The real app runs in a terminal of its own (a pty of 100 × 40 cells), and an answer with prose,
lists, a table and code is said to it at a steady rate, plain and tinted. POSIX only.
"""

import json
import os
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


def child(rate: float, seconds: float, tinted: bool, report: Path) -> None:
    sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))
    from localspec.tui.app import Chat
    from localspec.tui.backend import Said
    from localspec.tui.store import Store
    from scripted import ScriptedBackend, ScriptedSource, figures

    backend = ScriptedBackend(None)
    chat = Chat(Store(Path(tempfile.mkdtemp()) / "chats.db"), ScriptedSource(scripted=backend),
                model="scripted")  # fmt: skip
    text = ANSWER * 100
    tokens = [Said(text[i : i + 4], (None, "model", "model", "lookup")[i // 4 % 4])
              for i in range(0, len(text), 4)]  # fmt: skip

    async def talk() -> None:
        import asyncio

        if tinted:
            await chat.action_tint()
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
        await asyncio.sleep(seconds)
        spent, wall = time.process_time() - used, time.monotonic() - start
        speaking.set()
        thread.join()
        reply.end()
        report.write_text(json.dumps({"cpu": spent, "wall": wall, "tokens": said}))
        await asyncio.sleep(0.5)
        chat.exit()

    chat.call_later(lambda: chat.run_worker(talk()))
    chat.run()


def measure(rate: float, seconds: float, tinted: bool) -> float:
    """The share of one core."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        arguments = ["--child", str(rate), str(seconds), str(int(tinted)), str(report)]
        run_in_terminal([sys.executable, __file__, *arguments], seconds + 30)
        document = json.loads(report.read_text())
    share: float = document["cpu"] / document["wall"]
    return share


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
    rate = float(sys.argv[1]) if len(sys.argv) > 1 else 200.0
    seconds = float(sys.argv[2]) if len(sys.argv) > 2 else 15.0
    for name, tinted in (("markdown", False), ("tinted", True)):
        share = measure(rate, seconds, tinted)
        print(f"{name}: {share:.1%} of one core at {rate:.0f} tokens/s over {seconds:.0f} s")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--child"]:
        child(float(sys.argv[2]), float(sys.argv[3]), sys.argv[4] == "1", Path(sys.argv[5]))
    else:
        main()
