"""What the chat looks like, at two sizes; `pytest --snapshot-update` takes new pictures."""

from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias

import pytest
from scripted import ScriptedBackend, ScriptedSource, ask, on_screen, wait_until
from textual import __version__ as textual_version
from textual.pilot import Pilot
from textual.widgets import Input

from localspec.tui import choosing
from localspec.tui.app import Chat
from localspec.tui.backend import Said
from localspec.tui.store import Store

Scene: TypeAlias = Callable[[Chat, Pilot[None]], Awaitable[None]]
SIZES = {"wide": (100, 32), "narrow": (60, 24)}
TAKEN_WITH = "8.2.8"
pytestmark = pytest.mark.skipif(
    textual_version != TAKEN_WITH, reason=f"the pictures were taken with Textual {TAKEN_WITH}"
)
ANSWER = [
    Said("<think>Sizes are asked for: `ls` knows them.</think>\n\n", "draft model"),
    Said("`ls` can sort by **size** itself:\n\n```sh\n", "draft model"),
    Said("ls -lS", "lookup"),
    Said("   # largest first\n```\n\n- `-r` turns the order around"),
    Said("\n- `du` counts folders too\n", "draft model"),
]


async def welcome(chat: Chat, pilot: Pilot[None]) -> None:
    pass


async def conversation(chat: Chat, pilot: Pilot[None]) -> None:
    await ask(chat, pilot, "How do I list files by size?")


async def guesses(chat: Chat, pilot: Pilot[None]) -> None:
    await conversation(chat, pilot)
    await pilot.press("ctrl+t", "ctrl+g")
    for words in ("lookup 0", "speed-up"):
        await wait_until(pilot, lambda words=words: words in on_screen(chat))  # type: ignore[misc]


async def light(chat: Chat, pilot: Pilot[None]) -> None:
    chat.theme = "localspec-light"
    await conversation(chat, pilot)


async def suggestions(chat: Chat, pilot: Pilot[None]) -> None:
    await conversation(chat, pilot)
    await pilot.press("/", "s")
    await wait_until(pilot, lambda: "/speculation" in on_screen(chat))


async def chosen(chat: Chat, pilot: Pilot[None]) -> None:
    await conversation(chat, pilot)
    chat.conversation.views[-1].focus()


async def chats(chat: Chat, pilot: Pilot[None]) -> None:
    await pilot.press("ctrl+o")
    await wait_until(pilot, lambda: "search titles" in on_screen(chat))


async def settings(chat: Chat, pilot: Pilot[None]) -> None:
    await pilot.press("ctrl+s")
    await wait_until(pilot, lambda: "  0: always the likeliest token" in on_screen(chat))


async def thoughts(chat: Chat, pilot: Pilot[None]) -> None:
    await conversation(chat, pilot)
    chat.conversation.views[-1].focus()
    await pilot.press("space")
    await wait_until(pilot, lambda: "Sizes are asked for" in on_screen(chat))


async def drafts(chat: Chat, pilot: Pilot[None]) -> None:
    await wait_until(pilot, lambda: chat.loader.drafts)
    choosing.draft(chat, "")
    await wait_until(pilot, lambda: "It was measured" in on_screen(chat))


async def no_model(chat: Chat, pilot: Pilot[None]) -> None:
    chat.load("missing.gguf", "auto")
    await wait_until(pilot, lambda: "There is no model" in on_screen(chat))


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(
    "scene",
    [
        welcome, conversation, thoughts, guesses, light, suggestions, chosen, chats, settings,
        drafts, no_model,
    ],
    ids=lambda scene: scene.__name__,
)  # fmt: skip
def test_picture(
    scene: Scene, size: str, snap_compare: Any, request: pytest.FixtureRequest
) -> None:
    store = Store(None)
    request.addfinalizer(store.close)
    for title in ("Why is the sky blue?", "Explain borrow checking with one small example"):
        store.say(store.begin(title), None, "user", title)
    for day, summary in enumerate(reversed(store.summaries()), start=11601):
        store._connection.execute(
            "UPDATE conversation SET updated = 43200 + 86400.0 * ? WHERE id = ?", (day, summary.id)
        )
    chat = Chat(store, ScriptedSource(scripted=ScriptedBackend(ANSWER)), model="scripted")

    async def stage(pilot: Pilot[None]) -> None:
        chat.prompt.typing.cursor_blink = False
        await wait_until(pilot, lambda: chat.session.backend and "Lately" in on_screen(chat))
        await scene(chat, pilot)
        for field in chat.screen.query(Input):
            field.cursor_blink = False
        await pilot.pause(0.1)

    assert snap_compare(chat, terminal_size=SIZES[size], run_before=stage)
