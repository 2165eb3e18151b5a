"""What tests of pulling have in common: a repository, models for it, a listener that remembers."""

from pathlib import Path

import gguf_bytes
from gguf_bytes import ARCHITECTURE, UINT32, entry, tensor
from hub_server import CHUNK, HubServer

from localspec.models import shelf

NAME = "user/repo-GGUF"
PATIENCE = 300  # seconds after which something is taken to hang


def model(seed: int = 0, size: int = 24 * CHUNK) -> bytes:
    fields = [ARCHITECTURE, entry("seed", UINT32, seed.to_bytes(4, "little"))]
    return gguf_bytes.gguf(fields, [tensor("a", (size // 4,))], weights=size)


class Notes:
    """A listener that remembers."""

    def __init__(self) -> None:
        self.seen: list[tuple[int, int]] = []
        self.doings: list[str] = []
        self.notes: list[str] = []

    def at(self, done: int, total: int, what: str) -> None:
        self.seen.append((done, total))
        if what not in self.doings:
            self.doings.append(what)

    def note(self, sentence: str) -> None:
        self.notes.append(sentence)


def data_of(server: HubServer, path: str = "repo-Q4_K_M.gguf") -> bytes:
    return server.repositories[NAME].files[path]


def parts(home: Path) -> list[Path]:
    return list((home / "data" / "models" / ".incoming").glob("*.part"))


def check_nothing_has_a_name(home: Path) -> None:
    assert shelf.shelved() == []
    assert list(home.rglob("*.gguf")) == []
