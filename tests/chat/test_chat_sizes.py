"""Small screens: nothing that is needed lies outside them."""

import pytest
from scripted import HELLO, ScriptedBackend, ask, chatting, driven, on_screen, wait_until
from textual.widgets import Input

from localspec.tui.backend import Said
from localspec.tui.widgets.hints import Hints


@pytest.mark.parametrize("columns", [40, 60, 80, 120])
@driven
async def test_hints_are_whole_and_end_with_the_way_to_all_keys(columns: int) -> None:
    async with chatting(ScriptedBackend([Said("```\nx\n```")]), size=(columns, 20)) as (
        chat,
        pilot,
    ):
        await ask(chat, pilot, "Hi")
        chat.conversation.views[-1].focus()
        await wait_until(pilot, lambda: "copy code" in on_screen(chat))
        hints = on_screen(chat).splitlines()[-1].rstrip()
        assert hints.endswith("f1 help")
        assert len(hints) <= columns - 4
        assert hints.count("again") <= 1
        await pilot.press("ctrl+o")
        await wait_until(pilot, lambda: on_screen(chat).rstrip().endswith("esc back"))


@driven
async def test_what_is_typed_is_seen_below_its_suggestions() -> None:
    async with chatting(size=(40, 12)) as (chat, pilot):
        await pilot.press("/")
        await wait_until(pilot, lambda: "/new" in on_screen(chat))
        await wait_until(
            pilot, lambda: "/" in [line.strip("▌ ") for line in on_screen(chat).splitlines()]
        )
        strip, hints = chat.window.strip, chat.window.query_one(Hints)
        assert strip.region.bottom == hints.region.y, "nothing lies between figures and keys"


@driven
async def test_all_settings_can_be_reached() -> None:
    async with chatting(size=(40, 12)) as (chat, pilot):
        await pilot.press("ctrl+s")
        await wait_until(pilot, lambda: "temperature" in on_screen(chat))
        await pilot.press(*["down"] * (len(chat.screen.query(Input)) - 1))
        await wait_until(pilot, lambda: "speculation" in on_screen(chat))


@driven
async def test_long_lines_of_code_are_read_to_their_end() -> None:
    code = f"```sh\nls {'--a-long-option ' * 9}the-end\n```"
    async with chatting(ScriptedBackend([Said(code)]), size=(60, 24)) as (chat, pilot):
        await ask(chat, pilot, "How?")
        await wait_until(pilot, lambda: "the-end" in on_screen(chat))


@driven
async def test_sixty_columns_are_enough() -> None:
    async with chatting(ScriptedBackend(HELLO), size=(60, 20)) as (chat, pilot):
        await ask(chat, pilot, "Hi")
        assert "1.51× plain" in on_screen(chat)
        assert all(len(line) == 60 for line in on_screen(chat).splitlines())
        await pilot.press("ctrl+g")
        await wait_until(pilot, lambda: "tokens/s" in on_screen(chat))


@driven
async def test_in_a_wide_terminal_all_stands_in_one_column() -> None:
    async with chatting(ScriptedBackend(HELLO), size=(161, 20)) as (chat, pilot):
        await ask(chat, pilot, "Say hello")
        await wait_until(pilot, lambda: "1.51× plain" in on_screen(chat))
        lines = [line.strip("▌ ") for line in on_screen(chat).splitlines()]
        begins = {
            line.index(text)
            for line, text in zip(on_screen(chat).splitlines(), lines, strict=True)
            if text
        }
        assert begins == {32}, "title, question, answer, figures, prompt, keys"
