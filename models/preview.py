"""Looks at a model on the hub without fetching it: its header is all that reckoning needs."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from localspec.errors import LocalspecError
from localspec.models import hub
from localspec.models.naming import Reference
from localspec.models.reader import FIRST_BYTES
from localspec.models.variants import choose

__all__ = ["previewed"]


@contextmanager
def previewed(reference: Reference) -> Iterator[Path]:
    """A model whose files have the size and the header of those on the hub, but no weights.

    They take next to no room, as what was never written is not stored. Raises UsageError where
    there is no such model, LocalspecError where the hub cannot be reached.
    """
    source = hub.snapshot(reference.repository)
    variant = choose(source, reference)
    with tempfile.TemporaryDirectory(prefix="localspec-") as folder:
        for file in variant.files:
            path = Path(folder) / Path(file.path).name
            header = hub.beginning(source, file, min(file.size, FIRST_BYTES))
            try:
                with path.open("wb") as copy:
                    copy.write(header)
                    copy.truncate(file.size)
            except OSError as error:
                raise LocalspecError(f"{path} cannot be written: {error.strerror}.") from error
        yield Path(folder) / Path(variant.files[0].path).name
