"""What can be asked of the chat besides questions: commands, sheets, keys."""

import json
import tomllib
from pathlib import Path

import pytest
from scripted import (
    HELLO,
    ScriptedBackend,
    ScriptedSource,
    ask,
    chatting,
    driven,
    new_store,
    on_screen,
    wait_until,
)
from textual import events
from textual.widgets import Input, OptionList

from localspec.tui.backend import Said
from localspec.tui.keys import NAMED_KEYS
from localspec.tui.widgets.message import Answer

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
async def test_keys_that_come_at_once_keep_their_order() -> None:
    async with chatting() as (chat, pilot):
        for key, character in (("slash", "/"), ("s", "s"), ("y", "y"), ("tab", "\t"), ("b", "b"),
                               ("ctrl+j", "\n"), ("c", "c")):  # fmt: skip
            chat.prompt.typing.post_message(events.Key(key, character))
        await wait_until(pilot, lambda: chat.prompt.text.endswith("c"))
        assert chat.prompt.text == "/system b\nc"


@driven
async def test_settings_go_to_the_model_and_are_remembered() -> None:
    store, backend = new_store(), ScriptedBackend(HELLO)
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
        ("/set temperature -1", "temperature is -1.0"),
        ("/set heat 1", "There is no setting 'heat'"),
        ("/title", "/title needs TEXT after it."),
        ("/import /does/not/exist.json", "cannot be read"),
        ("/import ~nobody-here/chat.json", "Nobody here has the folder"),
        ("/export", "there is nothing to export"),
        ("/theme mud", "There is no theme 'mud'"),
        ("/copy", "There is nothing to copy."),
    ],
)
@driven
async def test_a_command_that_fails_says_why_and_can_be_mended(command: str, words: str) -> None:
    async with chatting(size=(140, 30)) as (chat, pilot):
        chat.prompt.put(command)
        await pilot.press("enter")
        await wait_until(pilot, lambda: words in " ".join(on_screen(chat).split()), words)
        assert chat.prompt.text == command
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
    store = new_store()
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
        await pilot.press("escape", "ctrl+o")
        await wait_until(pilot, lambda: "undo" in on_screen(chat))
        await pilot.press("ctrl+z")
        assert len(store.summaries()) == 3
        assert "undo" not in on_screen(chat)
        chat.screen.query_one(Input).value = "flint"
        await pilot.press("enter")
        await wait_until(pilot, lambda: "flint" in on_screen(chat))
        assert chat.session.store.title(chat.session.conversation or 0) == "Stones"


@driven
async def test_a_list_without_chats_answers_what_was_asked() -> None:
    async with chatting() as (chat, pilot):
        await pilot.press("ctrl+o")
        await wait_until(pilot, lambda: "There are no conversations yet." in on_screen(chat))
        await pilot.press(*"owl")
        await wait_until(pilot, lambda: "Nothing is called so" in on_screen(chat))
        chat.session.store.begin("Fish")
        await pilot.press(*["backspace"] * 3)
        await wait_until(pilot, lambda: "Fish" in on_screen(chat))
        assert "Nothing is called so" not in on_screen(chat)


@driven
async def test_the_latest_conversation_can_be_gone_on_with() -> None:
    store = new_store()
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
async def test_a_model_that_does_not_exist_costs_nobody_the_one_that_does() -> None:
    first = ScriptedBackend(HELLO)
    source = ScriptedSource(scripted=first)
    async with chatting(source=source) as (chat, pilot):
        chat.prompt.put("/model scriptd")
        await pilot.press("enter")
        await wait_until(pilot, lambda: "There is no model 'scriptd'" in on_screen(chat))
        assert chat.session.backend is first
        assert not first.closed
        await ask(chat, pilot, "Hi")
        assert source.opened == [("scripted", "auto")]


@driven
async def test_settings_are_typed_and_nonsense_is_not_taken() -> None:
    async with chatting(ScriptedBackend(HELLO)) as (chat, pilot):
        await pilot.press("ctrl+s")
        await wait_until(pilot, lambda: "Settings of the next answers" in on_screen(chat))
        await pilot.press("0", ".", "3", "enter", "9")
        await wait_until(pilot, lambda: "top_p is 9" in on_screen(chat))
        await pilot.press("escape")
        assert chat.session.choices == {"temperature": 0.3}


@driven
async def test_a_setting_that_is_refused_looks_so_on_a_small_screen() -> None:
    async with chatting(size=(60, 15)) as (chat, pilot):
        await pilot.press("ctrl+s")
        await wait_until(pilot, lambda: "Settings of the next answers" in on_screen(chat))
        await pilot.press(*"99", "9")
        await wait_until(pilot, lambda: "temperature is 999.0" in on_screen(chat))
        await pilot.press("backspace", "backspace")
        await wait_until(pilot, lambda: "Settings of the next answers" in on_screen(chat))
        assert chat.session.choices == {"temperature": 9.0}


@driven
async def test_tint_and_figures_stay_as_they_were() -> None:
    store = new_store()
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
async def test_help_promises_a_new_line_by_the_key_that_every_terminal_has() -> None:
    async with chatting(size=(100, 150)) as (chat, pilot):
        for key in ("ctrl+j", "shift+enter", "alt+enter"):
            await pilot.press(key)
        assert chat.prompt.text == "\n\n\n"
        await pilot.press("f1")
        await wait_until(pilot, lambda: "begin a new line" in on_screen(chat))
        line = next(line for line in on_screen(chat).splitlines() if "begin a new line" in line)
        assert line.split()[0] == "ctrl+j"
        assert "alt+enter" not in on_screen(chat)


@pytest.mark.parametrize("columns", [60, 80, 200])
@driven
async def test_help_shows_what_keys_are_called_where_they_are_changed(columns: int) -> None:
    async with chatting(size=(columns, 150), keys={"message.copy": "f9"}) as (chat, pilot):
        await pilot.press("f1")
        await wait_until(pilot, lambda: '"chats.undo"' in on_screen(chat))
        lines = [line for line in on_screen(chat).splitlines() if ' = "' in line]
        assert tomllib.loads("\n".join(map(str.strip, lines))) == {
            **NAMED_KEYS,
            "message.copy": "f9",
        }


@driven
async def test_long_conversations_are_drawn_a_page_at_a_time() -> None:
    store = new_store()
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


@driven
async def test_the_palette_knows_the_commands() -> None:
    async with chatting(ScriptedBackend(HELLO)) as (chat, pilot):
        await pilot.press("ctrl+p")
        await wait_until(pilot, lambda: chat.screen.is_modal)
        await pilot.press(*"localspec-light")
        await wait_until(pilot, lambda: "Theme localspec-light" in on_screen(chat))
        await pilot.press("down", "enter")
        await wait_until(pilot, lambda: chat.theme == "localspec-light")
