"""`localspec batch` as a person or a script meets it, in processes of its own."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

COMMAND = [sys.executable, "-m", "localspec", "batch"]
LIMITS = ["--max-tokens", "10"]


def write(folder: Path, count: int) -> None:
    lines = [{"custom_id": f"a{n}", "prompt": f"List {n} files."} for n in range(count)]
    (folder / "in.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))


def batch(folder: Path, *options: str, source: str = "in.jsonl") -> Any:
    return subprocess.run(
        [*COMMAND, source, "-o", "out.jsonl", *options],
        cwd=folder,
        env=environment(),
        capture_output=True,
        encoding="utf-8",
        timeout=120,
        check=False,
    )


def environment() -> dict[str, str]:
    return {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(Path(__file__).parents[2]), *sys.path]),
    }


def test_a_file_is_answered_and_killed_at_random_moments_it_is_the_same(tmp_path: Path) -> None:
    """The proof over 300 lines and 50 kills is `benchmarks/batch.py kill`."""
    write(tmp_path, 40)
    run = batch(tmp_path, *LIMITS)
    assert (run.returncode, run.stderr) == (0, "")
    assert run.stdout.startswith("40 of 40 lines answered.\n")
    assert "tokens/s" in run.stdout
    expected = (tmp_path / "out.jsonl").read_bytes()
    (tmp_path / "out.jsonl").unlink()
    moments, kills = random.Random(3), 0
    while True:
        command = [*COMMAND, "in.jsonl", "-o", "out.jsonl", *LIMITS]
        quiet = {"stdout": subprocess.DEVNULL, "cwd": tmp_path, "env": environment()}
        with subprocess.Popen(command, **quiet) as process:
            deadline = time.monotonic() + 60
            while kills < 3 and process.poll() is None and time.monotonic() < deadline:
                if (tmp_path / "out.jsonl.journal").exists():
                    time.sleep(moments.uniform(0.3, 1.5))
                    break
                time.sleep(0.02)
            if kills < 3 and process.poll() is None:
                process.kill()
                kills += 1
                continue
            assert process.wait() == 0
            break
    assert (tmp_path / "out.jsonl").read_bytes() == expected
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.jsonl", "out.jsonl"]


@pytest.mark.skipif(os.name == "nt", reason="signals are sent otherwise there")
def test_ctrl_c_says_how_to_go_on(tmp_path: Path) -> None:
    write(tmp_path, 400)
    command = [*COMMAND, "in.jsonl", "-o", "out.jsonl", "--json"]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(command, cwd=tmp_path, env=environment(), text=True, **pipes) as process:
        assert process.stdout
        for line in process.stdout:
            if json.loads(line)["event"] == "progress":
                process.send_signal(signal.SIGINT)
                break
        rest, error = process.communicate(timeout=60)
    assert process.returncode == 130
    assert error.count("\n") == 1
    assert "the same command goes on from here" in error
    ended = json.loads(rest.splitlines()[-1])
    assert ended["event"] == "ended"
    assert 0 < ended["answered"] < 400
    assert (tmp_path / "out.jsonl.journal").read_bytes().count(b"\n") == 1 + ended["answered"]


def test_lines_that_failed_give_3(tmp_path: Path) -> None:
    (tmp_path / "in.jsonl").write_text('{"prompt": "Hello"}\n{"prompt": 1.5}\nnonsense\n')
    run = batch(tmp_path, *LIMITS)
    assert run.returncode == 3
    assert run.stdout.startswith("3 of 3 lines answered, 2 of them failed.")


def test_a_table_and_standard_input(tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_text("custom_id,city\nx,Rome\n")
    run = batch(tmp_path, "--template", "Greet {city}", *LIMITS, source="in.csv")
    assert run.returncode == 0, run.stderr
    answer = json.loads((tmp_path / "out.jsonl").read_text())
    assert answer["custom_id"] == "x"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--template", "none"], "has no field"),
        (["--parallel", "0"], "'0' is not auto or a number"),
        (["--temperature", "9"], "temperature does not fit"),
        (["--endpoint", "ftp://x"], "not the address of a server"),
        (["--endpoint", "x", "--ray", "auto"], "leave out one"),
        (["--raw", "--system", "x"], "leave out --raw or --system"),
        (["-m", "shel"], "did you mean 'shell'"),
        (["-o", "nowhere/out.jsonl"], "There is no folder"),
    ],
)
def test_wrong_usage_is_one_sentence_and_2(tmp_path: Path, options: list[str], words: str) -> None:
    write(tmp_path, 1)
    run = batch(tmp_path, *options)
    assert (run.returncode, run.stdout) == (2, ""), run.stderr
    assert words in run.stderr
    assert run.stderr.count("\n") == 1
    assert not (tmp_path / "out.jsonl").exists()
    assert not (tmp_path / "out.jsonl.journal").exists()
