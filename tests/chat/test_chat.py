"""The chat as a person meets it: keys, words on the screen, and what is kept."""

import sqlite3
from pathlib import Path

import pytest
from scripted import (
    HELLO,
    ScriptedBackend,
    ScriptedSource,
    ask,
    begin,
    chatting,
    driven,
    on_screen,
    wait_until,
)
from textual.widgets import Markdown

from localspec.errors import LocalspecError
from localspec.tui.backend import Said
from localspec.tui.store import Store
from localspec.tui.widgets.message import Answer, MessageView, Question

# Turns -----------------------------------------------------------------------------------------


@driven
async def test_a_question_is_answered_and_both_are_kept() -> None:
    backend = ScriptedBackend(HELLO)
    async with chatting(backend) as (chat, pilot):
        await ask(chat, pilot, "Say hello")
        assert "Hello there!" in on_screen(chat)
        assert "1.51× plain (121)" in on_screen(chat)
        assert backend.asked[0][0] == [{"role": "user", "content": "Say hello"}]
        (summary,) = chat.session.store.summaries()
        assert summary.title == "Say hello"
        question, answer = chat.session.store.tree(summary.id).path()
        assert (question.content, answer.content) == ("Say hello", "Hello there!")
        assert answer.origins == ((5, "model"), (6, "lookup"), (1, None))
        assert (answer.finish_reason, answer.seed, answer.model) == ("stop", 7, "scripted-8b-q4")


@driven
async def test_a_second_question_takes_the_conversation_along() -> None:
    backend = ScriptedBackend(HELLO, [Said("<think>hm, yes</think>\n\nYes.")], HELLO)
    async with chatting(backend) as (chat, pilot):
        for text in ("Hi", "Sure?", "Really?"):
            await ask(chat, pilot, text)
        assert [words["content"] for words in backend.asked[2][0]] == [
            "Hi", "Hello there!", "Sure?", "Yes.", "Really?",
        ]  # fmt: skip


@driven
async def test_an_answer_is_seen_and_kept_while_it_comes() -> None:
    backend = ScriptedBackend()
    async with chatting(backend) as (chat, pilot):
        reply = await begin(chat, pilot, backend, "Count")
        reply.say("one", " two")
        await wait_until(pilot, lambda: "one two" in on_screen(chat))
        await wait_until(pilot, lambda: "tokens/s" in on_screen(chat))
        conversation = chat.session.conversation
        assert conversation is not None
        await wait_until(
            pilot, lambda: chat.session.store.tree(conversation).path()[-1].content == "one two"
        )
        assert chat.session.store.tree(conversation).path()[-1].finish_reason is None


MARKDOWN = """
Files can be *sorted*
====

1. `ls -lS` looks at **one** folder

2. `du` looks below:

   ```sh
   du -sh * | sort -h
   ```

| command | sorts |
|---|---|
| `ls` | yes |

> said by [someone][1]

[1]: /there
"""


@driven
async def test_an_answer_that_came_bit_by_bit_looks_like_one_that_came_at_once() -> None:
    backend = ScriptedBackend()
    async with chatting(backend, size=(80, 40)) as (chat, pilot):
        reply = await begin(chat, pilot, backend, "How?")
        for at in range(0, len(MARKDOWN), 150):
            reply.say(MARKDOWN[at : at + 150])
            said = MARKDOWN[: at + 150]
            await wait_until(pilot, lambda said=said: chat.session.tree.path()[-1].content == said)  # type: ignore[misc]
        reply.end()
        await wait_until(pilot, lambda: chat.conversation.running is None)
        await wait_until(pilot, lambda: "said by someone" in on_screen(chat))
        await pilot.pause()
        streamed = on_screen(chat)
        assert "du -sh * | sort -h" in streamed
        await chat.show_conversation()
        await wait_until(pilot, lambda: "said by someone" in on_screen(chat))
        await pilot.pause()
        assert [line.strip() for line in on_screen(chat).splitlines() if line.strip()] == [
            line.strip() for line in streamed.splitlines() if line.strip()
        ]


@driven
async def test_escape_stops_and_keeps_what_has_come() -> None:
    backend = ScriptedBackend()
    async with chatting(backend) as (chat, pilot):
        reply = await begin(chat, pilot, backend, "Count")
        reply.say("one two")
        await wait_until(pilot, lambda: "one two" in on_screen(chat))
        assert "esc stop" in on_screen(chat)
        await pilot.press("escape")
        await wait_until(pilot, lambda: not chat.session.running)
        await wait_until(pilot, lambda: "stopped" in on_screen(chat))
        assert reply.cancelled
        assert chat.session.tree.path()[-1].content == "one two"
        await wait_until(pilot, lambda: "esc stop" not in on_screen(chat))


