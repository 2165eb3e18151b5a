"""What `localspec models fit` says a pair takes, beside what a process with it loaded takes.

    python benchmarks/memory.py MODEL [DRAFT] [--parallel N]

Resident memory is read after answers whose prompts fill the widest pass and all caches. Linux only.
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path

import localspec


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model")
    parser.add_argument("draft", nargs="?", default="auto")
    parser.add_argument("--context", type=int, default=1024)
    parser.add_argument("--parallel", type=int, default=1)
    options = parser.parse_args()
    command = ["models", "fit", options.model, "--draft", options.draft, "--json"]
    command += ["--context", str(options.context), "--parallel", str(options.parallel)]
    said = subprocess.run(
        [sys.executable, "-m", "localspec", *command], capture_output=True, text=True, check=True
    )
    plan = next(p for p in json.loads(said.stdout)["plans"] if p["cache"] == "f16")
    way = {"context": options.context, "parallel": options.parallel}
    with localspec.load(options.model, draft=options.draft, **way) as llm:
        prompts = [[n + 1] * (options.context - 64) for n in range(options.parallel)]
        for stream in [llm.stream(prompt, max_tokens=16, temperature=0) for prompt in prompts]:
            for _ in stream:
                pass
        status = Path("/proc/self/status").read_text()
    resident = int(status.partition("VmRSS:")[2].split()[0]) * 1024
    print(f"said {plan['host'] / 1e6:.0f} MB, resident {resident / 1e6:.0f} MB,", end=" ")
    print(f"{plan['host'] / resident - 1:+.1%}")


if __name__ == "__main__":
    main()
