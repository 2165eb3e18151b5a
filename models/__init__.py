"""Model files by name: what is embedded, what lies on this computer."""

from localspec.models.embedded import EMBEDDED, Pair, embedded
from localspec.models.resolve import resolve

__all__ = ["EMBEDDED", "Pair", "embedded", "resolve"]
