"""What is asked in a benchmark: prompts by task, our own or from files of known benchmarks.

Our own stand in prompts.toml. Files are read in the formats of Spec-Bench and MT-bench (a JSON
object a line, with `category` and `turns`; the first turn is taken) and of HumanEval (with
`task_id` and `prompt`), gzipped or not.
"""

import difflib
import gzip
import json
import tomllib
import zlib
from collections.abc import Iterable, Sequence
from itertools import zip_longest
from pathlib import Path
from typing import Any, NamedTuple

from localspec.errors import UsageError

__all__ = ["Prompt", "choose", "own", "read"]

_OWN = Path(__file__).with_name("prompts.toml")
_GZIP = b"\x1f\x8b"
_HUMANEVAL = "humaneval"
_COMPLETE = "Complete this Python function:\n\n"


class Prompt(NamedTuple):
    """What a user might type, and the kind of task it is."""

    task: str
    text: str


def own() -> list[Prompt]:
    """The prompts that come with localspec, task by task."""
    with _OWN.open("rb") as file:
        tasks = tomllib.load(file)
    return [Prompt(task, text) for task, texts in tasks.items() for text in texts]


def read(path: Path) -> list[Prompt]:
    """The prompts of a file. Raises UsageError where it cannot be read or has another format."""
    try:
        data = path.read_bytes()
        if data.startswith(_GZIP):
            data = gzip.decompress(data)
        lines = data.decode("utf-8-sig").split("\n")  # texts may hold what else ends lines
    except (gzip.BadGzipFile, EOFError, zlib.error):
        raise UsageError(f"{path} is a damaged gzip file; fetch it again.") from None
    except OSError as error:
        raise UsageError(f"The prompts {path} cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise UsageError(f"The prompts {path} are not UTF-8 text.") from None
    prompts = [
        _prompt(line, f"{path}, line {n}") for n, line in enumerate(lines, 1) if line.strip()
    ]
    if not prompts:
        raise UsageError(f"There are no prompts in {path}.")
    return prompts


def _prompt(line: str, where: str) -> Prompt:
    try:
        record: Any = json.loads(line)
    except ValueError as error:
        raise UsageError(f"{where} is not JSON: {error}.") from None
    match record:
        case {"turns": [str(text), *_], "category": str(task)} if text.strip():
            return Prompt(task, text)
        case {"task_id": str(), "prompt": str(text)} if text.strip():
            return Prompt(_HUMANEVAL, _COMPLETE + text)
    raise UsageError(
        f"{where} is no prompt: it needs category and turns (Spec-Bench, MT-bench) or task_id and "
        "prompt (HumanEval)."
    )


def choose(prompts: Iterable[Prompt], tasks: Sequence[str], limit: int | None) -> list[Prompt]:
    """The first `limit` prompts of each of `tasks` (all, if none is named), tasks taking turns.

    They take turns so that a benchmark that is stopped early has seen something of every task.
    """
    by_task: dict[str, list[Prompt]] = {}
    for prompt in prompts:
        by_task.setdefault(prompt.task, []).append(prompt)
    for task in tasks:
        if task not in by_task:
            near = difflib.get_close_matches(task, by_task, n=1, cutoff=0)[0]
            names = ", ".join(by_task)
            raise UsageError(
                f"There is no task {task!r}; did you mean {near!r}? There are {names}."
            )
    if limit is not None and limit < 1:
        raise UsageError(f"limit is {limit}; it must be at least 1.", "limit")
    columns = [by_task[task][:limit] for task in dict.fromkeys(tasks or by_task)]
    return [prompt for row in zip_longest(*columns) for prompt in row if prompt is not None]
