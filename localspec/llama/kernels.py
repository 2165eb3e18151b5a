"""Can a model be loaded here, and may its weights be repacked? Tried once for each file.

A file that was never loaded is tried in a process of its own (`trial`). So are llama.cpp's
repacked weights: it rearranges quantized weights for kernels made for one instruction set, and a
build by gcc 12 on a processor with AMX dies in them (`ldtilecfg` reads a table the compiler
removed as dead). What worked is kept in the cache folder for this build, processor and file.
"""

import hashlib
import json
from pathlib import Path

import psutil

from localspec import folders
from localspec.errors import ModelError
from localspec.llama.library import devices, lib, system_info
from localspec.llama.trial import Outcome, attempt
from localspec.models.fingerprint import fingerprint

__all__ = ["repacking_works"]

_SUSPECT = "AMX_INT8 = 1"
_ROOMY = 0.8  # of free memory: a larger file is looked at without touching its weights
_ADVICE = {
    "refused": "the file may be damaged or too new",
    "crashed": "it is damaged, or made to do harm; do not use it",
    "unbounded": "it is damaged, or made to do harm; do not use it",
    "killed": "there may be too little memory; localspec models fit says what it takes",
}


def repacking_works(model: Path) -> bool:
    """Whether the weights of `model` may be repacked.

    Raises ModelError for a file that is not whole, or that llama.cpp cannot load.
    """
    record = folders.cache() / "kernels.json"
    known = _read(record)
    build = hashlib.sha256(f"{system_info()} {_build()}".encode()).hexdigest()[:16]
    repack = known.get(build, True)  # a build that died once is not asked again
    # One model that survives proves nothing for another: kernels differ with its quantization.
    key = f"{build} {fingerprint(model)}"
    if key in known:
        return repack and known[key]
    known[key], crashed = _try(model, repack)
    if crashed:
        known[build] = False
    _keep(record, known)
    return known[key]


def _try(model: Path, repack: bool) -> tuple[bool, bool]:
    """Whether its weights may be repacked, and whether the build died of doing so."""
    from localspec.models.description import headers_of  # most files were loaded before

    size = sum(header.size for header in headers_of(model))
    roomy = size < psutil.virtual_memory().available * _ROOMY
    suspect = _SUSPECT in system_info()
    repack = repack and (roomy or not suspect)
    on_cpu = all(device.kind == "CPU" for device in devices())
    tried = repack and roomy and (suspect or on_cpu)
    outcome = attempt(model, size=size, repack=tried, decode=roomy)
    if outcome.kind == "crashed" and tried and suspect:
        outcome = attempt(model, size=size, repack=False, decode=roomy)
        if outcome.kind == "works":
            return False, True
    if outcome.kind != "works":
        raise ModelError(_sentence(model, outcome))
    return repack, False


def _sentence(model: Path, outcome: Outcome) -> str:
    does = "dies on" if outcome.kind == "crashed" else "cannot load"
    return f"llama.cpp {does} {model}: {outcome.reason}; {_ADVICE[outcome.kind]}."


def _build() -> str:
    """Changes with every build of the library."""
    folder = Path(lib._lib._name).parent
    return str(sorted(p.stat().st_mtime_ns for p in folder.glob("*ggml*")))


def _read(record: Path) -> dict[str, bool]:
    try:
        known = json.loads(record.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return known if isinstance(known, dict) else {}


def _keep(record: Path, known: dict[str, bool]) -> None:
    try:
        folders.write_atomically(record, json.dumps(known))
    except OSError:
        return  # a read-only cache costs a trial each time, nothing else
