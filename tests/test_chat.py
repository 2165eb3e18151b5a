"""The chat as a person meets it: keys, words on the screen, and what is kept."""

import json
from pathlib import Path

import pytest
from localspec.tui.backend import Said
from localspec.tui.store import Store
from localspec.tui.widgets.message import Answer, Question
from scripted import (
    ScriptedBackend,
    ScriptedSource,
    ask,
    chatting,
    driven,
    on_screen,
    wait_until,
)
from textual.widgets import Input, OptionList

from localspec.errors import LocalspecError

HELLO = [Said("Hello", "model"), Said(" there", "lookup"), Said("!")]


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
        await ask(chat, pilot, "Count", answered=False)
        await wait_until(pilot, lambda: backend.replies)
        backend.replies[0].say("one", " two")
        await wait_until(pilot, lambda: "one two" in on_screen(chat))
        assert "tokens/s" in on_screen(chat)
        conversation = chat.session.conversation
        assert conversation is not None
        await wait_until(
            pilot, lambda: chat.session.store.tree(conversation).path()[-1].content == "one two"
        )
        assert chat.session.store.tree(conversation).path()[-1].finish_reason is None


@driven
async def test_escape_stops_and_keeps_what_has_come() -> None:
    backend = ScriptedBackend()
    async with chatting(backend) as (chat, pilot):
        await ask(chat, pilot, "Count", answered=False)
        await wait_until(pilot, lambda: backend.replies)
        backend.replies[0].say("one two")
        await wait_until(pilot, lambda: "one two" in on_screen(chat))
        assert "esc stop" in on_screen(chat)
        await pilot.press("escape")
        await wait_until(pilot, lambda: not chat.session.running)
        await wait_until(pilot, lambda: "stopped" in on_screen(chat))
        assert backend.replies[0].cancelled
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
        await ask(chat, pilot, "/model good", answered=False)
        await wait_until(pilot, lambda: "Hello there!" in on_screen(chat))
        assert source.opened == [("bad", "auto"), ("good", "auto")]
        assert "There is no model" not in on_screen(chat)


@driven
async def test_the_reader_is_left_alone_further_up() -> None:
    backend = ScriptedBackend()
    async with chatting(backend, size=(80, 20)) as (chat, pilot):
        await ask(chat, pilot, "Count", answered=False)
        await wait_until(pilot, lambda: backend.replies)
        backend.replies[0].say(*(f"line {n}\n\n" for n in range(30)))
        await wait_until(pilot, lambda: "line 29" in on_screen(chat))
        chat.conversation.scroll_home(animate=False)
        await wait_until(pilot, lambda: "line 29" not in on_screen(chat))
        backend.replies[0].say("line 30\n\n")
        await wait_until(pilot, lambda: "line 30" in chat.session.tree.path()[-1].content)
        await pilot.pause(0.3)
        assert "line 30" not in on_screen(chat)
        chat.conversation.scroll_end(animate=False)
        backend.replies[0].say("line 31\n\n")
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
        chat.query_one(Question).focus()
        await pilot.press("e")
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
async def test_a_large_paste_is_sent_whole_and_shown_in_short() -> None:
    backend = ScriptedBackend(HELLO)
    paste = "\n".join(f"line {n} of a long log" for n in range(5000))
    async with chatting(backend) as (chat, pilot):
        await ask(chat, pilot, paste)
        assert backend.asked[0][0][0]["content"] == paste
        assert "4,988 more lines" in chat.query_one(Question).query_one(".said").render().plain


