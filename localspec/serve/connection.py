"""A connection as uvicorn has it, but for two things that clients ask for and do not get."""

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

__all__ = ["Connection"]

_LARGEST_HEAD = 1 << 16
"""Bytes around a body: its head, and what may stand between and behind its chunks."""


class Connection(HttpToolsProtocol):
    """Answers one request at a time, in HTTP/1.1.

    Clients that ask before they were answered are hung up on: uvicorn would queue what they ask,
    and while it does, it does not notice that they hang up. A wish for another protocol (Java's
    client would like HTTP/2) is passed over, as HTTP has it. Those whose heads do not end are hung
    up on too: parser and uvicorn would keep all of it, and that before anybody asks for a key.
    """

    _around = 0
    """Bytes that came since the last of a body, or the end of a request."""

    def data_received(self, data: bytes) -> None:
        """Take in a portion of a request.

        A parser ends a request at a wish, without its body, and may be at its own end then. So
        another one gets the request once more.
        """
        rest = b""
        self._around += len(data)
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade as wish:
            if self._wishes:
                rest = self._head() + data[wish.args[0] :]
                self.parser = httptools.HttpRequestParser(self)
        except httptools.HttpParserError:
            pass  # the parser says it again to uvicorn, which tells the client
        super().data_received(rest)
        if self._around > _LARGEST_HEAD:
            self.transport.abort()

    def on_headers_complete(self) -> None:
        """Begin to answer, where nothing is being answered."""
        if self.cycle and not self.cycle.response_complete:
            self.transport.abort()
        elif not self._wishes:
            super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """A portion of the body, for the application to count."""
        self._around = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        """All of the body is there."""
        self._around = 0
        if not self._wishes:
            super().on_message_complete()

    @property
    def _wishes(self) -> bool:
        """Whether the request that is being read asks for another protocol."""
        return self.parser.should_upgrade() and self.parser.get_method() != b"CONNECT"

    def _head(self) -> bytes:
        """The head that was read last, without its wish."""
        version = self.parser.get_http_version().encode()
        lines = [b"%b %b HTTP/%b" % (self.parser.get_method(), self.url, version)]
        lines += [b"%b: %b" % header for header in self.headers if header[0] != b"upgrade"]
        return b"\r\n".join([*lines, b"", b""])
