"""Threads spin for each other, but briefly as long as somebody else wants their cores."""

import ctypes
import json
import os
import subprocess
import sys
import threading
import time
from typing import Any

import pytest

from localspec import models
from localspec.llama.spinning import Spinning, _SleepingTeam, spinning_of, waited

linux = pytest.mark.skipif(sys.platform != "linux", reason="the system does not say who waits")


class Computer:
    """On which decodes take so long, and threads wait for a core for a share of the time."""

    def __init__(self) -> None:
        self.now, self.waited, self.share = 1000.0, 7.0, 0.0
        self.says = True
        self.changes: list[bool] = []
        self.spinning = Spinning(self.changes.append, self.waited_for, lambda: self.now)

    def waited_for(self) -> float | None:
        return self.waited if self.says else None

    def decode(self, seconds: float = 0.02, times: int = 50) -> None:
        for _ in range(times):
            self.spinning.before()
            self.now += seconds
            self.waited += self.share * seconds
            self.spinning.after()

    def pause(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def computer() -> Computer:
    return Computer()


@pytest.mark.parametrize("seconds", [0.001, 0.02, 0.4])
def test_threads_spin_long_where_nobody_waits_for_a_core(
    computer: Computer, seconds: float
) -> None:
    computer.decode(seconds, times=2000)
    assert computer.changes == []


@pytest.mark.parametrize("share", [0.3, 0.5, 2.0])
def test_they_spin_briefly_as_soon_as_somebody_does(computer: Computer, share: float) -> None:
    computer.decode()
    computer.share = share
    computer.decode(times=30)  # 0.6 seconds
    assert computer.changes == [True]


def test_they_spin_long_again_when_all_have_a_core(computer: Computer) -> None:
    computer.share = 0.5
    computer.decode()
    computer.share = 0.02
    computer.decode(times=100)
    assert computer.changes == [True, False]


def test_a_moment_of_quiet_is_not_enough(computer: Computer) -> None:
    computer.share = 0.5
    computer.decode()
    for share in (0.0, 0.5) * 10:  # 0.4 seconds each
        computer.share = share
        computer.decode(times=20)
    assert computer.changes == [True]


def test_between_the_two_it_stays_as_it_is(computer: Computer) -> None:
    computer.share = 0.15
    computer.decode(times=200)
    assert computer.changes == []
    computer.share = 0.5
    computer.decode()
    computer.share = 0.15
    computer.decode(times=200)
    assert computer.changes == [True]


def test_short_answers_count_together(computer: Computer) -> None:
    computer.share = 0.5
    for _ in range(10):  # none of which is long enough to tell
        computer.decode(times=5)
        computer.pause(60.0)
    assert computer.changes == [True]


def test_pauses_do_not_count(computer: Computer) -> None:
    computer.share = 0.5
    for _ in range(3):
        computer.decode(times=3)
        computer.pause(60.0)
    assert computer.changes == []


def test_who_cannot_know_takes_care(computer: Computer) -> None:
    computer.says = False
    computer.decode()
    assert computer.changes == [True]
    computer.says = True
    computer.decode(times=100)
    assert computer.changes == [True, False]


def test_only_one_of_many_threads_looks_at_a_time() -> None:
    looking, changes = threading.Semaphore(0), list[bool]()
    inside = list[int]()

    def slowly() -> float:
        inside.append(1)
        time.sleep(0.001)
        assert len(inside) == 1
        inside.pop()
        return 0.0

    spinning = Spinning(changes.append, slowly, lambda: time.monotonic() * 1000)

    def decode() -> None:
        for _ in range(20):
            spinning.before()
            spinning.after()
        looking.release()

    for _ in range(4):
        threading.Thread(target=decode).start()
    assert all(looking.acquire(timeout=20) for _ in range(4))


@linux
def test_the_system_says_how_long_threads_waited() -> None:
    before, started = waited(), time.monotonic()
    busy = [threading.Thread(target=_hash_for, args=(0.3,)) for _ in range(4 * os.cpu_count())]
    for thread in busy:
        thread.start()
    time.sleep(0.2)
    now = waited()
    for thread in busy:
        thread.join()
    assert before is not None
    assert now is not None
    assert 0.05 < now - before < len(busy) * (time.monotonic() - started)


def _hash_for(seconds: float) -> None:
    """Without Python's lock."""
    import hashlib

    end, data = time.monotonic() + seconds, bytes(1 << 20)
    while time.monotonic() < end:
        hashlib.sha256(data)


_DECODES = """
import json, os, resource, sys, time
from localspec.llama import library
from localspec.llama.context import Context
from localspec.llama.model import Model
from localspec.llama.rows import Run

def threads():
    return len(os.listdir("/proc/self/task"))

def sleeps():
    return resource.getrusage(resource.RUSAGE_SELF).ru_nvcsw

if library.spinning:
    library.spinning._waited = lambda: 0.0  # whatever else runs beside this test
found = []
with Model(sys.argv[1]) as loaded, Context(loaded, length=64) as context:
    for brief in (False, True, False, True) if library.spinning else ():
        library.spinning._wanted(brief)
        time.sleep(0.2)
        asleep = sleeps()
        logits = [hash(context.decode([Run(0, (20,), i, 1)]).tobytes()) for i in range(40)]
        found.append([threads(), sleeps() - asleep, logits])
        context.truncate(0, 0)
print(json.dumps(found))
"""
_SHOWS = """
import json, os
from localspec.llama import library
settings = [name for name in os.environ if name.startswith(("GOMP_", "OMP_WAIT"))]
print(json.dumps([library.spinning is not None, settings]))
"""


def _in_a_process(script: str, *arguments: str, **settings: str) -> Any:
    """What a script says where only these settings of OpenMP are made."""
    known = {k: v for k, v in os.environ.items() if not k.startswith(("GOMP_", "OMP_"))}
    done = subprocess.run(
        [sys.executable, "-c", script, *arguments],
        env={**known, **settings},
        check=True,
        capture_output=True,
        text=True,
    )
    return json.loads(done.stdout)


@linux
def test_brief_or_long_says_the_same_and_leaves_no_threads() -> None:
    if not _in_a_process(_SHOWS)[0]:
        pytest.skip("threads meet in another way")
    long, brief, *again = _in_a_process(_DECODES, str(models.resolve("shell", "none")[0]))
    assert long[2] == brief[2] == again[0][2]
    assert brief[0] > long[0] == again[0][0]
    sleeps = [long[1], again[0][1]], [brief[1], again[1][1]]
    assert max(sleeps[0]) < min(sleeps[1])


def test_programs_that_are_started_find_nothing_of_it() -> None:
    """A llama-server that is measured beside us waits as it always does."""
    assert _in_a_process(_SHOWS)[1] == []


@pytest.mark.parametrize("name", ["GOMP_SPINCOUNT", "OMP_WAIT_POLICY"])
def test_what_the_user_has_set_stays(name: str) -> None:
    value = {"GOMP_SPINCOUNT": "5000", "OMP_WAIT_POLICY": "passive"}[name]
    assert _in_a_process(_SHOWS, **{name: value}) == [False, [name]]


class Library:
    """Has functions of these names, like a ctypes.CDLL."""

    def __init__(self, *names: str) -> None:
        for name in names:
            setattr(self, name, ctypes.CFUNCTYPE(None)())


def test_other_ways_to_meet_are_left_alone() -> None:
    llvm = Library("GOMP_parallel", "kmp_set_blocktime")
    assert _chosen(Library(), threads=2, cores=2) is None
    assert _chosen(llvm, threads=2, cores=2) is None


def test_where_half_of_the_cores_are_free_nobody_waits() -> None:
    assert _chosen(Library("GOMP_parallel"), threads=7, cores=16) is None
    assert _chosen(Library("GOMP_parallel"), threads=8, cores=16)


@pytest.mark.parametrize(("places", "teams"), [(4, [3]), (3, []), (0, [])])
def test_a_team_is_made_only_where_there_may_be_so_many_threads(
    monkeypatch: pytest.MonkeyPatch, places: int, teams: list[int]
) -> None:
    """libgomp would end the process."""
    start, alive = threading.Thread.start, list[threading.Thread]()

    def start_if_there_is_room(thread: threading.Thread) -> None:
        alive[:] = [other for other in alive if other.is_alive()]
        if len(alive) >= places:
            raise RuntimeError("can't start new thread")
        alive.append(thread)
        start(thread)

    made = list[int]()
    library = Library("GOMP_parallel")
    team = _SleepingTeam(library, 3)  # type: ignore[arg-type]
    team._parallel = lambda function, data, size, flags: made.append(size)
    monkeypatch.setattr(threading.Thread, "start", start_if_there_is_room)
    team.wanted(True)
    team.wanted(False)
    assert made == teams


def _chosen(library: Library, threads: int, cores: int) -> Spinning | None:
    return spinning_of(library, threads, cores)  # type: ignore[arg-type]
