"""What makes a task the same task in another run, and the seed that belongs to it alone.

An identity is 48 hexadecimal digits: 16 that name the line (by its custom_id, or its number), then
32 of what is asked: the body, with everything that decides the answer in it, and the model. Two
identities with the same first part are the same line, changed.
"""

from hashlib import sha256

__all__ = ["DIGITS", "NAME_DIGITS", "identity", "seed_of"]

NAME_DIGITS = 16
DIGITS = NAME_DIGITS + 32

_SEED_BITS = 31  # what every server takes


def identity(name: str, model: str, content: str) -> str:
    """The identity of the line called `name` that asks `model` for `content`."""
    return _hash(name)[:NAME_DIGITS] + _hash(f"{model}\0{content}")[: DIGITS - NAME_DIGITS]


def seed_of(seed: int, name: str) -> int:
    """A line's own seed: the same in whatever order, company and run it is answered."""
    return int(_hash(f"{seed}\0{name}")[:16], 16) >> (64 - _SEED_BITS)


def _hash(text: str) -> str:
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
