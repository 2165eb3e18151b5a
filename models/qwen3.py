"""Dimensions of Qwen3 models, the family that twins (`bench`) and drafts (`distill`) belong to."""

from typing import NamedTuple

from localspec.errors import ModelError
from localspec.models.header import Header

__all__ = ["ARCHITECTURE", "Dimensions", "dimensions"]

ARCHITECTURE = "qwen3"


class Dimensions(NamedTuple):
    """Its `heads` share `kv_heads`, each `head` wide; an MLP has `hidden` units."""

    width: int
    layers: int
    heads: int
    kv_heads: int
    head: int
    hidden: int


def dimensions(header: Header) -> Dimensions:
    """What a file says of its model. Raises ModelError where that is another's, or not said."""
    if header.architecture != ARCHITECTURE:
        raise ModelError(
            f"{header.path} is a {header.architecture} model; only {ARCHITECTURE} will do here."
        )

    def number(key: str) -> int:
        found = header.integer(header.own(key))
        if found is None:
            raise ModelError(f"{header.path} does not say its {key}; get another file of it.")
        return found

    return Dimensions(
        width=number("embedding_length"),
        layers=number("block_count"),
        heads=number("attention.head_count"),
        kv_heads=number("attention.head_count_kv"),
        head=number("attention.key_length"),
        hidden=number("feed_forward_length"),
    )
