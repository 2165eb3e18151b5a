"""Can llama.cpp's repacked weights be used on this computer? Tried once, in a process of its own.

llama.cpp rearranges quantized weights for kernels made for one instruction set. A build by gcc 12
on a processor with AMX dies in them (`ldtilecfg` reads a table the compiler removed as dead), and
a signal cannot be caught in Python. Where the build has such kernels they are tried in a child
process; the answers are kept in the cache folder for this build and processor.
"""

import hashlib
import json
import subprocess
import sys
from pathlib import Path

from localspec import folders
from localspec.llama.library import lib, start, system_info

__all__ = ["repacking_works"]

_SUSPECT = "AMX_INT8 = 1"
_TRIAL_SECONDS = 120


def repacking_works(model: Path) -> bool:
    """Whether weights may be repacked; `model` is what the trial decodes a few tokens with."""
    if _SUSPECT not in system_info():
        return True
    record = folders.cache() / "kernels.json"
    known = _read(record)
    build = hashlib.sha256(f"{system_info()} {_build()}".encode()).hexdigest()[:16]
    if known.get(build) is False:
        return False
    # One model that survives proves nothing for another: kernels differ with its quantization.
    key = f"{build} {model.name} {model.stat().st_size}"
    if key not in known:
        code = _trial(model)
        if code > 0:
            return False  # it could not even be tried, which says nothing about the build
        known[key if code == 0 else build] = code == 0
        _keep(record, known)
    return known.get(key, False)


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


def _trial(model: Path) -> int:
    """How the child ended: 0 well, below 0 by a signal (or never), above 0 by an error."""
    command = [sys.executable, "-m", __name__, str(model)]
    try:
        trial = subprocess.run(command, capture_output=True, timeout=_TRIAL_SECONDS, check=False)
    except subprocess.TimeoutExpired:
        return -1
    return trial.returncode


def _decode_once(model: str) -> None:
    """What the child does: plain llama.cpp, a few tokens wide, as that is where the kernels are."""
    start()
    loaded = lib.llama_model_load_from_file(model.encode(), lib.llama_model_default_params())
    context = loaded and lib.llama_init_from_model(loaded, lib.llama_context_default_params())
    if not context:
        sys.exit("the model cannot be loaded at all")
    tokens = (lib.llama_token * 4)(1, 1, 1, 1)
    lib.llama_decode(context, lib.llama_batch_get_one(tokens, len(tokens)))


if __name__ == "__main__":
    _decode_once(sys.argv[1])
