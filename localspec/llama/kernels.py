"""Can a model be loaded here, and how are its weights kept? Tried once for each file.

A file that was never loaded is tried in a process of its own (`trial`). So are llama.cpp's
repacked weights: it rearranges quantized weights for kernels made for one instruction set, and a
build by gcc 12 on a processor with AMX dies in those for AMX (`ldtilecfg` reads a table the
compiler removed as dead), which are left out then (`amx`). Of some quantizations repacked weights
round otherwise for four rows than for one, where the others do so for eight: a target's are kept in
whichever way more rows round alike (docs/decisions/0002). What was found is kept in the cache
folder for this build, processor and file.
"""

import hashlib
import json
from pathlib import Path
from typing import Any, NamedTuple

from localspec import cgroups, folders
from localspec.errors import ModelError
from localspec.llama.amx import leave_out
from localspec.llama.library import lib, on_cpu, system_info
from localspec.llama.trial import WIDTHS, Outcome, attempt
from localspec.models.fingerprint import fingerprint

__all__ = ["Way", "amx_crashes", "way"]

_SUSPECT = "AMX_INT8 = 1"
_ROOMY = 0.8  # of free memory: a larger file is looked at without touching its weights
_VERSION = 4  # of what is kept
_MOST = 2000  # files that are remembered, the latest ones
_ADVICE = {
    "refused": "the file may be damaged or too new",
    "crashed": "it is damaged, or made to do harm; do not use it",
    "unbounded": "it is damaged, or made to do harm; do not use it",
    "killed": "there may be too little memory; localspec models fit says what it takes",
}


class Way(NamedTuple):
    """A way to keep weights: rearranged or as they are.

    Passes of up to `even` rows give each the logits it gives alone; None: however many. In
    llama.cpp's quickest way (`reference`) those of `bulk` rows and more take tiles; None: none do.
    """

    repack: bool
    even: int | None = None
    bulk: int | None = None


class _Ways(NamedTuple):
    """The quickest way, and the one in which most rows round alike."""

    quickest: Way
    evenest: Way


def way(model: Path, *, gpu_layers: int = -1, exact: bool = True) -> Way:
    """How to keep the weights of `model`: so that most rows round alike where it must be `exact`,
    and else the quickest way.

    Raises ModelError for a file that is not whole, or that llama.cpp cannot load.
    """
    ways, amx = _found(model, gpu_layers)
    if not amx:
        leave_out()
    return ways.evenest if exact else ways.quickest


def amx_crashes(model: Path) -> bool:
    """Whether this build's kernels for AMX do, so that they are left out; `model` is tried where
    that is not known. Raises ModelError as `way` does.
    """
    return not _found(model, gpu_layers=0)[1]


def _found(model: Path, gpu_layers: int) -> tuple[_Ways, bool]:
    """How its weights may be kept, and whether with AMX."""
    record = folders.cache() / "kernels.json"
    known, build, cpu = _read(record), _build(), on_cpu(gpu_layers)
    amx = known.get(build) is not False
    # One model that survives proves nothing for another: kernels differ with its quantization.
    key = f"{build} {fingerprint(model)} {'CPU' if cpu else 'GPU'}"
    ways = _understood(known.get(key))
    if ways is None:
        ways, crashed = _try(model, amx, cpu)
        if crashed:  # it is not asked again, and what survived may not the next time
            known = {name: of for name, of in known.items() if not name.startswith(build)}
            known[build] = amx = False
        _keep(record, {**known, key: ways})
    return ways, amx


def _try(model: Path, amx: bool, cpu: bool) -> tuple[_Ways, bool]:
    """How its weights may be kept, with `amx` or without, and whether the build died of that."""
    from localspec.models.description import headers_of  # most files were loaded before

    headers = headers_of(model)
    size = sum(header.size for header in headers)
    mixed = any(header.integer(header.own("expert_count")) for header in headers)
    roomy = size < cgroups.memory_free() * _ROOMY
    suspect = amx and _SUSPECT in system_info()
    tried = roomy and (suspect or cpu)
    outcome = attempt(model, size=size, repack=tried, amx=amx, decode=roomy, compare=cpu)
    if outcome.kind == "crashed" and tried and suspect:
        return _try(model, False, cpu)[0], True
    if outcome.kind != "works":
        raise ModelError(_sentence(model, outcome))
    quickest = evenest = _way(roomy or not suspect, outcome) if cpu else Way(roomy or not suspect)
    if mixed:  # who chooses experts is kept as F32, which rounds otherwise for one row than for two
        quickest = evenest = quickest._replace(even=None)
    elif tried and quickest.even:
        other = attempt(model, size=size, repack=False, decode=roomy)
        if other.kind == "works" and other.even > outcome.even:
            evenest = _way(False, other)
    return _Ways(quickest, evenest), False


def _way(repack: bool, outcome: Outcome) -> Way:
    quickly = None if repack else _limit(outcome.even_quickly)  # rearranged ones have no tiles
    return Way(repack, _limit(outcome.even), quickly and quickly + 1)


def _limit(even: int) -> int | None:
    """None where all widths round alike, and where none does: then nothing is to be had."""
    return even if 1 < even < WIDTHS[-1] else None


def _sentence(model: Path, outcome: Outcome) -> str:
    does = "dies on" if outcome.kind == "crashed" else "cannot load"
    return f"llama.cpp {does} {model}: {outcome.reason}; {_ADVICE[outcome.kind]}."


def _build() -> str:
    """Changes with every build of the library, and with the processor."""
    folder = Path(lib._lib._name).parent
    times = sorted(p.stat().st_mtime_ns for p in folder.glob("*ggml*"))
    return hashlib.sha256(f"{_VERSION} {system_info()} {times}".encode()).hexdigest()[:16]


def _read(record: Path) -> dict[str, Any]:
    try:
        known = json.loads(record.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return known if isinstance(known, dict) else {}


def _understood(kept: Any) -> _Ways | None:
    """What was kept of a file, where it is of this version and whole."""
    try:
        quickest, evenest = (Way(bool(repack), even, bulk) for repack, even, bulk in kept)
    except (TypeError, ValueError):
        return None
    return _Ways(quickest, evenest)


def _keep(record: Path, known: dict[str, Any]) -> None:
    try:
        latest = dict(list(known.items())[-_MOST:])
        folders.write_atomically(record, json.dumps(latest))
    except OSError:
        return  # a read-only cache costs a trial each time, nothing else
