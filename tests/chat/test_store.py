"""Where conversations are kept: trees, searches, and what survives which accident."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from scripted import figures

from localspec.tui.start import open_store
from localspec.tui.store import Message, Store, StoreError, Tree
from localspec.tui.store.schema import MIGRATIONS, connect


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "chats.db"


@pytest.fixture
def store(path: Path) -> Iterator[Store]:
    with Store(path) as store:
        yield store


def raw(path: Path, statement: str) -> list[tuple[object, ...]]:
    connection = sqlite3.connect(path)
    rows = connection.execute(statement).fetchall()
    connection.commit()
    connection.close()
    return rows


# Conversations ---------------------------------------------------------------------------------


def test_what_was_said_is_there_the_next_time(path: Path) -> None:
    with Store(path) as store:
        chat = store.begin("Sums", "Be brief.")
        question = store.say(chat, None, "user", "1 + 1?")
        answer = store.say(chat, question.id, "assistant", "", model="shell", seed=2**64 - 1)
        kept = replace(
            answer, content="2", finish_reason="stop", figures=figures(9), origins=((1, "model"),)
        )
        store.keep(kept)
    with Store(path) as store:
        assert store.summaries()[0].title == "Sums"
        assert store.system(chat) == "Be brief."
        tree = store.tree(chat)
        assert tree.path() == [question, kept]
        assert tree.messages[answer.id].seed == 2**64 - 1


def test_branches_are_kept_and_the_one_shown_is_remembered(store: Store) -> None:
    chat = store.begin("A tree")
    root = store.say(chat, None, "user", "hello")
    first = store.say(chat, root.id, "assistant", "one")
    second = store.say(chat, root.id, "assistant", "two")
    more = store.say(chat, first.id, "user", "go on")
    tree = store.tree(chat)
    assert tree.path() == [root, first, more]
    assert tree.siblings(first.id) == [first, second]
    assert tree.leaf(first.id) == more.id
    store.show(chat, second.id)
    assert store.tree(chat).path() == [root, second]


def test_searching_looks_at_titles_and_texts_without_case(store: Store) -> None:
    fish = store.begin("Über Fische")
    store.say(fish, None, "user", "Was frisst ein HECHT?")
    birds = store.begin("Birds")
    store.say(birds, None, "user", "What does a pike eat? 100% _sure_")
    found = {words: [s.id for s in store.summaries(words)] for words in (
        "", "ÜBER", "hecht", "pike birds", "pike hecht", "100%", "_sure_", "%", "'"
    )}  # fmt: skip
    assert found == {
        "": [birds, fish], "ÜBER": [fish], "hecht": [fish], "pike birds": [birds],
        "pike hecht": [], "100%": [birds], "_sure_": [birds], "%": [birds], "'": [],
    }  # fmt: skip


def test_of_many_conversations_the_latest_are_found(store: Store) -> None:
    chats = [store.begin(f"Chat {n}") for n in range(4)]
    assert [s.id for s in store.summaries(limit=2)] == [chats[3], chats[2]]
    assert [s.id for s in store.summaries("chat", 3)] == [chats[3], chats[2], chats[1]]


class Opaque(dict[int, Message]):
    """Messages that are asked for one by one, once they are there."""

    closed = False

    def values(self) -> Any:
        assert not self.closed, "somebody looks at all messages"
        return super().values()

    items = __iter__ = values


def test_branches_are_found_without_a_look_at_every_message() -> None:
    messages = Opaque({n: Message(n, n // 2 or None, "user", "x", 0.0) for n in range(1, 100)})
    tree = Tree(messages)
    messages.closed = True
    tree.add(Message(100, 50, "user", "y", 0.0))
    assert tree.leaf(1) == tree.leaf(25) == 100
    assert tree.leaf(2) == 95
    assert [message.id for message in tree.siblings(6)] == [6, 7]
    assert [message.id for message in tree.siblings(1)] == [1]


def test_a_deleted_conversation_can_be_brought_back_for_a_day(path: Path) -> None:
    with Store(path) as store:
        chat = store.begin("Oops")
        store.say(chat, None, "user", "a secret of mine")
        store.delete(chat)
        assert (store.summaries(), store.exists(chat)) == ([], False)
        store.restore(chat)
        assert store.exists(chat)
        store.delete(chat)
    raw(path, "UPDATE conversation SET deleted = deleted - 90000")
    with Store(path) as store:
        with pytest.raises(StoreError, match="gone"):
            store.tree(chat)
        raw(path, "PRAGMA wal_checkpoint(TRUNCATE)")
    assert b"a secret of mine" not in path.read_bytes(), "what is deleted is overwritten"


def test_who_goes_on_with_a_deleted_conversation_brings_it_back(path: Path) -> None:
    with Store(path) as here, Store(path) as elsewhere:
        chat = here.begin("Long")
        first = here.say(chat, None, "user", "So far.")
        elsewhere.delete(chat)
        here.say(chat, first.id, "user", "And further.")
        assert [summary.id for summary in elsewhere.summaries()] == [chat]


def test_what_was_typed_in_a_forgotten_conversation_is_forgotten_too(path: Path) -> None:
    with Store(path) as store:
        store.keep_draft(None, "for a new one")
        gone, other = store.begin("Gone"), store.begin("Here")
        store.keep_draft(gone, "a secret of mine")
        store.keep_draft(other, "not yet sent")
        store.delete(gone)
        raw(path, "UPDATE conversation SET deleted = deleted - 90000")
        with Store(path) as later:
            assert (later.draft(None), later.draft(other)) == ("for a new one", "not yet sent")
            assert later.draft(gone) == ""
            store.keep_draft(gone, "a secret of mine")  # by a window that still shows it
    with Store(path) as store:
        raw(path, "PRAGMA wal_checkpoint(TRUNCATE)")
    assert b"a secret of mine" not in path.read_bytes()


def test_no_conversation_is_taken_for_one_that_was_forgotten(path: Path) -> None:
    with Store(path) as store:
        former = [store.begin("x"), store.begin("y")]
        for chat in former:
            store.delete(chat)
        raw(path, "UPDATE conversation SET deleted = deleted - 90000")
        with Store(path) as later:
            chats = [later.begin(title) for title in "abc"]
        assert len({*former, *chats}) == 5
        with pytest.raises(StoreError):
            store.say(former[1], None, "user", "said in a window that still shows it")


def test_prompts_come_back_once_each_latest_last(store: Store) -> None:
    chat = store.begin("x")
    for text in ("a", "b", "a", "c"):
        store.say(chat, None, "user", text)
    store.say(chat, None, "assistant", "not a prompt")
    assert store.prompts() == ["b", "a", "c"]
    assert store.prompts(2) == ["a", "c"]


def test_what_is_typed_is_kept_by_conversation(store: Store) -> None:
    chat = store.begin("x")
    store.keep_draft(None, "for a new one")
    store.keep_draft(chat, "half a thou")
    store.keep_draft(chat, "half a thought")
    assert (store.draft(None), store.draft(chat)) == ("for a new one", "half a thought")
    store.keep_draft(chat, "")
    assert store.draft(chat) == ""


def test_preferences(store: Store) -> None:
    store.prefer({"theme": "dark", "choices": {"seed": 7}})
    store.prefer({"theme": "light"})
    assert store.preferences() == {"theme": "light", "choices": {"seed": 7}}


@pytest.mark.skipif(os.name == "nt", reason="Windows has no permission bits")
def test_nobody_else_may_read(path: Path, store: Store) -> None:
    assert path.stat().st_mode & 0o077 == 0


# Accidents -------------------------------------------------------------------------------------

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
