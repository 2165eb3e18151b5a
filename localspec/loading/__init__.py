"""From names of models to an engine: what loading is told, what it makes, what it would take."""

from localspec.loading.loading import Loading

__all__ = ["Loading"]
