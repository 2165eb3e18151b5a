"""A client of OpenAI-compatible servers: many requests at once, or one as it is being answered.

    async with Remote("localhost:8080") as remote:
        answer = await remote.complete({"messages": [...]})
        async for chunk in remote.stream({"messages": [...]}):
            ...

Bodies, answers and chunks are the API's own JSON, see the reference of `chat/completions`. To give
up a request, cancel the task that waits for it: the connection is closed, and the server stops.
"""

import ipaddress
import json
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Self, TypeAlias

import httpx2

from localspec.errors import LocalspecError, UsageError

__all__ = ["Document", "Remote", "RemoteError", "UnreachableError", "base_url"]

Document: TypeAlias = dict[str, Any]
"""A JSON object."""

CHAT = "chat/completions"
_STREAMED = (CHAT, "completions", "responses")  # others refuse to be told that they should not
_OPERATIONS = ("/chat/completions", "/completions", "/models", "/embeddings")
_CONNECT_SECONDS = 10.0
_PATIENCE_SECONDS = 600.0  # a busy laptop may read a long prompt for minutes
_LONGEST_DETAIL = 300  # characters of what a server says about an error
_BUSY = frozenset({408, 425, 429, 500, 502, 503, 504, 529})


class RemoteError(LocalspecError):
    """A server cannot be reached, refuses, or answers something that makes no sense.

    `status` is the HTTP status, None where there was none. `temporary` says whether the same
    request may well succeed later; `retry_after` how many seconds the server wants left until then.
    `about` is the error object of its answer, empty where there is none.
    """

    def __init__(
        self,
        sentence: str,
        *,
        status: int | None = None,
        temporary: bool = False,
        retry_after: float | None = None,
        about: Document | None = None,
    ) -> None:
        super().__init__(sentence)
        self.status, self.temporary, self.retry_after = status, temporary, retry_after
        self.about = about or {}


class UnreachableError(RemoteError):
    """There is no connection to the server: it never heard of the request."""


