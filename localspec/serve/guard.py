"""What stands before every request: is it meant for us, from whom, and of what size?

A web page that a person has open can send requests to their own computer. Two things give it
away: its own name in `Host`, where it made that name point here (DNS rebinding), and its `Origin`.
Both are checked before anything is read. Programs send neither, or send what is allowed.
"""

import hashlib
import hmac
import ipaddress
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from localspec.serve import messages
from localspec.serve.settings import Settings
from localspec.wire.errors import Refusal, document

__all__ = ["Guard", "refused"]

_OPEN = frozenset({"/health"})
"""What may be asked without a key."""
_CROSS = frozenset({"cross-site", "same-site"})  # values of Sec-Fetch-Site


def refused(error: Refusal, path: str) -> JSONResponse:
    """A refusal as a response, in the shape that clients of the path expect."""
    headers = {} if error.retry_after is None else {"retry-after": str(error.retry_after)}
    if error.status == 401:
        headers["www-authenticate"] = "Bearer"
    shaped = messages.document if path.startswith("/v1/messages") else document
    return JSONResponse(shaped(error), error.status, headers)


class Guard:
    """Middleware that lets through what is allowed, and no more than that of a body."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app = app
        self._names = {"localhost", settings.host.lower(), *map(str.lower, settings.hosts)}
        self._origins = frozenset(settings.origins)
        self._key = None if settings.api_key is None else _digest(settings.api_key.encode())
        self._largest = settings.largest_body

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await self._app(scope, receive, send)
            return  # there are no websockets here
        headers = Headers(scope=scope)
        error = (
            self._wrong_host(headers.getlist("host"))
            or self._wrong_origin(headers, scope["scheme"])
            or self._wrong_key(headers, scope)
            or self._too_large(headers.get("content-length"))
        )
        if error:
            response = refused(error, scope["path"])
            if headers.get("origin") in self._origins:  # else the page could not read why
                told = {"access-control-allow-origin": headers["origin"], "vary": "Origin"}
                response.headers.update(told)
            await response(scope, receive, send)
        else:
            await self._app(scope, self._limited(receive), send)

    def _wrong_host(self, hosts: list[str]) -> Refusal | None:
        name = _name(hosts[0]) if len(hosts) == 1 else None
        # An address is not a name that somebody could have made point here.
        if name is not None and (name in self._names or _is_address(name)):
            return None
        return Refusal(
            "This server does not answer to that Host; start it with --allow-host NAME if it is "
            "meant to.",
            status=403,
            code="host_not_allowed",
        )

    def _wrong_origin(self, headers: Headers, scheme: str) -> Refusal | None:
        origins = headers.getlist("origin")
        own = f"{scheme}://{headers.get('host', '')}"
        strangers = [o for o in origins if o not in self._origins and o != own]
        cross = not origins and headers.get("sec-fetch-site") in _CROSS
        if not strangers and not cross and len(origins) <= 1:
            return None
        return Refusal(
            "Web pages may not use this server; start it with --allow-origin ORIGIN for those "
            "that may.",
            status=403,
            code="origin_not_allowed",
        )

    def _wrong_key(self, headers: Headers, scope: Scope) -> Refusal | None:
        """Browsers ask whether they may send a key (OPTIONS) without one."""
        if self._key is None or scope["path"] in _OPEN or scope["method"] == "OPTIONS":
            return None
        scheme, _, bearer = headers.get("authorization", "").partition(" ")
        given = bearer if scheme.lower() == "bearer" else headers.get("x-api-key", "")
        # Digests are of one length, so that comparing them tells nothing, not even that.
        if hmac.compare_digest(_digest(given.strip().encode("latin-1")), self._key):
            return None
        return Refusal(
            "The API key is missing or wrong; send it as Authorization: Bearer KEY.",
            status=401,
            kind="authentication_error",
            code="invalid_api_key",
        )

    def _too_large(self, length: str | None) -> Refusal | None:
        if length is None:
            return None
        if length.isascii() and length.isdigit() and int(length[:20]) <= self._largest:
            return None
        return Refusal(
            f"The body is larger than {self._largest} bytes.", status=413, code="body_too_large"
        )

    def _limited(self, receive: Receive) -> Receive:
        """Ends bodies that are longer than they said, or did not say."""
        got = 0

        async def limited() -> Message:
            nonlocal got
            message = await receive()
            got += len(message.get("body", b""))
            error = self._too_large(str(got))
            if error:
                raise error
            return message

        return limited


def _digest(key: bytes) -> bytes:
    return hashlib.sha256(key).digest()


def _name(host: str) -> str | None:
    """The host without its port, in lower case; None where it is malformed."""
    try:
        parts = urlsplit(f"//{host}")
        _ = parts.port
    except ValueError:
        return None
    return parts.hostname if parts.netloc == host and "@" not in host else None


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
