"""What a process may use where containers or services have less than the computer, from made-up
trees of groups.
"""

from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace

import pytest

from localspec import cgroups
from localspec.llama import library
from localspec.loading.memory import machine

GIB = 1 << 30
MAX = "max\n"
ENDLESS = "9223372036854771712\n"  # as version 1 says it


@pytest.fixture(autouse=True)
def computer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """16 GiB, 12 of them free, and no groups."""
    memory = SimpleNamespace(available=12 * GIB, total=16 * GIB)
    monkeypatch.setattr(cgroups.psutil, "virtual_memory", lambda: memory)
    monkeypatch.setattr(cgroups, "_TREES", tmp_path / "groups")
    monkeypatch.setattr(cgroups, "_MEMBERSHIP", tmp_path / "membership")


def in_groups(folder: Path, membership: str, files: Mapping[str, str]) -> None:
    (folder / "membership").write_text(membership)
    for name, text in files.items():
        file = folder / "groups" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)


def limited(limit: str, used: int, reclaimed: int) -> dict[str, str]:
    stat = f"anon {used - reclaimed}\ninactive_file {reclaimed}\nactive_file 0\n"
    return {"memory.max": limit, "memory.current": f"{used}\n", "memory.stat": stat}


def at(group: str, files: Mapping[str, str]) -> dict[str, str]:
    return {f"{group}/{name}": text for name, text in files.items()}


def test_without_groups_all_of_the_computer_can_be_had() -> None:
    found = (cgroups.memory_free(), cgroups.memory_total(), cgroups.cores())
    assert found == (12 * GIB, 16 * GIB, None)


def test_a_container_has_its_limit_less_what_it_uses_and_files_make_room(tmp_path: Path) -> None:
    in_groups(tmp_path, "0::/\n", limited(f"{4 * GIB}\n", 3 * GIB, 2 * GIB))
    assert (cgroups.memory_free(), cgroups.memory_total()) == (3 * GIB, 4 * GIB)
    assert machine().host == 3 * GIB, "models fit reckons with it"


def test_of_all_groups_around_a_service_the_narrowest_counts(tmp_path: Path) -> None:
    files = {
        **at("user.slice", limited(f"{8 * GIB}\n", 6 * GIB, 0)),
        **at("user.slice/app.service", limited(MAX, GIB, 0)),
        "user.slice/app.service/memory.high": f"{6 * GIB}\n",
        "other.slice/memory.max": f"{GIB}\n",
    }
    in_groups(tmp_path, "0::/user.slice/app.service\n", files)
    assert (cgroups.memory_free(), cgroups.memory_total()) == (2 * GIB, 6 * GIB)


def test_a_group_beyond_its_limit_has_nothing_left(tmp_path: Path) -> None:
    in_groups(tmp_path, "0::/\n", limited(f"{GIB}\n", 2 * GIB, 0))
    assert cgroups.memory_free() == 0


@pytest.mark.parametrize("group", ["docker/1f", "somewhere/outside"])
def test_the_first_version_has_a_tree_for_each_kind(tmp_path: Path, group: str) -> None:
    """In a container the path that it is told may be one outside of it."""
    stat = f"inactive_file 0\ntotal_inactive_file {GIB}\n"
    own = {
        "memory.limit_in_bytes": f"{3 * GIB}\n",
        "memory.usage_in_bytes": f"{2 * GIB}\n",
        "memory.stat": stat,
    }
    files = {
        "memory/memory.limit_in_bytes": ENDLESS,
        **at("memory/docker/1f" if group == "docker/1f" else "memory", own),
        "cpu/cpu.cfs_quota_us": "-1\n",
        "cpu/docker/cpu.cfs_quota_us": "250000\n",
        "cpu/docker/cpu.cfs_period_us": "100000\n",
    }
    membership = f"5:cpu,cpuacct:/docker\n4:memory:/{group}\n1:name=systemd:/\n0::/\n"
    in_groups(tmp_path, membership, files)
    found = (cgroups.memory_free(), cgroups.memory_total(), cgroups.cores())
    assert found == (2 * GIB, 3 * GIB, 2)


@pytest.mark.parametrize(
    ("told", "threads"),
    [("350000 100000", 3), ("50000 100000", 1), ("max 100000", 4), ("900000 100000", 4)],
)
def test_as_many_threads_compute_as_there_is_time_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, told: str, threads: int
) -> None:
    monkeypatch.setattr(library.psutil, "cpu_count", lambda logical: 8)
    monkeypatch.setattr(library.os, "sched_getaffinity", lambda process: range(8), raising=False)
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    assert library.threads() == 8
    files = {"pod/cpu.max": "400000 100000\n", "pod/box/cpu.max": f"{told}\n"}
    in_groups(tmp_path, "0::/pod/box\n", files)
    assert library.threads() == threads