@driven
async def test_what_failed_is_told_and_the_next_question_goes_on_without_it() -> None:
    backend = ScriptedBackend(LocalspecError("The context is full; begin anew."), HELLO)
    async with chatting(backend) as (chat, pilot):
        await ask(chat, pilot, "A very long question")
        assert "The context is full; begin anew." in on_screen(chat)
        assert "failed" in on_screen(chat)
        await ask(chat, pilot, "A short one")
        assert backend.asked[1][0] == [{"role": "user", "content": "A short one"}]
        assert "The context is full" not in on_screen(chat)


@driven
async def test_a_question_waits_for_the_model() -> None:
    backend = ScriptedBackend(HELLO)
    source = ScriptedSource(good=backend)
    async with chatting(source=source, model="bad", loaded=False) as (chat, pilot):
        await wait_until(pilot, lambda: "There is no model 'bad'" in on_screen(chat))
        assert "no model" in on_screen(chat)
        await ask(chat, pilot, "Anyone?", answered=False)
        assert "Anyone?" in on_screen(chat)
        assert "There is no model 'bad'" in on_screen(chat), "the reason stays"
        await ask(chat, pilot, "/model good", answered=False)
        await wait_until(pilot, lambda: "Hello there!" in on_screen(chat))
        assert source.opened == [("bad", "auto"), ("good", "auto")]
        assert "There is no model" not in on_screen(chat)


@driven
async def test_the_reader_is_left_alone_further_up() -> None:
    backend = ScriptedBackend()
    async with chatting(backend, size=(80, 20)) as (chat, pilot):
        reply = await begin(chat, pilot, backend, "Count")
        reply.say(*(f"line {n}\n\n" for n in range(30)))
        await wait_until(pilot, lambda: "line 29" in on_screen(chat))
        chat.conversation.scroll_home(animate=False)
        await wait_until(pilot, lambda: "line 29" not in on_screen(chat))
        reply.say("line 30\n\n")
        await wait_until(pilot, lambda: "line 30" in chat.session.tree.path()[-1].content)
        await pilot.pause(0.3)
        assert "line 30" not in on_screen(chat)
        chat.conversation.scroll_end(animate=False)
        reply.say("line 31\n\n")
        await wait_until(pilot, lambda: "line 31" in on_screen(chat))


@driven
async def test_thoughts_are_folded_and_can_be_read() -> None:
    backend = ScriptedBackend([Said("<think>Let me see now</think>\n\nForty-two.")])
    async with chatting(backend) as (chat, pilot):
        await ask(chat, pilot, "What is it?")
        assert "▸ thought for 4 words" in on_screen(chat)
        assert "Let me see now" not in on_screen(chat)
        chat.query_one(Answer).focus()
        await pilot.press("space")
        await wait_until(pilot, lambda: "Let me see now" in on_screen(chat))


@driven
async def test_escape_sequences_of_a_model_do_not_reach_the_terminal() -> None:
    async with chatting(ScriptedBackend([Said("safe \x1b[2Jand\x07 sound")])) as (chat, pilot):
        await ask(chat, pilot, "Hack \x1b[31mme")
        assert "safe [2Jand sound" in on_screen(chat)
        assert "\x1b" not in on_screen(chat)
        await pilot.press("ctrl+t")
        await pilot.pause(0.1)
        assert "\x1b" not in on_screen(chat)


@driven
async def test_nor_do_those_of_names_notices_links_and_edited_questions() -> None:
    evil = "\x1b]52;c;cHduZWQ=\x1b\\ \x9b31m"
    backend = ScriptedBackend([Said("yes")], LocalspecError(f"it broke {evil}"))
    backend.name = f"model {evil}"
    async with chatting(backend) as (chat, pilot):
        await ask(chat, pilot, f"Hack {evil}")
        await ask(chat, pilot, "again")
        await wait_until(pilot, lambda: "it broke ]52" in on_screen(chat))
        assert "model ]52" in on_screen(chat)
        await chat.on_markdown_link_clicked(Markdown.LinkClicked(Markdown(), "x%1b%5b201~%0als"))
        assert chat.clipboard == "x[201~ls"
        chat.screen.text_select_all()
        chat.action_interrupt()
        assert "model ]52" in chat.clipboard
        assert not {"\x1b", "\x9b"} & set(chat.clipboard)
        chat.screen.clear_selection()
        await chat.on_message_view_wanted(MessageView.Wanted(chat.conversation.views[0], "edit"))
        chat.say(evil)
        await wait_until(pilot, lambda: "Hack ]52" in on_screen(chat).rpartition("yes")[2])
        assert not {"\x1b", "\x9b"} & set(on_screen(chat))


