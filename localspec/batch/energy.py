"""Energy used by this computer's processors, where it can be read without asking anyone.

Processors of Intel and AMD count it (RAPL, in /sys/class/powercap; on many systems only root may
read it), NVIDIA's GPUs too (NVML). What else runs meanwhile is counted as well.
"""

import ctypes
from collections.abc import Callable
from pathlib import Path

__all__ = ["Meter", "counters"]

Counter = Callable[[], float | None]
"""Joules used since the last call; None where it can be read no more."""

_POWERCAP = Path("/sys/class/powercap")
_NVML = "libnvidia-ml.so.1"
_MILLI, _MICRO = 1e-3, 1e-6


class Meter:
    """Joules since it was made; `joules` is None where no counter can be read."""

    def __init__(self, found: list[Counter] | None = None) -> None:
        self._counters = counters() if found is None else found
        self.joules: float | None = 0.0 if self._counters else None

    def read(self) -> None:
        """Add what was used since. To be called now and then, as counters begin anew at a limit."""
        for counter in self._counters:
            used = counter()
            if used is None or self.joules is None:
                self.joules = None  # half of the truth would be none
                self._counters = []
                return
            self.joules += used


def counters(powercap: Path = _POWERCAP, nvml: str = _NVML) -> list[Counter]:
    """The counters of this computer."""
    return [*_packages(powercap), *_gpus(nvml)]


def _packages(powercap: Path) -> list[Counter]:
    """One a processor package; AMD's have Intel's name too."""
    found = [_package(zone) for zone in sorted(powercap.glob("intel-rapl:*")) if _whole(zone)]
    return [counter for counter in found if counter is not None]


def _whole(zone: Path) -> bool:
    """Whether this is a package, not a part of one (`intel-rapl:0:0`) nor the whole laptop, which
    counts its packages again (`psys`).
    """
    try:
        return (zone / "name").read_text(encoding="ascii").startswith("package-")
    except OSError:
        return False


def _package(zone: Path) -> Counter | None:
    last, limit = _number(zone / "energy_uj"), _number(zone / "max_energy_range_uj")
    if last is None or limit is None:
        return None
    before: int = last

    def used() -> float | None:
        nonlocal before
        now = _number(zone / "energy_uj")
        if now is None:
            return None
        micro = now - before if now >= before else now - before + limit
        before = now
        return micro * _MICRO

    return used


def _number(file: Path) -> int | None:
    try:
        return int(file.read_text(encoding="ascii"))
    except (OSError, ValueError):
        return None


def _gpus(library: str) -> list[Counter]:
    try:
        nvml = ctypes.CDLL(library)
        if nvml.nvmlInit_v2() != 0:
            return []
        count = ctypes.c_uint()
        nvml.nvmlDeviceGetCount_v2(ctypes.byref(count))
        found = [_gpu(nvml, i) for i in range(count.value)]
    except (OSError, AttributeError):  # no driver, or one of another kind
        return []
    return [counter for counter in found if counter is not None]


def _gpu(nvml: ctypes.CDLL, index: int) -> Counter | None:
    device = ctypes.c_void_p()
    if nvml.nvmlDeviceGetHandleByIndex_v2(index, ctypes.byref(device)) != 0:
        return None

    def total() -> int | None:
        milli = ctypes.c_ulonglong()
        status = nvml.nvmlDeviceGetTotalEnergyConsumption(device, ctypes.byref(milli))
        return milli.value if status == 0 else None

    first = total()
    if first is None:
        return None
    before: int = first

    def used() -> float | None:
        nonlocal before
        now = total()
        if now is None:
            return None
        milli, before = now - before, now
        return milli * _MILLI

    return used
