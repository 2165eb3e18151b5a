"""An answer as a line of the output: the batch output of the OpenAI API.

A line holds no time and nothing of chance: its ids are made of the task's identity. So the same
tasks give the same bytes, and an output can be read again as what was answered already.
"""

import json
from typing import Any

from localspec.batch.backends.base import OK, Reply
from localspec.batch.identity import DIGITS
from localspec.batch.journal import Entry
from localspec.batch.request import Body, Task

__all__ = ["entry_of", "read", "refusal"]

_ID = "batch_req_"
_HEX = frozenset("0123456789abcdef")


def entry_of(reply: Reply) -> Entry:
    """What is kept of a reply."""
    task = reply.task
    response = {
        "status_code": reply.status,
        "request_id": f"req_{task.identity}",
        "body": reply.body,
    }
    return _entry(task, response, None, failed=not reply.ok)


def refusal(task: Task) -> Entry:
    """The answer to a line that asks nothing: its fault."""
    error = {"code": "invalid_line", "message": task.fault, "line": task.number}
    return _entry(task, None, error, failed=True)


def read(line: bytes) -> Entry | None:
    """What a line of an output says was answered; None where it is not one of ours."""
    try:
        document: Any = json.loads(line)
        identity = document["id"].removeprefix(_ID)
        response = document["response"]
        failed = response is None or response["status_code"] != OK
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None
    if len(identity) != DIGITS or not _HEX.issuperset(identity):
        return None
    return Entry(identity, failed, line.rstrip(b"\r\n"))


def _entry(task: Task, response: Body | None, error: Body | None, *, failed: bool) -> Entry:
    line = {
        "id": _ID + task.identity,
        "custom_id": task.name,
        "response": response,
        "error": error,
    }
    try:
        text = json.dumps(line, ensure_ascii=False).encode()
    except UnicodeEncodeError:  # a server may answer half a character
        text = json.dumps(line).encode()
    return Entry(task.identity, failed, text)