@driven
async def test_what_holds_nothing_is_not_copied_and_does_no_harm() -> None:
    async with chatting(ScriptedBackend(LocalspecError("it broke"))) as (chat, pilot):
        await ask(chat, pilot, "Hi")
        chat.query_one(Answer).focus()
        await pilot.press("c")
        await wait_until(pilot, lambda: "There is nothing to copy." in on_screen(chat))
        chat.clear_notifications()
        await wait_until(pilot, lambda: "There is nothing to copy." not in on_screen(chat))
        chat.post_message(Markdown.LinkClicked(Markdown(), "%0a"))
        await wait_until(pilot, lambda: "There is nothing to copy." in on_screen(chat))


# Branches --------------------------------------------------------------------------------------


@driven
async def test_asking_again_makes_a_branch_and_keeps_the_old_one() -> None:
    backend = ScriptedBackend([Said("first")], [Said("second")])
    async with chatting(backend) as (chat, pilot):
        await ask(chat, pilot, "Which?")
        await pilot.press("ctrl+r")
        await wait_until(pilot, lambda: "second" in on_screen(chat))
        await wait_until(pilot, lambda: "2 of 2" in on_screen(chat))
        assert "first" not in on_screen(chat)
        await pilot.press("up")  # from the prompt: what was asked before
        assert chat.prompt.text == "Which?"
        chat.query_one(Answer).focus()
        await pilot.press("left")
        await wait_until(pilot, lambda: "first" in on_screen(chat))
        assert "1 of 2" in on_screen(chat)
        assert chat.focused is chat.query_one(Answer)
        await pilot.press("right")
        await wait_until(pilot, lambda: "second" in on_screen(chat))


@driven
async def test_an_edited_question_makes_a_branch() -> None:
    backend = ScriptedBackend([Said("Paris.")], [Said("Rome.")])
    async with chatting(backend) as (chat, pilot):
        await ask(chat, pilot, "Capital of France?")
        await pilot.press("shift+tab")
        assert chat.focused is chat.query_one(Answer)
        await pilot.press("up", "e")
        assert chat.prompt.text == "Capital of France?"
        chat.prompt.put("Capital of Italy?")
        await pilot.press("enter")
        await wait_until(pilot, lambda: "Rome." in on_screen(chat))
        assert "Paris." not in on_screen(chat)
        assert "← 2 of 2 →" in on_screen(chat)
        assert backend.asked[1][0] == [{"role": "user", "content": "Capital of Italy?"}]
        chat.query_one(Question).focus()
        await pilot.press("left")
        await wait_until(pilot, lambda: "Paris." in on_screen(chat))


@driven
async def test_escape_gives_up_editing_and_what_was_typed_comes_back() -> None:
    async with chatting(ScriptedBackend(HELLO)) as (chat, pilot):
        await ask(chat, pilot, "Hi")
        chat.prompt.put("half a thought")
        await pilot.pause(0.1)
        chat.query_one(Question).focus()
        await pilot.press("e")
        await pilot.press("escape")
        await wait_until(pilot, lambda: chat.prompt.text == "half a thought")


# Typing ----------------------------------------------------------------------------------------


@driven
async def test_the_prompt_grows_and_enter_sends_all_of_it() -> None:
    backend = ScriptedBackend(HELLO)
    async with chatting(backend) as (chat, pilot):
        await pilot.press("a", "ctrl+j", "b", "ctrl+j", "c")
        await wait_until(pilot, lambda: chat.prompt.size.height == 3)
        await pilot.press("enter")
        await wait_until(pilot, lambda: backend.asked)
        assert backend.asked[0][0][0]["content"] == "a\nb\nc"


