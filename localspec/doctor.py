"""What works on this computer: a list of findings, each with what to do where it does not."""

import importlib.metadata
import platform
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import localspec
from localspec import cgroups, folders, models, spoken
from localspec.arguments import settings
from localspec.console import State
from localspec.errors import UsageError
from localspec.llama import kernels
from localspec.llama.library import devices, gpus, lib, system_info, threads
from localspec.tui.keys import NAMED_KEYS

__all__ = ["Finding", "examine"]

_LITTLE_DISK = 5 * 2**30
_QUESTION = "How do I list files by size?"


class Finding(NamedTuple):
    """One thing looked at. `advice` is empty where all is well."""

    subject: str
    state: State
    detail: str
    advice: str = ""


def examine() -> Iterator[Finding]:
    """Look at one thing after another, from Python to a real answer; nothing is changed."""
    for check in (_python, _library, _processor, _repacking, _gpu, _memory, _folders, _disk):
        yield check()
    yield from _settings()
    yield from _answers()


def _python() -> Finding:
    return Finding("Python", "ok", f"{platform.python_version()} on {platform.platform()}")


def _library() -> Finding:
    try:
        version = importlib.metadata.version("llama-cpp-python")
    except importlib.metadata.PackageNotFoundError:
        version = "of a build of your own"
    return Finding("llama.cpp", "ok", f"llama-cpp-python {version}")


def _processor() -> Finding:
    name = next((d.description for d in devices() if d.kind == "CPU"), platform.machine())
    sets = [part.split("=")[0].strip() for part in system_info().split("|") if "= 1" in part]
    wide = [s.split(":")[-1].strip() for s in sets if any(k in s for k in ("AVX", "NEON", "AMX"))]
    detail = f"{name}, {threads()} threads"
    if wide:
        return Finding("processor", "ok", f"{detail} ({', '.join(wide)})")
    return Finding(
        "processor",
        "warning",
        f"{detail}, no vector instructions",
        "Rebuild for this processor: pip install --force-reinstall --no-binary :all: "
        "--no-cache-dir llama-cpp-python",
    )


def _repacking() -> Finding:
    draft = models.embedded("shell").draft  # has weights of a kind that AMX takes: Q4_0
    if not kernels.amx_crashes(draft):
        return Finding("fast kernels", "ok", "weights are repacked for this processor")
    return Finding(
        "fast kernels",
        "warning",
        "weights are repacked, but not for AMX: this build's kernels crash, as gcc 12 makes them",
        'One in which they do not is about twice as fast: CMAKE_ARGS="-DCMAKE_CXX_FLAGS='
        "'-fno-dse -fno-tree-dse'\" pip install --force-reinstall --no-cache-dir llama-cpp-python",
    )


def _gpu() -> Finding:
    found = [f"{d.name} {d.description} ({spoken.size(d.memory_free)} free)" for d in gpus()]
    if found:
        return Finding("GPU", "ok", "; ".join(found))
    if lib.llama_supports_gpu_offload():
        return Finding("GPU", "warning", "the build can use one, none was found", "Check drivers.")
    present = [tool for tool in ("nvidia-smi", "rocm-smi") if shutil.which(tool)]
    if not present:
        return Finding("GPU", "ok", "none; the processor does the work")
    return Finding(
        "GPU",
        "warning",
        f"there seems to be one ({present[0]}), but this build of llama.cpp cannot use it",
        "Rebuild with it: CMAKE_ARGS='-DGGML_CUDA=on' pip install --force-reinstall "
        "--no-cache-dir llama-cpp-python",
    )


def _memory() -> Finding:
    free, total = cgroups.memory_free(), cgroups.memory_total()
    detail = f"{spoken.size(free)} of {spoken.size(total)} free"
    if free > 2**30:
        return Finding("memory", "ok", detail)
    return Finding("memory", "warning", detail, "Close something before loading a large model.")


def _folders() -> Finding:
    kinds: tuple[Callable[[], Path], ...] = (
        folders.config,
        folders.data,
        folders.state,
        folders.cache,
    )
    for folder in (kind() for kind in kinds):
        probe = folder / ".doctor"
        try:
            folders.write_atomically(probe, "")
            probe.unlink()
        except OSError as error:
            return Finding(
                "folders",
                "failed",
                f"{folder} cannot be written: {error.strerror}",
                "Make it writable, or set LOCALSPEC_HOME to a folder that is.",
            )
    return Finding("folders", "ok", f"{folders.data()}, {folders.cache()}")


def _disk() -> Finding:
    places = (folders.data(), *folders.data().parents)
    folder = next((place for place in places if place.exists()), None)
    if folder is None:  # on Windows
        return Finding("disk", "failed", f"there is no drive {places[-1]}", "Set LOCALSPEC_HOME.")
    free = shutil.disk_usage(folder).free
    detail = f"{spoken.size(free)} free"
    if free > _LITTLE_DISK:
        return Finding("disk", "ok", detail)
    return Finding("disk", "warning", detail, "Models take 1 to 40 GB each; make room first.")


def _settings() -> Iterator[Finding]:
    """Those in force, and who says so."""
    try:
        found = [*settings.in_force(), *settings.keys(NAMED_KEYS)]
    except UsageError as error:
        yield Finding("settings", "failed", str(error), "Correct it or take it out.")
        return
    for setting in found:
        yield Finding("setting", "ok", str(setting))
    if not found:
        path = folders.config() / "config.toml"
        yield Finding("settings", "ok", f"none; {path} would hold them")


def _answers() -> Iterator[Finding]:
    """The embedded pair, for real: does it answer, and does guessing leave its words alone?"""
    try:
        with localspec.load("shell") as llm:
            plain = llm.generate(_QUESTION, seed=7, max_tokens=48, speculation=0)
            guessed = llm.generate(_QUESTION, seed=7, max_tokens=48, speculation=3)
    except localspec.LocalspecError as error:
        yield Finding("shell pair", "failed", str(error), "Reinstall localspec.")
        return
    speed = f"{plain.statistics.tokens_per_second:.0f} tokens/s"
    yield Finding("shell pair", "ok", f"answers at {speed} without guessing")
    rate = guessed.statistics.acceptance_rate
    if plain.tokens == guessed.tokens:
        yield Finding("exactness", "ok", f"same words with guessing ({rate:.0%} of guesses held)")
    else:
        yield Finding(
            "exactness",
            "warning",
            "guessing changed the words: this backend's sums depend on how many tokens they hold",
            "Answers stay as good: localspec audit says more; replays need --speculation off.",
        )
