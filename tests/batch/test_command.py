"""`localspec batch` as a person or a script meets it, in processes of its own where it matters."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from command import Done, localspec, refused
from fake_endpoint import FakeEndpoint

from localspec.cli import main

COMMAND = [sys.executable, "-m", "localspec", "batch"]
LIMITS = ["--max-tokens", "10"]


def write(folder: Path, count: int) -> None:
    lines = [{"custom_id": f"a{n}", "prompt": f"List {n} files."} for n in range(count)]
    (folder / "in.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def batch(*options: str, source: str = "in.jsonl") -> Done:
    return localspec("batch", source, "-o", "out.jsonl", *options)


def environment() -> dict[str, str]:
    return {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(Path(__file__).parents[2]), *sys.path]),
    }


def test_a_file_is_answered_and_killed_at_random_moments_it_is_the_same(folder: Path) -> None:
    """The proof over 300 lines and 50 kills is `benchmarks/batch.py kill`."""
    write(folder, 40)
    run = batch(*LIMITS)
    assert (run.returncode, run.stderr) == (0, "")
    assert run.stdout.startswith("40 of 40 lines answered.\n")
    assert "tokens/s" in run.stdout
    expected = (folder / "out.jsonl").read_bytes()
    (folder / "out.jsonl").unlink()
    moments, kills = random.Random(3), 0
    while True:
        command = [*COMMAND, "in.jsonl", "-o", "out.jsonl", *LIMITS]
        quiet = {"stdout": subprocess.DEVNULL, "cwd": folder, "env": environment()}
        with subprocess.Popen(command, **quiet) as process:
            while kills < 2 and process.poll() is None:
                if (folder / "out.jsonl.journal").exists():
                    time.sleep(moments.uniform(0.3, 1.5))
                    break
                time.sleep(0.02)
            if kills < 2 and process.poll() is None:
                process.kill()
                kills += 1
                continue
            assert process.wait() == 0
            break
    assert (folder / "out.jsonl").read_bytes() == expected
    assert sorted(path.name for path in folder.iterdir()) == ["in.jsonl", "out.jsonl"]


@pytest.mark.skipif(os.name == "nt", reason="signals are sent otherwise there")
def test_ctrl_c_says_how_to_go_on(tmp_path: Path) -> None:
    write(tmp_path, 4000)
    command = [*COMMAND, "in.jsonl", "-o", "out.jsonl", "--json", *LIMITS]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(command, cwd=tmp_path, env=environment(), text=True, **pipes) as process:
        assert process.stdout
        for line in process.stdout:
            if json.loads(line)["event"] == "progress":
                process.send_signal(signal.SIGINT)
                break
        rest, error = process.communicate()
    assert process.returncode == 130
    assert error.count("\n") == 1
    assert "the same command goes on from here" in error
    ended = json.loads(rest.splitlines()[-1])
    assert ended["event"] == "ended"
    assert 0 < ended["answered"] < 4000
    assert (tmp_path / "out.jsonl.journal").read_bytes().count(b"\n") == 1 + ended["answered"]


def test_lines_that_failed_give_3(folder: Path) -> None:
    (folder / "in.jsonl").write_text('{"prompt": "Hello"}\n{"prompt": 1.5}\nnonsense\n')
    run = batch(*LIMITS)
    assert run.returncode == 3
    assert run.stdout.startswith("3 of 3 lines answered, 2 of them failed.")
    assert "out.jsonl says why; --retry-failed asks again." in run.stdout


@pytest.mark.skipif(os.name == "nt", reason="pipes break otherwise there")
@pytest.mark.parametrize(("faults", "code"), [([], 0), (["nonsense"], 3)])
@pytest.mark.parametrize("options", [[], ["--json"]])
def test_the_work_is_done_though_nobody_reads_of_it(
    folder: Path, monkeypatch: pytest.MonkeyPatch, options: list[str], faults: list[str], code: int
) -> None:
    (folder / "in.jsonl").write_text("\n".join(['{"prompt": "Hello"}', *faults]))
    reader, writer = os.pipe()
    os.close(reader)
    with FakeEndpoint() as server, os.fdopen(writer, "w") as closed:
        monkeypatch.setattr(sys, "stdout", closed)
        command = ["batch", "in.jsonl", "-o", "out.jsonl", "--endpoint", server.url, *options]
        assert main(command) == code
    assert (folder / "out.jsonl").read_bytes().count(b"\n") == 1 + len(faults)


def test_a_table_and_standard_input(folder: Path) -> None:
    (folder / "in.csv").write_text("custom_id,city\nx,Rome\n")
    run = batch("--template", "Greet {city}", *LIMITS, source="in.csv")
    assert run.returncode == 0, run.stderr
    answer = json.loads((folder / "out.jsonl").read_text())
    assert answer["custom_id"] == "x"
    assert "no column 'prompt'; --template" in refused("batch", "in.csv", "-o", "other.jsonl")
    (folder / "bare.csv").write_text("city\n")
    assert batch(source="bare.csv").stdout == "The input has no lines.\n"


def test_an_output_that_is_a_stream_is_refused(folder: Path) -> None:
    write(folder, 1)
    assert "not a stream; name one" in refused("batch", "in.jsonl", "-o", "-")
    assert [path.name for path in folder.iterdir()] == ["in.jsonl"]


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
def test_wrong_usage_is_one_sentence_and_2(folder: Path, options: list[str], words: str) -> None:
    write(folder, 1)
    run = batch(*options)
    assert (run.returncode, run.stdout) == (2, ""), run.stderr
    assert words in run.stderr
    assert run.stderr.count("\n") == 1
    assert not (folder / "out.jsonl").exists()
    assert not (folder / "out.jsonl.journal").exists()
