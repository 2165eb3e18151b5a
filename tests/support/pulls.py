"""What tests of pulling have in common: a repository, models for it, a listener that remembers."""

import gguf_bytes
from gguf_bytes import ARCHITECTURE, UINT32, entry, tensor
from hub_server import CHUNK

NAME = "user/repo-GGUF"
PATIENCE = 300  # seconds after which something is taken to hang


def model(seed: int = 0, size: int = 24 * CHUNK) -> bytes:
    fields = [ARCHITECTURE, entry("seed", UINT32, seed.to_bytes(4, "little"))]
    return gguf_bytes.gguf(fields, [tensor("a", (size // 4,))], weights=size)


class Notes:
    """A listener that remembers."""

    def __init__(self) -> None:
        self.seen: list[tuple[int, int]] = []
        self.notes: list[str] = []

    def at(self, done: int, total: int, what: str) -> None:
        self.seen.append((done, total))

    def note(self, sentence: str) -> None:
        self.notes.append(sentence)