@driven
async def test_a_question_that_cannot_be_kept_is_not_asked(tmp_path: Path) -> None:
    import sqlite3

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
    import sqlite3

    backend = ScriptedBackend()
    with Store(tmp_path / "chats.db") as store:
        store._connection.execute("PRAGMA busy_timeout = 20")
        async with chatting(backend, store=store) as (chat, pilot):
            await ask(chat, pilot, "Hi", answered=False)
            await wait_until(pilot, lambda: backend.replies)
            other = sqlite3.connect(tmp_path / "chats.db", isolation_level=None)
            other.execute("BEGIN IMMEDIATE")
            backend.replies[0].say("all of it")
            backend.replies[0].end()
            await wait_until(pilot, lambda: "locked by another" in on_screen(chat))
            await wait_until(pilot, lambda: "all of it" in on_screen(chat))
            other.close()
            await wait_until(pilot, lambda: not chat.session.has_unkept)
            conversation = chat.session.conversation
            assert conversation is not None
            assert store.tree(conversation).path()[-1].content == "all of it"
            await wait_until(pilot, lambda: "locked by another" not in on_screen(chat))


# Commands --------------------------------------------------------------------------------------


@driven
async def test_commands_complete() -> None:
    async with chatting() as (chat, pilot):
        await pilot.press("/", "s", "e")
        await wait_until(pilot, lambda: "temperature, seed and other settings" in on_screen(chat))
        await pilot.press("tab")
        assert chat.prompt.text == "/set "
        await wait_until(pilot, lambda: "repeat_penalty" in on_screen(chat))
        await pilot.press("t", "e", "tab")
        assert chat.prompt.text == "/set temperature "
        await pilot.press("0", ".", "2", "enter")
        await wait_until(pilot, lambda: chat.session.choices == {"temperature": 0.2})
        await wait_until(pilot, lambda: "temperature 0.2" in on_screen(chat))


@driven
async def test_settings_go_to_the_model_and_are_remembered() -> None:
    store, backend = Store(None), ScriptedBackend(HELLO)
    async with chatting(backend, store=store) as (chat, pilot):
        for command in ("/set seed 7", "/speculation off", "/set top-p 0.5", "/set top-p default"):
            await ask(chat, pilot, command, answered=False)
        await ask(chat, pilot, "Hi")
        assert backend.asked[0][1] == {"seed": 7, "speculation": 0}
    async with chatting(store=store) as (chat, _):
        assert chat.session.choices == {"seed": 7, "speculation": 0}


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("/nonsense", "There is no command /nonsense; /help lists them."),
        ("/set temperature hot", "'hot' is no temperature; it must be a number."),
        ("/set temperature -1", "The temperature is -1.0"),
        ("/set heat 1", "There is no setting 'heat'"),
        ("/title", "/title needs TEXT after it."),
        ("/import /does/not/exist.json", "cannot be read"),
        ("/export", "there is nothing to export"),
        ("/theme mud", "There is no theme 'mud'"),
        ("/copy", "There is nothing to copy."),
    ],
)
@driven
async def test_a_command_that_fails_says_why(command: str, words: str) -> None:
    async with chatting(size=(140, 30)) as (chat, pilot):
        await ask(chat, pilot, command, answered=False)
        await wait_until(pilot, lambda: words in " ".join(on_screen(chat).split()), words)
        assert chat.session.conversation is None


@driven
async def test_two_slashes_are_a_question() -> None:
    backend = ScriptedBackend(HELLO)
    async with chatting(backend) as (chat, pilot):
        await ask(chat, pilot, "//etc is what?")
        assert backend.asked[0][0][0]["content"] == "/etc is what?"


@driven
async def test_instructions_come_first() -> None:
    backend = ScriptedBackend(HELLO)
    async with chatting(backend) as (chat, pilot):
        await ask(chat, pilot, "/system Speak like a pirate", answered=False)
        await ask(chat, pilot, "Hi")
        assert backend.asked[0][0][0] == {"role": "system", "content": "Speak like a pirate"}


