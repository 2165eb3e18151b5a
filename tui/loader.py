"""Opens models on threads, one after another; of several asked for, the last one counts."""

import threading
import time
from collections.abc import Callable

from localspec.errors import LocalspecError
from localspec.tui.backend import Backend, Source

__all__ = ["Loader"]

Told = Callable[[Backend | None, LocalspecError | None], None]


class Loader:
    """`tell` is called on the loader's thread with a backend, or with why there is none."""

    def __init__(self, source: Source, tell: Told) -> None:
        self._source, self._tell = source, tell
        self._lock = threading.Lock()
        self._wanted = 0
        self.what = ""
        self.since = 0.0

    @property
    def seconds(self) -> float:
        """For how long it has been loading; 0 where it is not."""
        return time.monotonic() - self.since if self.what else 0.0

    def load(self, model: str, draft: str, old: Backend | None) -> None:
        """Give back `old`, then open another."""
        self._wanted += 1
        self.what, self.since = model, time.monotonic()
        threading.Thread(
            target=self._run,
            args=(self._wanted, model, draft, old),
            name="localspec-loading",
            daemon=True,  # leaving the chat does not wait for a model nobody wants any more
        ).start()

    def _run(self, number: int, model: str, draft: str, old: Backend | None) -> None:
        with self._lock:
            if old:
                old.close()
            if number != self._wanted:
                return
            backend, failure = self._open(model, draft)
            if number != self._wanted:
                if backend:
                    backend.close()
                return
            self.what = ""
        self._tell(backend, failure)

    def _open(self, model: str, draft: str) -> tuple[Backend | None, LocalspecError | None]:
        try:
            return self._source.open(model, draft), None
        except LocalspecError as error:
            return None, error
        except Exception as error:  # whatever it was, the chat stays usable
            return None, LocalspecError(f"{model} cannot be loaded: {error}")
