"""Model files: what is embedded, what was pulled, what a file says, what goes with what."""

from localspec.models import usage
from localspec.models.embedded import EMBEDDED, Pair, embedded
from localspec.models.resolve import resolve

__all__ = ["EMBEDDED", "Pair", "embedded", "resolve", "usage"]
