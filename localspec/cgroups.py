"""What this process may use of the computer: memory, and the time of its cores.

A container or a service of systemd may have less than is there (`docker run -m 8g --cpus 2`,
`MemoryMax=`). On Linux the groups say so that a process is in, its own and those around it, in
files below /sys/fs/cgroup: one tree for all (version 2) or one for each kind (version 1).
https://docs.kernel.org/admin-guide/cgroup-v2.html
"""

from collections.abc import Iterator
from pathlib import Path, PurePosixPath

import psutil

__all__ = ["cores", "memory_free", "memory_total"]

_TREES = Path("/sys/fs/cgroup")
_MEMBERSHIP = Path("/proc/self/cgroup")
_LIMITS = ("memory.max", "memory.high", "memory.limit_in_bytes")
_USED = ("memory.current", "memory.usage_in_bytes")
_RECLAIMED = ("total_inactive_file", "inactive_file")  # the first of version 1, with groups within


def memory_free() -> int:
    """Bytes that can be had."""
    free: int = psutil.virtual_memory().available
    return max(0, min([free, *(limit - _used(group) for group, limit in _memory_limits())]))


def memory_total() -> int:
    """Bytes that could be had if nothing else were running."""
    total: int = psutil.virtual_memory().total
    return min([total, *(limit for _, limit in _memory_limits())])


def cores() -> int | None:
    """The cores' worth of time that there is, at least 1; None where it is that of all."""
    found = list(_shares())
    return max(1, int(min(found))) if found else None


def _memory_limits() -> Iterator[tuple[Path, int]]:
    for group in _groups("memory"):
        for name in _LIMITS:
            limit = _numbers(group / name)
            if limit:
                yield group, limit[0]


def _used(group: Path) -> int:
    """Bytes that a group holds on to; files it has not read for a while make room for others."""
    used = next(filter(None, (_numbers(group / name) for name in _USED)), [0])
    try:
        told = dict(line.split() for line in (group / "memory.stat").read_text().splitlines())
        return used[0] - int(next((told[name] for name in _RECLAIMED if name in told), 0))
    except (OSError, ValueError):
        return used[0]


def _shares() -> Iterator[float]:
    for group in _groups("cpu"):
        told = _numbers(group / "cpu.max") or [
            *_numbers(group / "cpu.cfs_quota_us"),
            *_numbers(group / "cpu.cfs_period_us"),
        ]
        if len(told) == 2 and min(told) > 0:
            yield told[0] / told[1]


def _groups(kind: str) -> Iterator[Path]:
    """Folders of the group this process is in and of those around it.

    A container sees none outside of it, though the path it is told of its own may be one there.
    """
    try:
        lines = _MEMBERSHIP.read_text().splitlines()
    except OSError:  # not Linux
        return
    for _, kinds, path in (line.split(":", 2) for line in lines):
        if not kinds or kind in kinds.split(","):
            tree = _TREES / kind if kinds else _TREES
            group = PurePosixPath(path.lstrip("/"))
            yield from (tree / around for around in (group, *group.parents))


def _numbers(file: Path) -> list[int]:
    """What a file holds; none where it is not there, or says "max"."""
    try:
        return [int(word) for word in file.read_text().split()]
    except (OSError, ValueError):
        return []
