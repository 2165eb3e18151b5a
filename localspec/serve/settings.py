"""What a server is told when it starts, and what it refuses to be told."""

import ipaddress
import re
from dataclasses import dataclass

from localspec.errors import UsageError
from localspec.loading import Loading

__all__ = ["Settings"]

_LONGEST_NAME = 64


@dataclass(frozen=True)
class Settings:
    """How to serve. Raises UsageError on what would not be safe, or makes no sense."""

    loading: Loading = Loading()
    host: str = "127.0.0.1"
    port: int = 8080
    api_key: str | None = None
    keep_alive: float | None = None
    """Seconds without a request after which the model leaves the memory; None: never."""
    hosts: tuple[str, ...] = ()
    """Names by which clients may call the server, beside localhost and IP addresses."""
    origins: tuple[str, ...] = ()
    """Web pages that may use the server, e.g. `https://example.org`."""
    largest_body: int = 4 * 2**20
    """Bytes."""

    def __post_init__(self) -> None:
        if self.api_key is not None and not re.fullmatch(r"[!-~]+", self.api_key):
            raise UsageError("The API key must be printable ASCII without spaces.")
        if not _is_loopback(self.host) and self.api_key is None:
            raise UsageError(
                f"Others could reach {self.host}; set LOCALSPEC_API_KEY (or --api-key) to serve "
                "there, or leave out --host to serve this computer only."
            )
        if not 0 <= self.port <= 65535:
            raise UsageError(f"port is {self.port}; it must be 0 to 65535.", "port")
        if self.keep_alive is not None and not self.keep_alive > 0:
            sentence = f"keep_alive is {self.keep_alive:g}; it must be above 0 seconds."
            raise UsageError(sentence, "keep_alive")
        for origin in self.origins:
            if not re.fullmatch(r"[a-z][a-z0-9+.-]*://[^/\s*]+", origin):
                raise UsageError(
                    f"{origin!r} is not an origin; write it like https://example.org, without a "
                    "path or a star."
                )

    @property
    def model_name(self) -> str:
        """What clients call the model."""
        return re.split(r"[/\\]", str(self.loading.model))[-1].removesuffix(".gguf")[:_LONGEST_NAME]

    @property
    def url(self) -> str:
        """Where a client on this computer finds the server."""
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.host, self.host)
        return f"http://{f'[{host}]' if ':' in host else host}:{self.port}"


def _is_loopback(host: str) -> bool:
    """Whether only this computer can reach an address."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