@driven
async def test_up_and_down_go_through_what_was_asked() -> None:
    store = Store(None)
    old = store.begin("old")
    store.say(old, None, "user", "asked yesterday")
    async with chatting(ScriptedBackend(HELLO), store=store) as (chat, pilot):
        await ask(chat, pilot, "asked today")
        await pilot.press("n", "o", "w")
        await pilot.press("up")
        assert chat.prompt.text == "asked today"
        await pilot.press("up")
        assert chat.prompt.text == "asked yesterday"
        await pilot.press("down", "down")
        assert chat.prompt.text == "now"


@driven
async def test_what_is_typed_survives(tmp_path: Path) -> None:
    with Store(tmp_path / "chats.db") as store:
        async with chatting(store=store) as (chat, pilot):
            chat.prompt.put("half a thought")
            await wait_until(pilot, lambda: store.draft(None) == "half a thought")
    with Store(tmp_path / "chats.db") as store:
        async with chatting(ScriptedBackend(HELLO), store=store) as (chat, pilot):
            assert chat.prompt.text == "half a thought"
            await pilot.press("enter")
            await wait_until(pilot, lambda: "Hello there!" in on_screen(chat))
            assert store.draft(None) == ""


@driven
async def test_what_is_typed_where_nothing_can_be_kept_is_kept_later() -> None:
    async with chatting(ScriptedBackend(HELLO)) as (chat, pilot):
        await ask(chat, pilot, "Hi")
        first, store = chat.session.conversation, chat.session.store
        assert first is not None
        with pytest.MonkeyPatch.context() as full:
            full.setattr(store, "keep_draft", fail)
            await pilot.press(*"half")
            await pilot.press("ctrl+n")
            await wait_until(pilot, lambda: not chat.prompt.text)
            assert "The disk is full." in on_screen(chat)
            await chat.open(first)
            assert chat.prompt.text == "half"
            await pilot.press("ctrl+n")
            await wait_until(pilot, lambda: not chat.prompt.text)
        await wait_until(pilot, lambda: store.draft(first) == "half")


def fail(*_: object) -> None:
    raise LocalspecError("The disk is full.")


@driven
async def test_a_large_paste_is_sent_whole_and_shown_in_short() -> None:
    backend = ScriptedBackend(HELLO)
    paste = "\n".join(f"line {n} of a long log" for n in range(5000))
    async with chatting(backend) as (chat, pilot):
        await ask(chat, pilot, paste)
        assert backend.asked[0][0][0]["content"] == paste
        assert "4,988 more lines" in chat.query_one(Question).query_one(".said").render().plain


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
            await wait_until(pilot, lambda: "locked by another" in on_screen(chat))
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
            await wait_until(pilot, lambda: "locked by another" in on_screen(chat))
            await wait_until(pilot, lambda: "all of it" in on_screen(chat))
            other.close()
            await wait_until(pilot, lambda: not chat.session.has_unkept)
            conversation = chat.session.conversation
            assert conversation is not None
            assert store.tree(conversation).path()[-1].content == "all of it"
            await wait_until(pilot, lambda: "locked by another" not in on_screen(chat))


@driven
async def test_an_answer_goes_on_while_something_lies_over_it() -> None:
    backend = ScriptedBackend()
    async with chatting(backend) as (chat, pilot):
        reply = await begin(chat, pilot, backend, "Count")
        await pilot.press("f1")
        await wait_until(pilot, lambda: "commands and keys" in on_screen(chat))
        reply.say("one two")
        await wait_until(pilot, lambda: "one two" in chat.session.tree.path()[-1].content)
        await pilot.pause(0.2)
        reply.end()
        await wait_until(pilot, lambda: not chat.session.running)
        await pilot.press("escape")
        await wait_until(pilot, lambda: "one two" in on_screen(chat))


@driven
async def test_an_answer_that_was_cut_off_says_so() -> None:
    store = Store(None)
    id = store.begin("x")
    question = store.say(id, None, "user", "Well?")
    store.say(id, question.id, "assistant", "It is")
    async with chatting(store=store, resume=True) as (chat, _):
        assert "cut off: the program ended" in on_screen(chat)
    backend = ScriptedBackend()
    async with chatting(backend) as (chat, pilot):
        await ask(chat, pilot, "Well?", answered=False)
        await wait_until(pilot, lambda: "reading the prompt" in on_screen(chat))
        assert "cut off" not in on_screen(chat)


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
            await wait_until(pilot, lambda: "are damaged" in on_screen(chat))
            await pilot.press("ctrl+o", "escape", "ctrl+n", "f1", "escape")
            await wait_until(pilot, lambda: "are damaged" in on_screen(chat))
