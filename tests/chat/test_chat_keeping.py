"""Nothing is lost in the chat, whatever becomes of the file."""

import sqlite3
from pathlib import Path

import pytest
from scripted import (
    HELLO,
    ScriptedBackend,
    ask,
    begin,
    chatting,
    driven,
    on_screen,
    told,
    wait_until,
)

from localspec.errors import LocalspecError
from localspec.tui.store import Store, StoreError


@driven
async def test_what_is_typed_where_nothing_can_be_kept_is_kept_later() -> None:
    async with chatting(ScriptedBackend(HELLO)) as (chat, pilot):
        await ask(chat, pilot, "Hi")
        first, store = chat.session.conversation, chat.session.store
        assert first is not None
        with pytest.MonkeyPatch.context() as full:
            full.setattr(store, "keep_draft", refuse)
            await pilot.press(*"half")
            await pilot.press("ctrl+n")
            await wait_until(pilot, lambda: not chat.prompt.text)
            assert "The disk is full." in on_screen(chat)
            await chat.go(lambda: chat.session.open(first))
            assert chat.prompt.text == "half"
            await pilot.press("ctrl+n")
            await wait_until(pilot, lambda: not chat.prompt.text)
        await wait_until(pilot, lambda: store.draft(first) == "half")


@driven
async def test_a_question_that_cannot_be_kept_is_not_asked(tmp_path: Path) -> None:
    backend = ScriptedBackend(HELLO)
    with Store(tmp_path / "chats.db") as store:
        store._connection.execute("PRAGMA busy_timeout = 20")
        async with chatting(backend, store=store) as (chat, pilot):
            other = sqlite3.connect(tmp_path / "chats.db", isolation_level=None)
            other.execute("BEGIN IMMEDIATE")
            chat.prompt.put("important")
            await pilot.press("enter")
            await wait_until(pilot, lambda: "locked by another" in told(chat))
            assert (chat.prompt.text, backend.asked) == ("important", [])
            other.close()
            await pilot.press("enter")
            await wait_until(pilot, lambda: "Hello there!" in on_screen(chat))


@driven
async def test_an_answer_that_cannot_be_kept_is_kept_later(tmp_path: Path) -> None:
    backend = ScriptedBackend()
    with Store(tmp_path / "chats.db") as store:
        store._connection.execute("PRAGMA busy_timeout = 20")
        async with chatting(backend, store=store) as (chat, pilot):
            reply = await begin(chat, pilot, backend, "Hi")
            other = sqlite3.connect(tmp_path / "chats.db", isolation_level=None)
            other.execute("BEGIN IMMEDIATE")
            reply.say("all of it")
            reply.end()
            await wait_until(pilot, lambda: "locked by another" in told(chat))
            await wait_until(pilot, lambda: "all of it" in on_screen(chat))
            other.close()
            await wait_until(pilot, lambda: not chat.session.has_unkept)
            conversation = chat.session.conversation
            assert conversation is not None
            assert store.tree(conversation).path()[-1].content == "all of it"
            await wait_until(pilot, lambda: "locked by another" not in told(chat))


@driven
async def test_a_store_that_breaks_leaves_a_usable_chat(tmp_path: Path) -> None:
    path, backend = tmp_path / "chats.db", ScriptedBackend(HELLO)
    with Store(path) as store:
        chat_id, parent = store.begin("x"), None
        for n in range(200):
            parent = store.say(chat_id, parent, "user", f"{n} " * 200).id
    data = path.read_bytes()
    path.write_bytes(data[:40960] + b"\xff" * (len(data) - 40960))
    with Store(path) as store:
        async with chatting(backend, store=store, resume=True, size=(140, 30)) as (chat, pilot):
            await wait_until(pilot, lambda: "are damaged" in told(chat))
            await pilot.press("ctrl+n", "f1", "escape", "ctrl+o", "x")
            await wait_until(pilot, lambda: "are damaged" in told(chat))


@driven
async def test_that_nothing_is_kept_is_said_whatever_else_there_is_to_say() -> None:
    backend = ScriptedBackend(LocalspecError("It broke."), notes=["The draft is slow."])
    async with chatting(backend, trouble="Nothing is being kept.") as (chat, pilot):
        await wait_until(pilot, lambda: "The draft is slow. Nothing is being" in on_screen(chat))
        await ask(chat, pilot, "Hi")
        await wait_until(pilot, lambda: "It broke. Nothing is being kept." in on_screen(chat))


@driven
async def test_where_nothing_can_be_kept_one_can_still_go_elsewhere() -> None:
    backend = ScriptedBackend()
    async with chatting(backend) as (chat, pilot):
        reply = await begin(chat, pilot, backend, "Hi")
        reply.say("half an answer")
        await wait_until(pilot, lambda: "half an answer" in on_screen(chat))
        store, old = chat.session.store, chat.session.conversation or 0
        with pytest.MonkeyPatch.context() as full:
            full.setattr(store, "keep", refuse)
            await pilot.press("ctrl+n")
            await wait_until(pilot, lambda: "What would you like" in on_screen(chat))
        await wait_until(pilot, lambda: not chat.session.has_unkept)
        assert store.tree(old).path()[-1].content == "half an answer"


def refuse(*_: object) -> None:
    raise StoreError("The disk is full.")
