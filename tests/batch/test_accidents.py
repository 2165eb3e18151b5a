"""What happens to a run: kills, Ctrl-C, full disks, and outputs that are not what one thinks."""

import os
import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from batch_world import Scripted, World, lines

from localspec.batch import output
from localspec.batch.backends.base import Reply
from localspec.batch.journal import JournalError
from localspec.batch.plan import Plan
from localspec.batch.request import Task
from localspec.errors import LocalspecError, UsageError


def start(world: World, *options: str, **pipes: int) -> "subprocess.Popen[bytes]":
    script = Path(__file__).parents[1] / "support" / "batch_world.py"
    command = [sys.executable, str(script), str(world.source), *options]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    return subprocess.Popen(command, env=environment, **pipes)


def test_killed_at_any_moment_the_output_is_the_same_to_the_byte(world: World) -> None:
    world.write(*lines(300), "{", {"custom_id": "z", "prompt": "fail"})
    expected = world.whole()
    world.output.unlink()
    moments = random.Random(7)
    kills = 0
    while kills < 6:
        with start(world) as process:
            try:
                process.wait(moments.uniform(0.1, 0.6))
            except subprocess.TimeoutExpired:
                process.kill()
                kills += 1
                continue
        assert process.returncode == 0
        assert world.output.read_bytes() == expected
        world.output.unlink()
    world.run()
    assert world.output.read_bytes() == expected


def test_a_second_run_on_the_same_output_is_refused(world: World) -> None:
    world.write(*lines(20))
    pipe = subprocess.PIPE
    with start(world, "--held", stdin=pipe, stdout=pipe) as process:
        assert process.stdout
        assert process.stdout.readline().strip() == b"begun"
        with pytest.raises(JournalError, match="Another run is writing"):
            world.run()
        process.communicate()
        assert process.returncode == 0
    assert len(world.answers()) == 20


@pytest.mark.skipif(os.name == "nt", reason="signals are sent otherwise there")
def test_ctrl_c_keeps_everything_and_twice_insists(world: World) -> None:
    world.write(*lines(20))
    expected = world.whole()
    world.output.unlink()

    def interrupt(task: Task) -> None:
        if task.number == 8:
            signal.raise_signal(signal.SIGINT)

    outcome = world.run(Scripted(on_task=interrupt))
    assert outcome.interrupted
    assert outcome.counts.answered == 8
    assert not world.output.exists()

    def insist(task: Task) -> None:
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        world.run(Scripted(on_task=insist))
    rest = Scripted()
    assert not world.run(rest).interrupted
    assert len(rest.asked) == 12
    assert world.output.read_bytes() == expected


@pytest.mark.skipif(os.name == "nt", reason="no limits on files there")
def test_a_full_disk_loses_nothing(world: World) -> None:
    import resource

    world.write(*lines(200))
    expected = world.whole()
    world.output.unlink()
    unlimited = resource.getrlimit(resource.RLIMIT_FSIZE)
    for size in (20, 20_000, len(expected) // 2, len(expected) + 10_000):
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, unlimited[1]))
        try:
            with pytest.raises(LocalspecError, match="cannot be written"):
                world.run()
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, unlimited)
        assert not world.output.exists()
        assert not world.output.with_name(f"{world.output.name}.index").exists()
    world.run()
    assert world.output.read_bytes() == expected


@pytest.mark.skipif(os.name == "nt", reason="links need leave there")
def test_a_link_laid_where_an_output_is_drafted_is_not_followed(tmp_path: Path) -> None:
    ours, path = tmp_path / "ours", tmp_path / "out"
    ours.write_bytes(b"precious")
    (tmp_path / "out.tmp").symlink_to(ours)
    output.replace(path, [b"answers"])
    assert ours.read_bytes() == b"precious"
    assert path.read_bytes() == b"answers\n"
    assert not path.is_symlink()


@pytest.mark.parametrize("content", [b"IxFI of somebody else", b"SQLite format 4"])
def test_a_file_of_somebody_else_is_no_index(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "data.index"
    path.write_bytes(content)
    with pytest.raises(LocalspecError, match=r"data\.index is no index of localspec; move it away"):
        Plan(path)
    assert path.read_bytes() == content


@pytest.mark.parametrize("content", [b"", b"SQLite format 3\0 and what a killed run left"])
def test_that_of_a_killed_run_makes_room(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "data.index"
    path.write_bytes(content)
    with Plan(path) as plan:
        assert list(plan.pending(faulty=False)) == []
    assert not path.exists()


@pytest.mark.skipif(os.name == "nt", reason="no limits on files there")
def test_an_output_that_has_no_room_leaves_the_one_before(tmp_path: Path) -> None:
    import resource

    path = tmp_path / "out"
    output.replace(path, [b"before"])
    unlimited = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (9000, unlimited[1]))
    try:
        with pytest.raises(LocalspecError, match="File too large; all answers are safe"):
            output.replace(path, [b"after"] * 9000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, unlimited)
    assert path.read_bytes() == b"before\n"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="folders are not read-only here")
def test_a_read_only_folder_is_said_before_anything_is_done(world: World) -> None:
    world.write(*lines(3))
    world.folder.chmod(0o500)
    backend = Scripted()
    with pytest.raises(LocalspecError, match="cannot be written: Permission denied"):
        world.run(backend)
    assert backend.asked == []


def test_an_output_that_is_no_file_is_refused(world: World) -> None:
    world.write(*lines(3))
    world.output = world.folder
    with pytest.raises(UsageError, match="is not a file"):
        world.run()
    world.output = world.folder / "nowhere" / "out.jsonl"
    with pytest.raises(UsageError, match="There is no folder"):
        world.run()


def test_an_output_behind_a_link_stays_behind_it_with_its_rights(world: World) -> None:
    world.write(*lines(3))
    real = world.folder / "real.jsonl"
    real.write_text("")
    real.chmod(0o600)
    world.output.symlink_to(real)
    world.run()
    assert world.output.is_symlink()
    assert real.stat().st_mode & 0o777 == 0o600
    assert len(world.answers()) == 3


@pytest.mark.skipif(os.name == "nt", reason="rights are others there")
def test_what_stands_beside_a_private_output_is_private(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.write(*lines(3))
    world.output.touch(0o600)
    modes: dict[str, int] = {}

    def look(_: int) -> None:
        found = world.folder.glob("out.jsonl*")
        modes.update((path.suffix, path.stat().st_mode & 0o777) for path in found)

    monkeypatch.setattr(os, "fsync", look)
    world.run()
    assert modes == dict.fromkeys((".jsonl", ".journal", ".index", ".tmp"), 0o600)
    assert len(world.answers()) == 3


def test_an_answer_that_is_not_unicode_is_kept_all_the_same(world: World) -> None:
    class Wild(Scripted):
        def answers(self, tasks):  # type: ignore[no-untyped-def]
            for task in tasks:
                yield Reply(task, 200, {"text": "\ud800"})

    world.write(*lines(1))
    world.run(Wild())
    assert world.answers()[0]["response"]["body"]["text"] == "\ud800"
