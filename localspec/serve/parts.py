"""One answer as a row of parts, text and calls, for the protocols that stream it that way."""

import json
from collections.abc import AsyncIterator
from typing import Any

from localspec.serve.answering import Answering
from localspec.tools import Arguments, Begun, CallReader
from localspec.worker import Answer

__all__ = ["arguments", "parts"]


async def parts(
    answering: Answering, *, tools: bool
) -> AsyncIterator[str | Begun | Arguments | Answer]:
    """Text and, where `tools` were offered, calls as they come; the whole answer in the end."""
    reader = CallReader() if tools else None
    async for news in answering.news():
        text = "".join(piece.text for piece in news.pieces)
        if reader:
            for part in reader.feed(text):
                yield part
            text = reader.finish() if news.answer else ""
        if text:
            yield text
        if news.answer:
            yield news.answer


def arguments(text: str) -> Any:
    """Arguments of a call as an object; those that were cut short are left out."""
    try:
        return json.loads(text)
    except ValueError:
        return {}