@driven
async def test_a_conversation_goes_out_as_a_file_and_comes_back(tmp_path: Path) -> None:
    backend = ScriptedBackend([Said("one")], [Said("two")])
    async with chatting(backend) as (chat, pilot):
        await ask(chat, pilot, "Which?")
        await pilot.press("ctrl+r")
        await wait_until(pilot, lambda: "two" in on_screen(chat) and not chat.session.running)
        for name in ("chat.json", "chat.md"):
            await ask(chat, pilot, f"/export {tmp_path / name}", answered=False)
        await wait_until(pilot, lambda: (tmp_path / "chat.md").exists())
        assert (tmp_path / "chat.md").read_text().count("two") == 1
        await ask(chat, pilot, f"/import {tmp_path / 'chat.json'}", answered=False)
        await wait_until(pilot, lambda: len(chat.session.store.summaries()) == 2)
        await wait_until(pilot, lambda: "2 of 2" in on_screen(chat))
        contents = sorted(m.content for m in chat.session.tree.messages.values())
        assert contents == ["Which?", "one", "two"]


@driven
async def test_messages_and_code_are_copied() -> None:
    code = "Run:\n\n```sh\nls -lS\n```\nor\n~~~\ndu\n~~~\n"
    async with chatting(ScriptedBackend([Said(code)])) as (chat, pilot):
        await ask(chat, pilot, "How?")
        chat.query_one(Answer).focus()
        await pilot.press("y")
        assert chat.clipboard == "ls -lS\n\ndu"
        await pilot.press("c")
        assert chat.clipboard == code
        await pilot.press("up", "c")
        assert chat.clipboard == "How?"


# Screens ---------------------------------------------------------------------------------------


@driven
async def test_chats_are_found_renamed_deleted_brought_back_and_opened() -> None:
    store = Store(None)
    for title, text in (("Fish", "pike"), ("Birds", "owl"), ("Stones", "flint")):
        store.say(store.begin(title), None, "user", text)
    async with chatting(store=store) as (chat, pilot):
        await pilot.press("ctrl+o")
        await wait_until(pilot, lambda: chat.screen.is_modal)
        found = chat.screen.query_one(OptionList)
        assert found.option_count == 3
        await pilot.press(*"owl")
        await wait_until(pilot, lambda: found.option_count == 1)
        await pilot.press("ctrl+r")
        chat.screen.query_one(Input).value = "Night birds"
        await pilot.press("enter")
        await wait_until(pilot, lambda: "Night birds" in on_screen(chat))
        await pilot.press("ctrl+d")
        await wait_until(pilot, lambda: "Deleted" in on_screen(chat))
        assert [s.title for s in store.summaries()] == ["Stones", "Fish"]
        await pilot.press("ctrl+z")
        assert len(store.summaries()) == 3
        chat.screen.query_one(Input).value = "flint"
        await pilot.press("enter")
        await wait_until(pilot, lambda: "flint" in on_screen(chat))
        assert chat.session.store.title(chat.session.conversation or 0) == "Stones"


@driven
async def test_the_latest_conversation_can_be_gone_on_with() -> None:
    store = Store(None)
    store.say(store.begin("Fish"), None, "user", "pike")
    async with chatting(store=store, resume=True) as (chat, _):
        assert "pike" in on_screen(chat)
    async with chatting(store=store) as (chat, _):
        assert "pike" not in on_screen(chat)


@driven
async def test_a_model_is_picked_and_the_old_one_given_back() -> None:
    first, second = ScriptedBackend(HELLO), ScriptedBackend(HELLO, name="second")
    source = ScriptedSource(scripted=first, other=second)
    async with chatting(source=source) as (chat, pilot):
        await ask(chat, pilot, "Hi")
        await pilot.press("ctrl+l", *"oth", "enter")
        await wait_until(pilot, lambda: chat.session.backend is second)
        assert first.closed
        assert "second" in on_screen(chat)
        await ask(chat, pilot, "And you?")
        assert second.asked[0][0][1]["content"] == "Hello there!"


