"""A hub of model files on this computer, with every fault that one may have.

It speaks the part of the hub's protocol that a pull needs: what a repository holds at which
commit, files behind a redirect to another host's address, ranges, tokens.
"""

import hashlib
import json
import re
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

CHUNK = 1 << 14


@dataclass
class Repository:
    """Files by path. `commit` changes with them."""

    files: dict[str, bytes]
    token: str | None = None
    gated: bool = False

    @property
    def commit(self) -> str:
        return hashlib.sha1(repr(sorted(self.files.items())).encode()).hexdigest()


@dataclass
class Faults:
    """What goes wrong. Numbers count down, so that it goes right in the end."""

    answers: list[int] = field(default_factory=list)
    """Status codes for the next requests of any kind."""
    breaks: int = 0
    """Downloads that end at byte `break_at` of the file."""
    break_at: int = 3 * CHUNK
    seconds_a_chunk: float = 0.0
    stalls: int = 0
    """Downloads that stop at that byte without ending."""
    ignores_ranges: bool = False
    wrong_bytes: int = 0
    """Downloads of other bytes than promised."""
    nonsense: bool = False
    """Answers about repositories are no JSON."""
    sha256: str = ""
    """What files are said to have, in place of the truth."""
    surplus: int = 0
    """Bytes that come after the end of every file, which nobody announced."""


class HubServer:
    """`with HubServer({"user/repo": Repository(…)}) as hub: … hub.address`"""

    def __init__(self, repositories: dict[str, Repository]) -> None:
        self.repositories, self.faults = repositories, Faults()
        self.requests: list[tuple[str, str, dict[str, str]]] = []
        self.after_listing: Any = None
        """Called once a repository has been described: something may change then."""
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        self.over = threading.Event()
        self.address = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.over.set()
        self._server.shutdown()
        self._server.server_close()

    @property
    def downloads(self) -> list[dict[str, str]]:
        """Headers of the requests for bytes of files."""
        return [
            headers
            for method, path, headers in self.requests
            if method == "GET" and path.startswith("/cdn/")
        ]


def _handler(hub: HubServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: object) -> None:
            pass

        def do_GET(self) -> None:
            headers = {name.lower(): value for name, value in self.headers.items()}
            hub.requests.append((self.command, self.path, headers))
            with suppress(BrokenPipeError, ConnectionResetError):
                self.respond()

        do_HEAD = do_GET

        def respond(self) -> None:
            if hub.faults.answers and (status := hub.faults.answers.pop(0)) != 200:
                self.answer(status, b"no")
            elif found := re.match(r"/api/models/([^/]+/[^/?]+)", self.path):
                self.describe(found[1])
            elif found := re.match(r"/([^/]+/[^/]+)/resolve/([^/]+)/(.+)", self.path):
                self.redirect(found[1], found[2], found[3])
            elif found := re.match(r"/cdn/(\w+)", self.path):
                self.send_file(found[1])
            else:
                self.answer(404, b"")

        def repository(self, name: str) -> Repository | None:
            """The repository, if the one who asks may see it."""
            found = hub.repositories.get(name)
            said = self.headers.get("Authorization")
            if found is None or (found.token and said != f"Bearer {found.token}"):
                self.answer(401, b"", {"X-Error-Code": "RepoNotFound"})
            elif found.gated:
                self.answer(403, b"", {"X-Error-Code": "GatedRepo"})
            else:
                return found
            return None

        def describe(self, name: str) -> None:
            if hub.faults.nonsense:
                self.answer(200, b"<html>A captive portal</html>")
            elif found := self.repository(name):
                siblings = [
                    {
                        "rfilename": path,
                        "size": len(data),
                        "lfs": {
                            "sha256": hub.faults.sha256 or _sha256(data),
                            "size": len(data),
                            "pointerSize": 134,
                        },
                    }
                    for path, data in found.files.items()
                ]
                document = {"id": name, "sha": found.commit, "siblings": siblings}
                self.answer(200, json.dumps(document).encode())
                if hub.after_listing:
                    hub.after_listing()

        def redirect(self, name: str, commit: str, path: str) -> None:
            found = self.repository(name)
            if found is None:
                return
            if commit != found.commit or path not in found.files:
                self.answer(404, b"", {"X-Error-Code": "EntryNotFound"})
                return
            data = found.files[path]
            address = hub.address.replace("127.0.0.1", "localhost")  # another host, to a client
            self.answer(302, b"", {"Location": f"{address}/cdn/{_sha256(data)}?signed"})

        def send_file(self, sha256: str) -> None:
            all_files = (d for r in hub.repositories.values() for d in r.files.values())
            data = next(d for d in all_files if _sha256(d) == sha256)
            faults, start, status = hub.faults, 0, 200
            extra = {}
            asked = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
            stop = len(data)
            if asked and not faults.ignores_ranges:
                start, status = int(asked[1]), 206
                stop = min(stop, int(asked[2] or stop) + 1)
                extra["Content-Range"] = f"bytes {start}-{stop - 1}/{len(data)}"
            body = data[start:stop]
            if faults.wrong_bytes:
                faults.wrong_bytes -= 1
                body = bytes(byte ^ 1 for byte in body)
            if faults.surplus:
                body, extra["Connection"] = body + bytes(faults.surplus), "close"
            else:
                extra["Content-Length"] = str(len(body))
            self.send_response(status)
            for key, value in extra.items():
                self.send_header(key, value)
            self.end_headers()
            end = len(body)
            if faults.breaks or faults.stalls:
                end = min(end, max(0, faults.break_at - start))
            for offset in range(0, end, CHUNK):
                self.wfile.write(body[offset : min(offset + CHUNK, end)])
                time.sleep(faults.seconds_a_chunk)
            if faults.stalls and end < len(body):
                faults.stalls -= 1
                hub.over.wait()
            if faults.breaks and end < len(body):
                faults.breaks -= 1
            self.close_connection = end < len(body) or bool(faults.surplus)

        def answer(self, status: int, body: bytes, extra: dict[str, str] | None = None) -> None:
            self.send_response(status)
            for key, value in {"Content-Length": str(len(body)), **(extra or {})}.items():
                self.send_header(key, value)
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

    return Handler


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
