"""Numbers as a person says them: 4.7 GB, 3 min, 8B weights."""

__all__ = ["duration", "size", "weights"]

_BYTES = ((1e12, "TB"), (1e9, "GB"), (1e6, "MB"), (1e3, "kB"), (1, "bytes"))
_WEIGHTS = ((1e12, "T"), (1e9, "B"), (1e6, "M"), (1e3, "k"), (1, ""))


def size(amount: float) -> str:
    """Bytes: 45.3 MB, 4.9 GB, 123 GB."""
    unit, name = _unit(amount, _BYTES)
    digits = 0 if unit == 1 or amount / unit >= 99.95 else 1
    return f"{amount / unit:.{digits}f} {name}"


def weights(count: int) -> str:
    """A number of weights, as models are called by it: 8B, 65.3M."""
    unit, letter = _unit(count, _WEIGHTS)
    return f"{count / unit:.1f}".removesuffix(".0") + letter


def duration(seconds: float) -> str:
    """Seconds: 42 s, 5 min, 1.5 h."""
    if seconds < 99.5:
        return f"{seconds:.0f} s"
    if seconds < 99.5 * 60:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"


def _unit(amount: float, units: tuple[tuple[float, str], ...]) -> tuple[float, str]:
    """The largest unit that gives 1 or more once it is rounded; the last where none does."""
    return next((unit for unit in units if amount >= unit[0] * 0.9995), units[-1])
