"""Nothing that a model, a server or a person says can speak to the terminal."""

from scripted import ScriptedBackend, ask, chatting, driven, on_screen, wait_until
from textual.widgets import Markdown

from localspec.errors import LocalspecError
from localspec.tui.backend import Said
from localspec.tui.widgets.message import Answer, MessageView


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
