"""How llama-server is told what to do: all of its flags that are used here.

Names of flags change from version to version, so those that do are looked up in what `--help` says.
"""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from localspec.errors import UsageError

__all__ = ["PROGRAM", "Setting", "Site", "command", "help_of", "settings"]

PROGRAM = "llama-server"
_ALL_LAYERS = "999"
_HELP_SECONDS = 60
_LENGTHS = (1, 3, 5, 7, 15)
_CONFIDENCES = (0.0, 0.6, 0.8)
_FROM_TEXT = ("ngram-simple", "ngram-map-k")
"""Not ngram-mod: it remembers the answers of earlier rounds, and would recite them."""


class Site(NamedTuple):
    """What localspec uses itself, for the server at `binary` to use as well."""

    binary: Path
    help_text: str
    target: Path
    draft: Path | None
    context: int
    threads: int
    repacking: bool = True
    parallel: int = 1
    """Answers at a time, each of which may be as long as `context`."""


class Setting(NamedTuple):
    """A way to run the server: the flags that make it, and how a table calls it."""

    name: str
    flags: tuple[str, ...]


def help_of(binary: Path) -> str:
    """What `--help` says. Raises UsageError where the file is no llama-server."""
    try:
        told = subprocess.run(
            [binary, "--help"], capture_output=True, timeout=_HELP_SECONDS, check=False
        )
    except OSError as error:
        raise UsageError(f"{binary} cannot be run: {error.strerror}.") from None
    except subprocess.TimeoutExpired:
        raise UsageError(f"{binary} --help does not come to an end.") from None
    text = told.stdout.decode("utf-8", "replace")
    if "--model" not in text or "--port" not in text:
        raise UsageError(f"{binary} is no llama-server: its --help knows no --model and --port.")
    return text


def command(site: Site, setting: Setting, port: int) -> list[str]:
    """What starts a server on a port of the loopback interface."""
    found = [str(site.binary), "--model", str(site.target), "--host", "127.0.0.1"]
    for flag, value in (
        ("--port", port),
        ("--ctx-size", site.context * site.parallel),
        ("--parallel", site.parallel),
        ("--threads", site.threads),
        ("--threads-batch", site.threads),
        ("--gpu-layers", _ALL_LAYERS),
    ):
        found += [flag, str(value)]
    if not site.repacking:
        found.append(_needed(site.help_text, "--no-repack"))
    return [*found, *setting.flags]


def settings(help_text: str, draft: Path | None, *, every: bool) -> list[Setting]:
    """Without guessing, with the draft as llama-server uses it by default, and with `every` a
    grid of lengths and least confidences, and its guessing from text."""
    found = [Setting("plain", ())]
    kinds = _flag(help_text, "--spec-type")
    if draft:
        drafting = _drafting(help_text, draft)
        found.append(Setting("default", drafting))
        if every:
            found += _grid(help_text, drafting)
    if every and kinds:
        found += [Setting(name, (kinds, name)) for name in _FROM_TEXT if name in help_text]
    return found


def _drafting(help_text: str, draft: Path) -> tuple[str, ...]:
    flags = [_needed(help_text, "--spec-draft-model", "--model-draft"), str(draft)]
    layers = _flag(help_text, "--spec-draft-ngl", "--gpu-layers-draft")
    if layers:
        flags += [layers, _ALL_LAYERS]
    if "draft-simple" in help_text:  # a draft alone is not used by newer versions
        flags += [_needed(help_text, "--spec-type"), "draft-simple"]
    return tuple(flags)


def _grid(help_text: str, base: tuple[str, ...]) -> Iterator[Setting]:
    length = _needed(help_text, "--spec-draft-n-max", "--draft-max")
    confidence = _needed(help_text, "--spec-draft-p-min", "--draft-p-min")
    for n in _LENGTHS:
        for p in _CONFIDENCES:
            yield Setting(f"n_max {n}, p_min {p:g}", (*base, length, str(n), confidence, str(p)))


def _flag(help_text: str, *names: str) -> str | None:
    """The first of the names that the help lists."""
    known = set(re.findall(r"(?<!\S)--[a-z0-9-]+", help_text))
    return next((name for name in names if name in known), None)


def _needed(help_text: str, *names: str) -> str:
    """The first of the names that the help lists; UsageError where it lists none."""
    flag = _flag(help_text, *names)
    if flag is None:
        raise UsageError(f"This llama-server knows no {names[0]}; use one of another version.")
    return flag
