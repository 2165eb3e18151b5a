"""From a record to a task: a whole request of the OpenAI API, nothing left to be filled in later.

Defaults of the command line and the task's own seed go into the body here, so that a body alone
says what is asked, on any machine and in any order.
"""

import json
import re
from collections.abc import Mapping
from typing import Any, NamedTuple, TypeAlias

from localspec.batch.identity import identity, seed_of
from localspec.batch.source import Record
from localspec.batch.template import Template

__all__ = ["CHAT", "COMPLETIONS", "Body", "Recipe", "Task"]

CHAT, COMPLETIONS = "/v1/chat/completions", "/v1/completions"
Body: TypeAlias = dict[str, Any]
"""A JSON object of the OpenAI API."""

_URL = re.compile(r"/v1(/[a-zA-Z0-9_-]+)+")
"""Nothing in which an HTTP client could find another server, which would then get the key."""
_ENVELOPE = ("custom_id", "method", "url", "body")
_NOT_ONES_OWN = ("stream", "stream_options")  # a file is not streamed to
_OTHER_NAMES = {"max_completion_tokens": "max_tokens", "repetition_penalty": "repeat_penalty"}
"""By which a line may already have said what is a default here."""


class Task(NamedTuple):
    """What one line asks. Where `fault` says what is wrong with it, there is nothing to ask."""

    number: int
    name: str
    identity: str
    url: str = ""
    body: str = ""
    """JSON, to be kept and sent as it is."""
    fault: str = ""


class Recipe(NamedTuple):
    """How tasks are made of records: what is the same for all lines of a run.

    `defaults` are fields of bodies that do not have them. `raw` continues a bare prompt as it is
    instead of answering it; `system` are instructions before a bare prompt.
    """

    model: str
    seed: int = 0
    defaults: Mapping[str, object] = {}
    template: Template | None = None
    raw: bool = False
    system: str | None = None

    def task(self, record: Record) -> Task:
        """The task of a record; whatever is wrong with it is said in `fault`."""
        name = f"line-{record.number}"
        try:
            if record.fault:
                raise _Fault(record.fault)
            name = _name(record.fields, name)
            url, body = self._request(record.fields)
            text = _text(self._completed(url, body, name))
        except _Fault as fault:
            sign = identity(name, "", f"{fault}{record.digest or record.fields}")
            return Task(record.number, name, sign, fault=f"Line {record.number} {fault}.")
        return Task(record.number, name, identity(name, self.model, url + text), url, text)

    def _request(self, fields: Mapping[str, object]) -> tuple[str, Body]:
        """URL and body, as the line gives them or as they are made of a bare one."""
        if self.template:
            return self._bare(self._filled(self.template, fields))
        if "body" not in fields:
            rest = {key: value for key, value in fields.items() if key not in _ENVELOPE}
            prompt = rest.get("prompt")
            if "url" in fields or "messages" in rest or not isinstance(prompt, str):
                return _url(fields, rest), rest
            url, made = self._bare(prompt)
            return url, made | {key: value for key, value in rest.items() if key != "prompt"}
        body = fields["body"]
        if not isinstance(body, dict):
            raise _Fault("has a body that is not a JSON object")
        if fields.get("method", "POST") != "POST":
            raise _Fault(f"has the method {fields['method']!r:.40}, not POST")
        return _url(fields, body), body

    def _bare(self, prompt: str) -> tuple[str, Body]:
        if self.raw:
            return COMPLETIONS, {"prompt": prompt}
        system = [{"role": "system", "content": self.system}] if self.system else []
        return CHAT, {"messages": [*system, {"role": "user", "content": prompt}]}

    def _filled(self, template: Template, fields: Mapping[str, object]) -> str:
        try:
            return template.fill(fields)
        except KeyError as missing:
            raise _Fault(f"has no field {missing}, which the template asks for") from None

    def _completed(self, url: str, body: Body, name: str) -> Body:
        own = {k: v for k, v in body.items() if v is not None and k not in _NOT_ONES_OWN}
        if url not in (CHAT, COMPLETIONS):  # in which the defaults have other names, or none
            return own
        defaults = dict(self.defaults)
        for other, ours in _OTHER_NAMES.items():
            if body.get(other) is not None:
                defaults.pop(ours, None)
        if url != CHAT:
            defaults.pop("response_format", None)  # which only chats know
        return {**defaults, "seed": seed_of(self.seed, name), **own}


class _Fault(Exception):
    """Why a line cannot be asked, as the rest of a sentence that begins with the line."""


def _name(fields: Mapping[str, object], default: str) -> str:
    name = fields.get("custom_id")
    if name is None:
        return default
    if isinstance(name, bool) or not isinstance(name, str | int) or name == "":
        raise _Fault("has a custom_id that is not text")
    return _unicode(str(name))


def _url(fields: Mapping[str, object], body: Body) -> str:
    if "messages" not in body and "prompt" not in body and "url" not in fields:
        raise _Fault("asks nothing: it has neither messages nor a prompt")
    url = fields.get("url", CHAT if "messages" in body else COMPLETIONS)
    if not isinstance(url, str) or not _URL.fullmatch(url):
        raise _Fault(f"has the url {url!r:.40}, not one like {CHAT}")
    return url


def _text(body: Body) -> str:
    """A body as text. Its keys stay in order: in a schema their order is that of the answer."""
    try:
        return _unicode(json.dumps(body, ensure_ascii=False, allow_nan=False))
    except ValueError:
        raise _Fault("holds a number that is too large") from None
    except RecursionError:
        raise _Fault("is nested too deeply") from None


def _unicode(text: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError:
        raise _Fault("holds bytes or halves of characters that are not Unicode text") from None
    return text