@driven
async def test_settings_are_typed_and_nonsense_is_not_taken() -> None:
    async with chatting(ScriptedBackend(HELLO)) as (chat, pilot):
        await pilot.press("ctrl+s")
        await wait_until(pilot, lambda: "Settings of the next answers" in on_screen(chat))
        await pilot.press("0", ".", "3", "enter", "9")
        await wait_until(pilot, lambda: "top-p is 9" in on_screen(chat))
        await pilot.press("escape")
        assert chat.session.choices == {"temperature": 0.3}


@driven
async def test_tint_and_figures_stay_as_they_were() -> None:
    store = Store(None)
    async with chatting(ScriptedBackend(HELLO), store=store) as (chat, pilot):
        await ask(chat, pilot, "Hi")
        await pilot.press("ctrl+t", "ctrl+g")
        await wait_until(pilot, lambda: "target 1" in on_screen(chat))
        assert "Held, by position" in on_screen(chat)
    async with chatting(store=store, resume=True) as (chat, pilot):
        await wait_until(pilot, lambda: "target 1" in on_screen(chat))
        assert "Held, by position" in on_screen(chat)


@driven
async def test_every_key_of_the_footer_does_something() -> None:
    async with chatting(ScriptedBackend(HELLO, HELLO)) as (chat, pilot):
        await ask(chat, pilot, "Hi")
        for key, seen in (
            ("f1", "commands and keys"), ("ctrl+s", "Settings of"), ("ctrl+l", "Which model"),
            ("ctrl+o", "search titles"),
        ):  # fmt: skip
            await pilot.press(key)
            await wait_until(pilot, lambda seen=seen: seen in on_screen(chat), key)  # type: ignore[misc]
            await pilot.press("escape")
            await wait_until(pilot, lambda seen=seen: seen not in on_screen(chat), key)  # type: ignore[misc]
        await pilot.press("ctrl+n")
        await wait_until(pilot, lambda: "What would you like to know?" in on_screen(chat))


@driven
async def test_keys_can_be_changed() -> None:
    async with chatting(keys={"chats": "f9"}) as (chat, pilot):
        await wait_until(pilot, lambda: "f9 chats" in on_screen(chat))
        await pilot.press("f9")
        await wait_until(pilot, lambda: "search titles" in on_screen(chat))


@driven
async def test_sixty_columns_are_enough() -> None:
    async with chatting(ScriptedBackend(HELLO), size=(60, 20)) as (chat, pilot):
        await ask(chat, pilot, "Hi")
        assert "1.51× plain" in on_screen(chat)
        assert all(len(line) == 60 for line in on_screen(chat).splitlines())
        await pilot.press("ctrl+g")
        await wait_until(pilot, lambda: "tokens/s" in on_screen(chat))


@driven
async def test_long_conversations_are_drawn_a_page_at_a_time() -> None:
    store = Store(None)
    chat_id, parent = store.begin("long"), None
    for n in range(45):
        parent = store.say(chat_id, parent, "user", f"number {n};").id
    async with chatting(store=store, resume=True) as (chat, pilot):
        assert len(chat.conversation.views) == 30
        chat.conversation.scroll_home(animate=False)
        await wait_until(pilot, lambda: "15 earlier messages" in on_screen(chat))
        await chat.conversation.show_earlier()
        assert [v.message.content for v in chat.conversation.views][:2] == [
            "number 0;",
            "number 1;",
        ]


@driven
async def test_json_of_other_programs_is_imported(tmp_path: Path) -> None:
    file = tmp_path / "theirs.json"
    file.write_text(
        json.dumps(
            [
                {"role": "system", "content": "Be kind."},
                {"role": "user", "content": [{"type": "text", "text": "Hi"}]},
                {"role": "assistant", "content": "Hello."},
            ]
        )
    )
    async with chatting() as (chat, pilot):
        await ask(chat, pilot, f"/import {file}", answered=False)
        await wait_until(pilot, lambda: "Hello." in on_screen(chat))
        assert chat.session.system == "Be kind."
