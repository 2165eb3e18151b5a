"""The prompt: what is typed, brought back, and pasted."""

from pathlib import Path

from scripted import (
    HELLO,
    ScriptedBackend,
    ask,
    chatting,
    driven,
    new_store,
    on_screen,
    wait_until,
)
from textual import events

from localspec.tui.backend import Said
from localspec.tui.store import Store
from localspec.tui.widgets.message import Question


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
async def test_keys_that_come_together_count_in_their_order() -> None:
    keys = ["a", "b", "c", "backspace", "backspace", "X", "Y", "left", "left", "Z", "home", "Q"]
    async with chatting(ScriptedBackend(HELLO)) as (chat, pilot):
        for key in keys:  # without a pause, as by a text expander
            chat.post_message(events.Key(key, key if len(key) == 1 else None))
        await wait_until(pilot, lambda: len(chat.prompt.typing.text) == 5)
        assert chat.prompt.typing.text == "QaZXY"
        for key in ("end", "ctrl+u", "o", "k"):
            chat.post_message(events.Key(key, key if len(key) == 1 else None))
        await wait_until(pilot, lambda: chat.prompt.typing.text == "ok")


@driven
async def test_up_and_down_go_through_what_was_asked() -> None:
    store = new_store()
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
async def test_what_was_changed_while_looking_back_is_still_there() -> None:
    async with chatting(ScriptedBackend(HELLO)) as (chat, pilot):
        await ask(chat, pilot, "asked")
        await pilot.press("n", "e", "w", "up", "!", "down")
        assert chat.prompt.text == "new"
        await pilot.press("up")
        assert chat.prompt.text == "asked!"
        chat.prompt.put("")
        await pilot.press("/", "h")
        await wait_until(pilot, lambda: "/help" in on_screen(chat))


@driven
async def test_what_is_typed_at_a_message_goes_to_the_prompt() -> None:
    async with chatting(ScriptedBackend(HELLO)) as (chat, pilot):
        await ask(chat, pilot, "Hi")
        await pilot.click(Question)
        assert chat.focused is chat.prompt.typing, "a click chooses no message"
        chat.query_one(Question).focus()
        await pilot.press("N", "o", "w")
        assert chat.prompt.text == "Now"


@driven
async def test_pages_are_turned_from_the_prompt() -> None:
    text = "\n\n".join(f"line {n}" for n in range(40))
    async with chatting(ScriptedBackend([Said(text)]), size=(80, 20)) as (chat, pilot):
        await ask(chat, pilot, "Count")
        await wait_until(pilot, lambda: "line 39" in on_screen(chat))
        await pilot.press("pageup", "pageup")
        await wait_until(pilot, lambda: "line 39" not in on_screen(chat))
        await pilot.press("pagedown", "pagedown", "pagedown")
        await wait_until(pilot, lambda: "line 39" in on_screen(chat))
