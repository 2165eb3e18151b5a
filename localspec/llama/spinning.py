"""How long llama.cpp's threads spin for each other before they sleep (docs/decisions/0064).

They meet at a barrier after each operation, hundreds of times a token. To spin there is quickest,
unless somebody else wants the core. libgomp, by which they meet, reads two counts when it is
loaded: how often to look before sleeping, and how often where it has more threads than there are
cores. So one more team of threads, which do nothing but sleep, has all others spin briefly.
"""

import ctypes
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial

__all__ = ["Spinning", "prepared", "spinning_of", "waited"]

_SETTINGS = {
    "GOMP_SPINCOUNT": "300000",  # some milliseconds, as libgomp has it by itself
    "OMP_WAIT_POLICY": "active",  # where threads are more than cores 1,000, or it would be 100
}
_EVERY = 0.25  # seconds of decoding after which is looked at who waited
_PAUSE = 0.05  # seconds without a decode, of which nothing is learnt
_BRIEFLY = 1.0  # seconds at least
_MUCH, _LITTLE = 0.2, 0.1  # threads that waited for a core, on average
_TASKS = "/proc/self/task"


@contextmanager
def prepared() -> Iterator[bool]:
    """While libgomp is loaded: what it reads then. Whether the counts are ours to choose, and not
    the user's; other programs that are started later find nothing of it.
    """
    ours = not any(name in os.environ for name in _SETTINGS)
    if ours:
        os.environ.update(_SETTINGS)
    try:
        yield ours
    finally:
        if ours:
            for name in _SETTINGS:
                del os.environ[name]


def waited() -> float | None:
    """Seconds that threads of this process, taken together, waited for a core though they had
    something to do. None where the system does not say.
    """
    told = list[int]()
    with suppress(OSError):
        for task in os.listdir(_TASKS):
            with suppress(OSError, IndexError), open(f"{_TASKS}/{task}/schedstat", "rb") as file:
                told.append(int(file.read().split()[1]))
    return sum(told) / 1e9 if told else None


class _SleepingTeam:
    """So many threads, and one that holds them together."""

    def __init__(self, library: ctypes.CDLL, size: int) -> None:
        self._size = size
        self._parallel = library.GOMP_parallel
        self._parallel.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_uint, ctypes.c_uint]
        self._nothing = ctypes.cast(ctypes.CDLL(None).sched_yield, ctypes.c_void_p)
        self._over = threading.Event()

    def wanted(self, brief: bool) -> None:
        """Let there be one where threads should spin briefly, and none where they should not."""
        if not brief:
            self._over.set()
            return
        asleep, self._over = threading.Event(), threading.Event()
        sleep = partial(self._sleep, asleep, self._over)
        with suppress(RuntimeError):  # where no more threads may be, it goes on as it was
            self._try_so_many()
            threading.Thread(target=sleep, name="localspec-spinning", daemon=True).start()
            asleep.wait()

    def _try_so_many(self) -> None:
        """Raises RuntimeError where there may not be so many threads: libgomp ends the process."""
        over, started = threading.Event(), list[threading.Thread]()
        try:
            for _ in range(self._size + 1):
                thread = threading.Thread(target=over.wait, daemon=True)
                thread.start()
                started.append(thread)
        finally:
            over.set()
            for thread in started:  # or they would take the places of those they make sure of
                thread.join()

    def _sleep(self, asleep: threading.Event, over: threading.Event) -> None:
        self._parallel(self._nothing, None, self._size, 0)
        asleep.set()
        over.wait()


class Spinning:
    """Looks, between decodes, whether threads had to wait for a core, and has them spin briefly
    as long as they do. Any thread may say that it decodes.

    `wanted` is told where that changes, `waited` is as below.
    """

    def __init__(
        self,
        wanted: Callable[[bool], None],
        waited: Callable[[], float | None] = waited,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._brief = False
        self._wanted, self._waited, self._clock = wanted, waited, clock
        self._looking = threading.Lock()
        self._decoding = 0.0  # seconds since the last look, but those of now
        self._began = self._ended = self._since = clock()
        self._before = waited()

    def before(self) -> None:
        """A decode begins."""
        now = self._clock()
        if now - self._ended > _PAUSE:
            self._decoding += self._ended - self._began
            self._began = now
        seconds = self._decoding + now - self._began
        if seconds > _EVERY and self._looking.acquire(blocking=False):
            try:
                self._look(now, seconds)
            finally:
                self._looking.release()

    def after(self) -> None:
        """A decode has ended."""
        self._ended = self._clock()

    def _look(self, now: float, seconds: float) -> None:
        before, self._before = self._before, self._waited()
        self._decoding, self._began = 0.0, now
        if self._before is None or before is None:
            self._spin(now, briefly=True)  # who cannot know takes care
            return
        threads = (self._before - before) / seconds
        if threads > _MUCH:
            self._spin(now, briefly=True)
        elif threads < _LITTLE and now - self._since > _BRIEFLY:
            self._spin(now, briefly=False)

    def _spin(self, now: float, *, briefly: bool) -> None:
        if briefly:
            self._since = now
        if briefly != self._brief:
            self._brief = briefly
            self._wanted(briefly)


def spinning_of(library: ctypes.CDLL, threads: int, cores: int) -> Spinning | None:
    """For so many threads, where they meet by libgomp (LLVM's OpenMP, which has its functions, too,
    and llama.cpp's own threads know no such counts), and are more than half as many as the cores.
    """
    if not hasattr(library, "GOMP_parallel") or hasattr(library, "kmp_set_blocktime"):
        return None
    free = cores - threads
    if free > threads:  # whoever wants a core has one
        return None
    return Spinning(_SleepingTeam(library, max(0, free) + 2).wanted)
