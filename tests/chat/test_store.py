"""Where conversations are kept: trees and searches."""

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from databases import raw
from scripted import figures

from localspec.tui.store import Message, Store, StoreError, Tree

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
