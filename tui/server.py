"""The backend that asks an OpenAI-compatible server, and shows the figures it gives.

Servers say how many tokens there were when an answer has ended; until then a token is taken to
have four characters, and the figures say that they are estimated.
"""

import asyncio
import codecs
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

from localspec.conversation.thinking import KNOWN, Thinking
from localspec.decoding.statistics import Statistics
from localspec.errors import LocalspecError
from localspec.remote import Document, Remote, RemoteError
from localspec.tui.backend import Backend, Choice, Choices, Reply, Said, Words
from localspec.tui.figures import Figures
from localspec.tui.thinking import Writer

__all__ = ["There"]

Counts: TypeAlias = Mapping[str, Any]
_CHARACTERS = 4  # of a token, about


class There:
    """A server as a source of models."""

    default = ""

    def __init__(self, url: str, api_key: str | None = None) -> None:
        """Nothing is asked yet. Raises UsageError where `url` is none."""
        self._url, self._key = url, api_key
        self.url = self._connect().url
        self.promise = f"Questions go to {self.url}; what is said is kept on this computer."
        self._known: list[Choice] = []

    def _connect(self) -> Remote:
        return Remote(self._url, api_key=self._key)

    def check(self, model: str, draft: str) -> None:
        """Nothing; which names it knows is the server's to say."""

    def open(self, model: str, draft: str) -> Backend:
        """The model of that name, or the first one the server has."""
        try:
            names = asyncio.run(self._names())
        except RemoteError as error:
            if not model or error.status not in (404, 405):  # some keep no list
                raise
            names = []
        self._known = [Choice(name, f"at {self.url}") for name in names]
        if not model and not names:
            raise RemoteError(f"{self.url} has no models; load one there first.")
        return Server(self._connect(), model or names[0])

    async def _names(self) -> list[str]:
        async with self._connect() as remote:
            return await remote.models()

    def models(self) -> Sequence[Choice]:
        """What the server had when it was last asked."""
        return self._known

    def drafts(self, model: str) -> Sequence[Choice]:
        """None; servers decide for themselves."""
        return ()

    def explain(self, model: str) -> str:
        """Nothing; servers do not tell."""
        return ""


class Server:
    """One of a server's models as a backend. For one event loop."""

    notes = ()

    def __init__(self, remote: Remote, name: str) -> None:
        self._remote, self.name = remote, name
        self.detail = f"at {remote.url}"

    def ask(self, conversation: Sequence[Words], choices: Choices) -> Reply:
        """Send the conversation."""
        body = {
            "model": self.name,
            "messages": [{"role": w["role"], "content": w["content"]} for w in conversation],
            "stream_options": {"include_usage": True},
            **{name: value for name, value in choices.items() if name != "speculation"},
        }
        return _ServerReply(self._remote, body)

    def close(self) -> None:
        """Nothing is held: connections end with their answers."""


class _ServerReply:
    """Chunks, as far as they have come."""

    def __init__(self, remote: Remote, body: Mapping[str, Any]) -> None:
        self.seed: int | None = body.get("seed")
        self.doubt = None  # servers decide for themselves, and do not say why
        self.finish_reason: str | None = None
        self._said: list[Said] = []
        self._failure: LocalspecError | None = None
        self._characters = 0
        self._writer = Writer(Thinking(KNOWN))
        self._halves = codecs.getincrementaldecoder("utf-16-le")("replace")
        self._asked = time.monotonic()
        self._first = self._last = 0.0
        self._counted: Statistics | None = None
        self._task = asyncio.create_task(self._listen(remote, body))

    @property
    def ended(self) -> bool:
        return self._task.done() and not self._said and not self._failure

    @property
    def figures(self) -> Figures:
        if self._counted:
            return Figures(self._counted)
        return Figures(self._estimated(), counted=False)

    def take(self) -> list[Said]:
        said, self._said = self._said, []
        failure = self._failure
        if failure and not said:
            self._failure = None
            raise failure
        return said

    def cancel(self) -> None:
        self._task.cancel()

    async def _listen(self, remote: Remote, body: Mapping[str, Any]) -> None:
        try:
            async for chunk in remote.stream(body):
                self._read(chunk)
        except LocalspecError as error:
            self.finish_reason, self._failure = "error", error
        except asyncio.CancelledError:
            self.finish_reason = "cancelled"
        self._said += self._writer.finish()

    def _read(self, chunk: Document) -> None:
        choices = chunk.get("choices")
        choice = _object(choices[0] if isinstance(choices, list) and choices else {})
        delta = _object(choice.get("delta"))
        thought = delta.get("reasoning_content") or delta.get("reasoning")
        self._take_down(_words(thought), self._writer.think)
        self._take_down(_words(delta.get("content")), self._writer.say)
        reason = choice.get("finish_reason")
        if isinstance(reason, str) and reason:
            self.finish_reason = "length" if reason == "length" else "stop"
        usage = _object(chunk.get("usage"))
        cached = _numbers(usage.get("prompt_tokens_details")).get("cached_tokens", 0)
        self._count(_numbers(usage), _numbers(chunk.get("timings")), cached)

    def _take_down(self, text: str, write: Callable[[str], list[Said]]) -> None:
        if not text:
            return
        self._last = time.monotonic()
        self._first = self._first or self._last
        self._characters += len(text)
        # Some cut texts in the middle of a character. Half a one can be neither shown nor kept.
        self._said += write(self._halves.decode(text.encode("utf-16-le", "surrogatepass")))

    def _estimated(self) -> Statistics:
        tokens = round(self._characters / _CHARACTERS)
        return Statistics(
            completion_tokens=tokens,
            predicted_tokens=tokens,
            predicted_seconds=self._last - self._first,
            first_token_seconds=self._first - self._asked if self._first else 0.0,
        )

    def _count(self, usage: Counts, timings: Counts, cached: int) -> None:
        """Take over what a server counted: OpenAI's usage, and llama-server's timings."""
        if not usage and not timings:
            return
        s = self._counted = self._counted or self._estimated()
        s.cached_tokens = timings.get("cache_n", cached or s.cached_tokens)
        s.prompt_tokens = usage.get("prompt_tokens", s.prompt_tokens)
        if "prompt_n" in timings:
            s.prompt_tokens = timings["prompt_n"] + s.cached_tokens
            s.prompt_seconds = timings.get("prompt_ms", 0.0) / 1000
        s.completion_tokens = usage.get(
            "completion_tokens", timings.get("predicted_n", s.completion_tokens)
        )
        if "predicted_n" not in timings and not s.prompt_seconds:
            s.predicted_tokens = s.completion_tokens
            s.predicted_seconds = self._last - self._first  # some count in every chunk
        if "predicted_ms" in timings:
            s.predicted_tokens = timings.get("predicted_n", s.completion_tokens)
            s.predicted_seconds = timings["predicted_ms"] / 1000
        s.draft_tokens = timings.get("draft_n", s.draft_tokens)
        s.accepted_tokens = timings.get("draft_n_accepted", s.accepted_tokens)


def _object(value: object) -> Document:
    """`value` where it is a JSON object, else an empty one: servers are not all alike."""
    return value if isinstance(value, dict) else {}


def _numbers(value: object) -> Counts:
    """The fields of an object that are numbers; some servers say null for what they do not know."""
    return {name: n for name, n in _object(value).items() if type(n) in (int, float)}


def _words(content: object) -> str:
    """Text, which some servers send in parts."""
    if isinstance(content, list):
        return "".join(_words(_object(part).get("text")) for part in content)
    return content if isinstance(content, str) else ""
