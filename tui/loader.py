"""Opens models on threads, one after another; of several asked for, the last one counts."""

import contextlib
import threading
import time
from collections.abc import Callable

from localspec.errors import LocalspecError
from localspec.tui.backend import Backend, Choice, Source

__all__ = ["Loader"]

Told = Callable[[Backend | None, LocalspecError | None], None]


class Loader:
    """Has one model open at a time. `tell` is called on a thread, with it or why there is none.

    `model` is what was asked for last; `models` and `drafts` are what can be chosen, as of the last
    time something was opened.
    """

    def __init__(self, source: Source, tell: Told) -> None:
        self._source, self._tell = source, tell
        self._lock = threading.Lock()
        self._asked = self._told = 0
        self._since = 0.0
        self._backend: Backend | None = None
        self.model = ""
        self.models: list[Choice] = []
        self.drafts: list[Choice] = []

    @property
    def loading(self) -> bool:
        """Whether what was asked for last is still to come."""
        return self._told != self._asked

    @property
    def seconds(self) -> float:
        """For how long it has been loading."""
        return time.monotonic() - self._since

    def load(self, model: str, draft: str) -> None:
        """Give back what is open, then open another."""
        self._asked += 1
        self.model, self._since = model, time.monotonic()
        threading.Thread(
            target=self._run,
            args=(self._asked, model, draft),
            name="localspec-loading",
            daemon=True,  # leaving the chat does not wait for a model nobody wants any more
        ).start()

    def close(self) -> None:
        """Give back what is open; what was learnt about its speed is kept then."""
        if self._backend:
            self._backend.close()
            self._backend = None

    def _run(self, number: int, model: str, draft: str) -> None:
        with self._lock:
            self.close()
            if number != self._asked:
                return
            self._backend, failure = self._open(model, draft)
            if number != self._asked:  # whoever asked for another one closes this
                return
            with contextlib.suppress(OSError):  # what cannot be listed cannot be chosen
                self.models = list(self._source.models())
            self._told = number
            self._tell(self._backend, failure)
        with contextlib.suppress(OSError):
            self.drafts = list(self._source.drafts(model))

    def _open(self, model: str, draft: str) -> tuple[Backend | None, LocalspecError | None]:
        try:
            return self._source.open(model, draft), None
        except LocalspecError as error:
            return None, error
        except Exception as error:  # whatever it was, the chat stays usable
            return None, LocalspecError(f"{model} cannot be loaded: {error}")