class Remote:
    """One server, through one pool of as many connections as it takes, for one event loop.

    `seconds` is the longest silence to bear: before an answer, and between its chunks.
    """

    def __init__(
        self,
        url: str,
        *,
        api_key: str | None = None,
        seconds: float = _PATIENCE_SECONDS,
        transport: httpx2.AsyncBaseTransport | None = None,
    ) -> None:
        """Nothing is sent yet. Raises UsageError where `url` is none."""
        base = base_url(url)
        self.url = str(base.copy_with(userinfo=b""))
        self._seconds = seconds
        self._client = httpx2.AsyncClient(
            base_url=base,
            headers={"Authorization": f"Bearer {api_key}"} if api_key else None,
            timeout=httpx2.Timeout(seconds, connect=_CONNECT_SECONDS, pool=None),
            limits=httpx2.Limits(max_connections=None, max_keepalive_connections=None),
            transport=transport,
            trust_env=not _is_here(base.host),  # a proxy does not know the way to this computer
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close all connections."""
        await self._client.aclose()

    async def models(self) -> list[str]:
        """Names of the models that can be asked. Raises RemoteError."""
        document = await self._call("GET", "models", None)
        entries = document.get("data")
        if not isinstance(entries, list):
            raise self._nonsense()
        return [str(entry["id"]) for entry in entries if isinstance(entry, dict) and "id" in entry]

    async def complete(self, body: Mapping[str, object], operation: str = CHAT) -> Document:
        """The whole answer to one request. Raises RemoteError."""
        whole = {"stream": False} if operation in _STREAMED else {}
        return await self._call("POST", operation, {**body, **whole})

    async def stream(self, body: Mapping[str, object]) -> AsyncIterator[Document]:
        """The chunks of one answer as they come. Raises RemoteError, also in the middle."""
        ended = False
        with self._faults():
            request = self._client.stream("POST", CHAT, json={**body, "stream": True})
            async with request as response:
                await self._check(response)
                async for event in httpx2.EventSource(response):
                    data = event.data.strip()
                    if data == "[DONE]":
                        return
                    if not data:  # it only says how soon to come back, or that it is there
                        continue
                    chunk = self._document(data)
                    if chunk.get("error") or chunk.get("object") == "error":  # as OpenAI, as vLLM
                        raise RemoteError(f"{self.url} gave up: {_detail(data)}.")
                    ended = ended or _finishes(chunk)
                    yield chunk
        if not ended:
            raise RemoteError(f"{self.url} broke off in mid-answer; ask again.", temporary=True)

    async def _call(self, method: str, path: str, body: Document | None) -> Document:
        with self._faults():
            response = await self._client.request(method, path, json=body)
            await self._check(response)
            return self._document(response.text)

    async def _check(self, response: httpx2.Response) -> None:
        if response.is_success:
            return
        text = (await response.aread()).decode("utf-8", "replace")
        raise _refusal(self.url, response, text)

    def _document(self, text: str) -> Document:
        document = _parsed(text)
        if not isinstance(document, dict):
            raise self._nonsense()
        return document

    def _nonsense(self) -> RemoteError:
        return RemoteError(
            f"{self.url} does not answer like an OpenAI-compatible server; check the address."
        )

    @contextmanager
    def _faults(self) -> Iterator[None]:
        """What goes wrong on the way, as sentences."""
        try:
            yield
        except httpx2.SSEError:  # a fault of the connection by class, not by nature
            raise self._nonsense() from None
        except httpx2.ConnectError:
            raise UnreachableError(
                f"Nothing answers at {self.url}; is the server running?", temporary=True
            ) from None
        except httpx2.TimeoutException as error:
            never = isinstance(error, httpx2.ConnectTimeout)
            seconds = _CONNECT_SECONDS if never else self._seconds
            raise (UnreachableError if never else RemoteError)(
                f"{self.url} has been silent for {seconds:.0f} s; try again later.", temporary=True
            ) from None
        except httpx2.TransportError as error:
            how = str(error) or type(error).__name__
            raise RemoteError(
                f"The connection to {self.url} broke ({how}); try again.", temporary=True
            ) from None
        except httpx2.DecodingError:
            raise self._nonsense() from None


def base_url(text: str) -> httpx2.URL:
    """Where the API begins, from what a person types: `localhost:8080`, or a whole address.

    Without a path, `/v1` is meant; the name of an operation at the end is left out.
    """
    whole = text.strip() if "://" in text else f"http://{text.strip()}"
    try:
        url = httpx2.URL(whole)
    except (httpx2.InvalidURL, ValueError):
        url = httpx2.URL()
    if url.scheme not in ("http", "https") or not url.host or set(url.host) & set("[]%"):
        raise UsageError(f"{text!r} is not the address of a server; try http://localhost:8080/v1.")
    path = url.path.rstrip("/")
    for operation in _OPERATIONS:
        path = path.removesuffix(operation)
    return url.copy_with(path=path or "/v1", query=None, fragment=None)


def _is_here(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def _finishes(chunk: Document) -> bool:
    """Whether a chunk says why the answer ends; servers may leave out the `[DONE]` after it."""
    choices = chunk.get("choices")
    return isinstance(choices, list) and any(
        isinstance(choice, dict) and choice.get("finish_reason") for choice in choices
    )


def _refusal(url: str, response: httpx2.Response, text: str) -> RemoteError:
    status = response.status_code
    if status in (401, 403):
        advice = f"{url} does not accept the API key; set LOCALSPEC_API_KEY to one that it knows."
    elif response.is_redirect:
        advice = f"{url} has moved to {response.headers.get('location', 'elsewhere')}; use that."
    elif status == 429:
        advice = f"{url} has too much to do; try again later."
    else:
        advice = f"{url} refuses with status {status}: {_detail(text)}."
    return RemoteError(
        advice,
        status=status,
        temporary=status in _BUSY,
        retry_after=_seconds(response.headers.get("retry-after")),
        about=_about(text),
    )


def _parsed(text: str) -> Any:
    """JSON, or the text itself where it is none."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def _detail(text: str) -> str:
    """What a server says went wrong, in one line; servers differ in where they put it."""
    said = _parsed(text)
    for key in ("error", "message", "detail"):
        if isinstance(said, dict) and key in said:
            said = said[key]
    words = " ".join((said if isinstance(said, str) else json.dumps(said)).split())
    return words[:_LONGEST_DETAIL].rstrip(".") or "no reason given"


def _about(text: str) -> Document | None:
    """The API's error object in what a server says."""
    said = _parsed(text)
    error = said.get("error") if isinstance(said, dict) else None
    return error if isinstance(error, dict) else None


def _seconds(header: str | None) -> float | None:
    """A Retry-After in seconds; dates, which nobody sends here, count as none."""
    return float(header) if header and header.isascii() and header.isdigit() else None
