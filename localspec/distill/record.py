"""What a target wrote, on disk: its tokens, and at each of them what it thought likeliest.

A file of frames, each with its length and checksum, so that whatever interrupts the writing costs
at most the text that was being written: what is torn at the end is cut off when writing goes on.
"""

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from localspec.errors import LocalspecError

__all__ = ["Record", "Text"]

_FRAME = struct.Struct("<IIIIIf")  # bytes of the body, its CRC-32, prompt, said, k, temperature


@dataclass(frozen=True)
class Text:
    """A prompt, and what the target said at a temperature.

    `likely` are the k likeliest tokens at each place, [said, k], best first, with their log
    probabilities. `said` ends with the token that ended the answer, where one did.
    """

    prompt: npt.NDArray[np.int32]
    said: npt.NDArray[np.int32]
    likely: npt.NDArray[np.int32]
    log_probabilities: npt.NDArray[np.float16]
    temperature: float


class Record:
    """Texts in the file `path`, in the order in which they were written. Raises LocalspecError."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        whole = self._whole_bytes() if path.exists() else 0
        self._file = path.open("r+b" if path.exists() else "w+b")
        self._file.truncate(whole)
        self._file.seek(whole)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def append(self, text: Text) -> None:
        """Add a text; it is in the file when this returns."""
        parts: tuple[npt.NDArray[Any], ...] = (
            text.prompt, text.said, text.likely, text.log_probabilities,
        )  # fmt: skip
        body = b"".join(part.tobytes() for part in parts)
        sizes = len(text.prompt), len(text.said), text.likely.shape[1]
        head = _FRAME.pack(len(body), zlib.crc32(body), *sizes, text.temperature)
        try:
            self._file.write(head + body)
            self._file.flush()
        except OSError as error:
            raise LocalspecError(
                f"{self.path} cannot be written: {error.strerror}; make room and start again."
            ) from error

    def texts(self) -> list[Text]:
        """All of them."""
        return [text for text, _ in _frames(self.path)]

    def _whole_bytes(self) -> int:
        return max((end for _, end in _frames(self.path)), default=0)


def _frames(path: Path) -> Iterator[tuple[Text, int]]:
    """Whole texts, each with the place in the file where it ends."""
    data = path.read_bytes()
    start = 0
    while start + _FRAME.size <= len(data):
        length, checksum, prompt, said, k, temperature = _FRAME.unpack_from(data, start)
        body = data[start + _FRAME.size : start + _FRAME.size + length]
        if len(body) < length or zlib.crc32(body) != checksum:
            return
        start += _FRAME.size + length
        yield _text(body, prompt, said, k, temperature), start


def _text(body: bytes, prompt: int, said: int, k: int, temperature: float) -> Text:
    tokens = np.frombuffer(body, np.int32, prompt + said + said * k)
    rest = np.frombuffer(body, np.float16, said * k, 4 * len(tokens))
    likely = tokens[prompt + said :].reshape(said, k)
    return Text(
        tokens[:prompt], tokens[prompt : prompt + said], likely, rest.reshape(said, k), temperature
    )
