"""What makes a task the same task in another run, and the seed that belongs to it alone.

An identity is 48 hexadecimal digits: 16 that name the line (by its custom_id, or its number), then
32 of what is asked: the body, with everything that decides the answer in it, and the model. Two
identities with the same first part are the same line, changed.
"""

from hashlib import sha256
from pathlib import Path

from localspec.errors import ModelError

__all__ = ["DIGITS", "NAME_DIGITS", "fingerprint", "identity", "seed_of"]

NAME_DIGITS = 16
DIGITS = NAME_DIGITS + 32

_SEED_BITS = 31  # what every server takes
_HEAD = 32 << 20  # bytes: the header with vocabulary and chat template, small models whole
_SAMPLES, _SAMPLE = 256, 64 << 10


def identity(name: str, model: str, content: str) -> str:
    """The identity of the line called `name` that asks `model` for `content`."""
    return _hash(name)[:NAME_DIGITS] + _hash(f"{model}\0{content}")[: DIGITS - NAME_DIGITS]


def seed_of(seed: int, name: str) -> int:
    """A line's own seed: the same in whatever order, company and run it is answered."""
    return int(_hash(f"{seed}\0{name}")[:16], 16) >> (64 - _SEED_BITS)


def fingerprint(path: Path) -> str:
    """What tells a model from any other: its size, its head, and samples of the rest.

    Not a checksum: it takes 50 MB of reading whatever the size, and no two trainings or
    quantizations agree in all samples. Raises ModelError where the file cannot be read.
    """
    digest = sha256()
    try:
        with path.open("rb") as file:
            size = path.stat().st_size
            digest.update(f"{size}\0".encode())
            digest.update(file.read(_HEAD))
            for i in range(_SAMPLES if size > _HEAD else 0):
                file.seek(_HEAD + (size - _HEAD) * i // _SAMPLES)
                digest.update(file.read(_SAMPLE))
    except OSError as error:
        raise ModelError(f"The model {path} cannot be read: {error.strerror}.") from None
    return digest.hexdigest()[:32]


def _hash(text: str) -> str:
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
