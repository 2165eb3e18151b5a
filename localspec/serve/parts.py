"""One answer as a row of parts, thoughts, text and calls, for the protocols that stream it so."""

import json
from collections.abc import AsyncIterator
from typing import Any

from localspec.engine.worker import Answer
from localspec.serve.answering import Answering
from localspec.wire.said import Part

__all__ = ["arguments", "parts"]


async def parts(answering: Answering) -> AsyncIterator[Part | Answer]:
    """Parts as they come; the whole answer in the end."""
    reader = answering.readers()[0]
    async for news in answering.news():
        for part in reader.feed(news.text, last=news.answer is not None):
            yield part
        if news.answer:
            yield news.answer


def arguments(text: str) -> Any:
    """Arguments of a call as an object; those that were cut short are left out."""
    try:
        return json.loads(text)
    except ValueError:
        return {}
