"""When which model was last loaded. Nice to know, and no harm where it is lost."""

import json
import time
from pathlib import Path

from localspec import folders

__all__ = ["last_used", "used"]

_PRECISE_ENOUGH = 3600.0  # seconds
_MOST = 500  # files remembered, the latest ones


def last_used() -> dict[Path, float]:
    """Seconds since 1970, by file."""
    try:
        kept = json.loads(_record().read_text(encoding="utf-8"))
        return {Path(path): float(when) for path, when in kept.items()}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}


def used(path: Path) -> None:
    """`path` is being loaded now."""
    known, now = last_used(), time.time()
    if now - known.get(path.absolute(), 0.0) < _PRECISE_ENOUGH:
        return
    known[path.absolute()] = now
    latest = sorted(known.items(), key=lambda item: item[1])[-_MOST:]
    try:
        folders.write_atomically(_record(), json.dumps({str(p): when for p, when in latest}))
    except OSError:
        return


def _record() -> Path:
    return folders.state() / "last-used.json"
