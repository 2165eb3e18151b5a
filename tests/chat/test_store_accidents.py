"""What happens to kept conversations: kills, locks, damage, and versions before and after."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

import pytest
from databases import raw
from scripted import figures

from localspec.tui.start import open_store
from localspec.tui.store import Store, StoreError
from localspec.tui.store.schema import MIGRATIONS, connect

WRITER = """
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any
from localspec.tui.store import Store

store = Store(Path(sys.argv[1]))
chat = store.begin("Dying")
parent = None
for n in range(10**6):
    question = store.say(chat, parent, "user", f"question {n}")
    answer = store.say(chat, question.id, "assistant", "")
    store.keep(replace(answer, content=f"answer {n}"))
    parent = answer.id
    print(n, flush=True)
"""


def test_nothing_that_was_kept_is_lost_by_a_kill(path: Path) -> None:
    arguments = [sys.executable, "-c", WRITER, str(path)]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout
        said = 0
        for line in writer.stdout:
            said = int(line)
            if said == 60:
                writer.send_signal(signal.SIGKILL if os.name != "nt" else signal.SIGTERM)
                break
    with Store(path) as store:
        (summary,) = store.summaries()
        contents = [m.content for m in store.tree(summary.id).path()]
    for n in range(said + 1):
        assert contents[2 * n : 2 * n + 2] == [f"question {n}", f"answer {n}"]
    assert raw(path, "PRAGMA integrity_check") == [("ok",)]


def test_a_locked_database_is_told_and_nothing_is_half_done(path: Path, store: Store) -> None:
    store._connection.execute("PRAGMA busy_timeout = 50")
    chat = store.begin("x")
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreError, match="locked by another program"):
        store.say(chat, None, "user", "hello")
    other.execute("ROLLBACK")
    other.close()
    assert store.tree(chat).messages == {}
    store.say(chat, None, "user", "hello")
    assert len(store.tree(chat).messages) == 1


def test_several_chats_may_make_the_file_at_once(tmp_path: Path) -> None:
    for turn in range(8):
        start, opened = threading.Barrier(6), list[int]()

        def talk(
            path: Path = tmp_path / f"{turn}.db",
            start: threading.Barrier = start,
            opened: list[int] = opened,
        ) -> None:
            start.wait()
            with Store(path) as store:
                opened.append(store.begin("x"))

        threads = [threading.Thread(target=talk) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(set(opened)) == 6


def test_what_another_chat_says_while_a_conversation_is_read_does_no_harm(
    path: Path, store: Store
) -> None:
    chat = store.begin("x")
    parent = store.say(chat, None, "user", "hello").id

    def speak(statement: str) -> None:
        if statement.startswith("SELECT"):
            with Store(path) as other:
                other.say(chat, parent, "user", "from the other window")

    store._connection.set_trace_callback(speak)
    tree = store.tree(chat)
    store._connection.set_trace_callback(None)
    assert tree.path()[0].content == "hello"


def test_two_chats_may_write_at_once(path: Path) -> None:
    def talk(name: str) -> None:
        with Store(path) as store:
            chat = store.begin(name)
            parent = None
            for n in range(30):
                parent = store.say(chat, parent, "user", f"{name} {n}").id

    threads = [threading.Thread(target=talk, args=(name,)) for name in ("a", "b", "c")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with Store(path) as store:
        lengths = [len(store.tree(s.id).path()) for s in store.summaries()]
        assert lengths == [30, 30, 30]


@pytest.mark.parametrize(
    "content", [b"no database at all" * 100, b"SQLite format 3\x00" + b"x" * 5000]
)
def test_a_damaged_database_is_left_as_it_is(path: Path, content: bytes) -> None:
    path.parent.mkdir()
    path.write_bytes(content)
    with pytest.raises(StoreError, match="damaged"):
        Store(path)
    assert path.read_bytes() == content
    store, trouble = open_store(path)
    assert "Nothing is being kept" in str(trouble)
    with store:
        store.begin("the chat goes on")


def test_damage_in_the_middle_is_told_where_it_is_met(path: Path) -> None:
    with Store(path) as store:
        chat = store.begin("x")
        parent = None
        for n in range(200):
            parent = store.say(chat, parent, "user", f"{n} " * 200).id
    data = bytearray(path.read_bytes())
    data[40960 : len(data) - 4096] = b"\xff" * (len(data) - 4096 - 40960)
    path.write_bytes(bytes(data))
    with pytest.raises(StoreError, match="damaged"), Store(path) as store:
        store.tree(chat)


@pytest.mark.parametrize("damage", ["{bad", "", "[1]", '"x"', '{"statistics": 7}'])
def test_what_is_damaged_within_a_row_is_not_known(path: Path, store: Store, damage: str) -> None:
    store.prefer({"theme": "dark", "tint": True})
    chat = store.begin("x")
    answer = store.say(chat, None, "assistant", "hi", seed=7)
    store.keep(replace(answer, figures=figures(9), origins=((2, "model"),)))
    raw(path, f"UPDATE message SET figures = '{damage}', origins = '{damage}', seed = '{damage}'")
    assert store.tree(chat).path() == [replace(answer, seed=None)]
    raw(path, "UPDATE preference SET value = '{bad' WHERE name = 'theme'")
    assert store.preferences() == {"tint": True}


def test_a_database_of_a_newer_version_is_not_touched(path: Path) -> None:
    with Store(path):
        pass
    raw(path, f"PRAGMA user_version = {len(MIGRATIONS) + 1}")
    before = path.read_bytes()
    with pytest.raises(StoreError, match="of a newer localspec"):
        Store(path)
    assert path.read_bytes() == before


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="cannot be opened"):
        Store(tmp_path / "file" / "chats.db")


# Versions --------------------------------------------------------------------------------------

NEXT = (*MIGRATIONS, ("ALTER TABLE conversation ADD COLUMN colour TEXT",))


def test_an_older_database_is_copied_and_brought_up_to_date(path: Path) -> None:
    with Store(path) as store:
        store.begin("Old")
    connect(path, NEXT).close()
    assert raw(path, "PRAGMA user_version") == [(len(NEXT),)]
    assert raw(path, "SELECT title, colour FROM conversation") == [("Old", None)]
    copy = path.with_name(f"chats-version-{len(MIGRATIONS)}.db")
    assert raw(copy, "PRAGMA user_version") == [(len(MIGRATIONS),)]
    assert raw(copy, "SELECT title FROM conversation") == [("Old",)]


def test_a_migration_that_fails_changes_nothing(path: Path) -> None:
    with Store(path) as store:
        store.begin("Old")
    broken = (*NEXT, ("CREATE TABLE fine (x)", "CREATE TABLE conversation (x)"))
    with pytest.raises(StoreError):
        connect(path, broken)
    assert raw(path, "PRAGMA user_version") == [(len(MIGRATIONS),)]
    assert raw(path, "SELECT name FROM sqlite_master WHERE name = 'fine'") == []
    with Store(path) as store:
        assert store.summaries()[0].title == "Old"


def test_figures_of_another_version_are_read_as_far_as_they_are_known(
    path: Path, store: Store
) -> None:
    chat = store.begin("x")
    answer = store.say(chat, None, "assistant", "hi")
    kept = figures(9).as_json()
    kept["unknown"] = 1
    kept["statistics"]["unknown"] = 2
    raw(path, f"UPDATE message SET figures = '{json.dumps(kept)}' WHERE id = {answer.id}")
    assert store.tree(chat).messages[answer.id].figures == figures(9)
