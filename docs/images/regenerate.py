"""Makes the pictures of the chat beside this file: the real app, the embedded pair, a fixed seed.

python docs/images/regenerate.py
"""

import asyncio
import re
from pathlib import Path

from textual.pilot import Pilot

from localspec.tui.app import Chat
from localspec.tui.here import Here
from localspec.tui.store import Store

HERE = Path(__file__).parent
SIZE = (100, 32)
QUESTIONS = ("How do I list files by size?", "Write a Python function that reverses a string.")
_FONT = re.compile(r"\s*@font-face \{.*?\}", re.DOTALL)  # fonts are not fetched from anywhere


async def settle(chat: Chat, pilot: Pilot[None]) -> None:
    """Until the model is there, and its answer."""
    while not chat.session.backend or chat.session.running:
        await asyncio.sleep(0.4)  # looking more often keeps a core busy that writes the answer
    await pilot.pause(0.2)


def draw(chat: Chat, name: str) -> None:
    """Write what is on the screen as SVG."""
    picture = _FONT.sub("", chat.export_screenshot(title="localspec chat"))
    picture = "\n".join(line.rstrip() for line in picture.splitlines()) + "\n"
    (HERE / name).write_text(picture, encoding="utf-8")


async def main() -> None:
    """Ask, and draw."""
    chat = Chat(Store(None), Here())
    async with chat.run_test(size=SIZE) as pilot:
        await settle(chat, pilot)
        chat.session.choices = {"temperature": 0.0, "seed": 7}
        for question in QUESTIONS:
            chat.prompt.put(question)
            await pilot.press("enter")
            await pilot.pause(0.2)
            await settle(chat, pilot)
        draw(chat, "chat.svg")
        chat.theme = "localspec-light"
        await pilot.press("ctrl+t", "ctrl+g")
        await settle(chat, pilot)
        draw(chat, "chat-guesses.svg")


asyncio.run(main())
