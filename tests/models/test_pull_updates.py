"""A model on the hub is replaced: whatever happens on the way, here is the one or the other."""

import errno
import os
from pathlib import Path

import pytest
from hub_server import CHUNK, HubServer
from pulls import NAME, Notes, model

from localspec.errors import LocalspecError
from localspec.models import shelf
from localspec.models.pull import pull
from localspec.models.verify import verify

PARTS = [f"repo-Q4_K_M-0000{n}-of-00003.gguf" for n in (1, 2, 3)]


def parts(seed: int) -> dict[str, bytes]:
    """A model in three parts, of which the last one is long."""
    return {name: model(seed + n, (2, 2, 24)[n] * CHUNK) for n, name in enumerate(PARTS)}


def here() -> dict[str, bytes]:
    """What lies under the parts' names."""
    files = (shelf.folder(NAME) / name for name in PARTS)
    return {file.name: file.read_bytes() for file in files if file.exists()}


def test_an_update_that_is_interrupted_leaves_the_older_parts_together(server: HubServer) -> None:
    server.repositories[NAME].files = older = parts(0)
    pull(NAME, Notes())
    server.repositories[NAME].files = newer = parts(10)
    server.faults.breaks, server.faults.break_at = 100, 20 * CHUNK
    with pytest.raises(LocalspecError, match="what has come is kept"):
        pull(NAME, Notes())
    assert here() == older
    server.faults.breaks = 0
    (pulled,) = pull(NAME, Notes())
    assert here() == newer
    assert pulled.fetched < 24 * CHUNK


@pytest.mark.parametrize("named", [0, 1, 2])
def test_parts_of_two_editions_are_never_a_model(
    server: HubServer, monkeypatch: pytest.MonkeyPatch, named: int
) -> None:
    server.repositories[NAME].files = parts(0)
    pull(NAME, Notes())
    server.repositories[NAME].files = newer = parts(10)
    replace, left = os.replace, [named]

    def killed(source: Path | str, place: Path) -> None:
        if Path(source).suffix == ".part":
            left[0] -= 1
            if left[0] < 0:
                raise KeyboardInterrupt
        replace(source, place)

    monkeypatch.setattr(os, "replace", killed)
    with pytest.raises(KeyboardInterrupt):
        pull(NAME, Notes())
    assert shelf.shelved() == []
    monkeypatch.setattr(os, "replace", replace)
    assert pull(NAME, Notes())[0].fetched == 0
    assert here() == newer


def test_a_part_that_stays_the_same_stays_where_it_is(server: HubServer) -> None:
    server.repositories[NAME].files = parts(0)
    pull(NAME, Notes())
    newer = {**parts(0), PARTS[1]: model(11, 2 * CHUNK)}
    server.repositories[NAME].files = newer
    (pulled,) = pull(NAME, Notes())
    assert here() == newer
    assert pulled.fetched == len(newer[PARTS[1]])


def test_a_new_file_is_never_taken_for_the_older_one_that_is_on_record(
    server: HubServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    (older,) = pull(NAME, Notes())
    server.repositories[NAME].files["repo-Q4_K_M.gguf"] = model(5)
    record = shelf.record

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(shelf, "record", full)
    with pytest.raises(LocalspecError, match="No space left"):
        pull(NAME, Notes())
    monkeypatch.setattr(shelf, "record", record)
    _, content, _ = verify(older.path, lambda path: None, lambda share, what: None)
    assert (content.state, shelf.origin(older.path)) == ("warning", None)
    assert pull(NAME, Notes())[0].fetched == 0
    assert shelf.origin(older.path) is not None
