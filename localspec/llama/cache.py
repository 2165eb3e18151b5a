"""How keys and values can be kept; known to those, too, who do without the library."""

from typing import Literal

__all__ = ["CacheType"]

CacheType = Literal["f16", "q8_0"]
"""q8_0 takes half the memory of f16, and rounds more."""
