"""Pulling through every fault that a hub, a disk or a killed process may have."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
from hub_server import CHUNK, HubServer
from huggingface_hub import constants
from pulls import NAME, PATIENCE, Notes, check_nothing_has_a_name, data_of, model, parts

from localspec.errors import LocalspecError
from localspec.models import hub, shelf
from localspec.models.pull import pull


def command(*arguments: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "localspec", "models", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    )


# What goes wrong --------------------------------------------------------------------------------


def test_broken_connections_are_taken_up_again(server: HubServer) -> None:
    server.faults.breaks, server.faults.break_at = 3, 20 * CHUNK
    assert pull(NAME, Notes())[0].path.read_bytes() == data_of(server)
    assert len(server.downloads) == 4
    assert [headers.get("range") for headers in server.downloads[:2]] == [
        None,
        f"bytes={16 * CHUNK}-",
    ]


def test_a_connection_that_breaks_for_good_leaves_what_has_come(
    server: HubServer, home: Path
) -> None:
    server.repositories[NAME].files["repo-Q4_K_M.gguf"] = whole = model(2, 64 * CHUNK)
    server.faults.breaks, server.faults.break_at = 100, 20 * CHUNK
    with pytest.raises(LocalspecError, match="what has come is kept"):
        pull(NAME, Notes())
    check_nothing_has_a_name(home)
    server.faults.breaks = 0
    (pulled,) = pull(NAME, Notes())
    assert pulled.path.read_bytes() == whole
    assert pulled.fetched == len(whole) - 16 * CHUNK


def test_a_server_that_goes_silent_is_asked_again(
    server: HubServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(constants, "HF_HUB_DOWNLOAD_TIMEOUT", 1)
    server.faults.stalls, server.faults.break_at = 1, 20 * CHUNK
    assert pull(NAME, Notes())[0].path.read_bytes() == data_of(server)


def leave_a_part(server: HubServer, home: Path, data: bytes) -> None:
    (remote,) = (f for f in hub.snapshot(NAME).files if f.path == "repo-Q4_K_M.gguf")
    part = home / "data" / "models" / ".incoming" / f"{remote.sha256}.part"
    part.parent.mkdir(parents=True, exist_ok=True)
    part.write_bytes(data)


@pytest.mark.parametrize("ignores_ranges", [False, True])
def test_an_interrupted_pull_goes_on_where_it_stopped(
    server: HubServer, home: Path, ignores_ranges: bool
) -> None:
    server.faults.ignores_ranges = ignores_ranges
    leave_a_part(server, home, data_of(server)[: 5 * CHUNK])
    (pulled,) = pull(NAME, Notes())
    assert pulled.path.read_bytes() == data_of(server)
    if not ignores_ranges:
        assert pulled.fetched == len(data_of(server)) - 5 * CHUNK
        assert server.downloads[0]["range"] == f"bytes={5 * CHUNK}-"


@pytest.mark.parametrize("length", [5 * CHUNK, 1 << 22, None])
def test_a_part_that_is_wrong_is_fetched_anew(
    server: HubServer, home: Path, length: int | None
) -> None:
    leave_a_part(server, home, bytes(length or len(data_of(server))))
    assert pull(NAME, Notes())[0].path.read_bytes() == data_of(server)


def test_a_file_with_a_wrong_sha256_is_thrown_away(server: HubServer, home: Path) -> None:
    server.faults.wrong_bytes = 1
    with pytest.raises(LocalspecError, match="another sha256"):
        pull(NAME, Notes())
    check_nothing_has_a_name(home)
    assert parts(home) == []
    pull(NAME, Notes())


def test_a_file_that_does_not_end_does_not_fill_the_disk(server: HubServer, home: Path) -> None:
    server.faults.surplus = 8 << 20
    listener = Notes()
    with pytest.raises(LocalspecError, match="makes no sense: more than"):
        pull(NAME, listener)
    assert all(done <= total for done, total in listener.seen)
    check_nothing_has_a_name(home)
    server.faults.surplus = 0
    assert pull(NAME, Notes())[0].path.read_bytes() == data_of(server)


def test_a_repository_that_changes_meanwhile_does_no_harm(server: HubServer, home: Path) -> None:
    def change() -> None:
        server.repositories[NAME].files["repo-Q4_K_M.gguf"] = model(7)
        server.after_listing = None

    server.after_listing = change
    with pytest.raises(LocalspecError, match="changed while it was being read"):
        pull(NAME, Notes())
    check_nothing_has_a_name(home)
    assert pull(NAME, Notes())[0].path.read_bytes() == model(7)


@pytest.mark.parametrize("status", [500, 503])
def test_errors_of_the_hub_are_one_sentence(server: HubServer, status: int) -> None:
    server.faults.answers = [status] * 20
    with pytest.raises(LocalspecError, match=rf"\({status}\)"):
        pull(NAME, Notes())


def test_an_answer_that_is_no_answer(server: HubServer) -> None:
    server.faults.nonsense = True
    with pytest.raises(LocalspecError, match="makes no sense"):
        pull(NAME, Notes())


def test_a_hub_that_is_not_there(server: HubServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(
        LocalspecError, match=r"cannot be reached \(Connection refused\); try again later\.$"
    ):
        pull(NAME, Notes())


def test_a_disk_that_is_too_small_is_noticed_first(
    server: HubServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    free = SimpleNamespace(total=1, used=1, free=1000)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: free)
    with pytest.raises(LocalspecError, match="disk space"):
        pull(NAME, Notes())
    assert server.downloads == []


def test_a_folder_that_cannot_be_written(server: HubServer, home: Path) -> None:
    home.mkdir()
    (home / "data").write_text("a file where a folder should be")
    with pytest.raises(LocalspecError, match="could not be stored"):
        pull(NAME, Notes())


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a full disk is made of it")
def test_a_disk_that_fills_up(server: HubServer, home: Path) -> None:
    (remote,) = (f for f in hub.snapshot(NAME).files if f.path == "repo-Q4_K_M.gguf")
    incoming = home / "data" / "models" / ".incoming"
    incoming.mkdir(parents=True)
    (incoming / f"{remote.sha256}.part").symlink_to("/dev/full")
    with pytest.raises(LocalspecError, match="No space left"):
        pull(NAME, Notes())
    check_nothing_has_a_name(home)


# Processes --------------------------------------------------------------------------------------


def wait_for(home: Path, size: int, process: "subprocess.Popen[str]") -> None:
    """Until so much of a file has come."""
    end = time.monotonic() + PATIENCE
    while sum(part.stat().st_size for part in parts(home)) < size:
        assert process.poll() is None, process.stderr and process.stderr.read()
        assert time.monotonic() < end
        time.sleep(0.005)


@pytest.mark.skipif(os.name == "nt", reason="processes are killed otherwise there")
def test_killed_at_any_point_a_pull_loses_nothing(server: HubServer, home: Path) -> None:
    server.repositories[NAME].files["repo-Q4_K_M.gguf"] = whole = model(2, 256 * CHUNK)
    for least in (1, 100 * CHUNK, 200 * CHUNK):
        server.faults.stalls, server.faults.break_at = 1, least + 20 * CHUNK
        with command("pull", NAME) as process:
            wait_for(home, least, process)
            process.send_signal(signal.SIGKILL)
        check_nothing_has_a_name(home)
    server.faults.break_at = len(whole)  # who is killed early leaves the stall to the next one
    (pulled,) = pull(NAME, Notes())
    assert pulled.path.read_bytes() == whole
    assert pulled.fetched < len(whole) - 200 * CHUNK + CHUNK
    assert parts(home) == []


@pytest.mark.skipif(os.name == "nt", reason="signals are sent otherwise there")
def test_ctrl_c_keeps_what_has_come(server: HubServer, home: Path) -> None:
    server.repositories[NAME].files["repo-Q4_K_M.gguf"] = model(2, 256 * CHUNK)
    server.faults.stalls, server.faults.break_at = 1, 20 * CHUNK
    with command("pull", NAME) as process:
        wait_for(home, 1, process)
        process.send_signal(signal.SIGINT)
        output, error = process.communicate(timeout=PATIENCE)
    assert (process.returncode, output) == (130, "")
    assert error == "localspec: Stopped; what has come is kept, pull again to go on.\n"
    assert parts(home)[0].stat().st_size


def test_two_pulls_at_once_share_the_work(server: HubServer, home: Path) -> None:
    server.faults.seconds_a_chunk = 0.05
    pulls = [command("pull", NAME, "--json") for _ in range(2)]
    fetched, said = [], ""
    for process in pulls:
        output, error = process.communicate(timeout=PATIENCE)
        assert process.returncode == 0, error
        fetched.append(json.loads(output)["models"][0]["fetched"])
        said += error
    assert sorted(fetched) == [0, len(data_of(server))]
    assert len(server.downloads) == 1
    (shelved,) = shelf.shelved()
    assert shelved.path.read_bytes() == data_of(server)


def test_offline_what_is_here_works_and_the_rest_says_why(
    server: HubServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with command("pull", NAME) as process:
        output, error = process.communicate(timeout=PATIENCE)
    assert (process.returncode, output) == (1, "")
    assert error == "localspec: HF_HUB_OFFLINE is set; unset it to reach the hub.\n"
    assert server.requests == []
    monkeypatch.delenv("HF_HUB_OFFLINE")
    pull(NAME, Notes())
    monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:9")
    listener = Notes()
    (here,) = pull(NAME, listener)
    assert (here.name, here.fetched) == (f"{NAME}:Q4_K_M", 0)
    assert "could not be compared" in listener.notes[0]
