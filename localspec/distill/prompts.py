"""What the target is asked when it writes for its draft: a person's prompts, or these."""

import json
from importlib.resources import files
from pathlib import Path

from localspec.errors import UsageError

__all__ = ["own", "seeds"]

_LONGEST = 8000  # characters


def seeds() -> list[str]:
    """Prompts of many kinds that come with localspec."""
    text = files("localspec.distill").joinpath("seeds.txt").read_text(encoding="utf-8")
    return [line for line in text.splitlines() if line and not line.startswith("#")]


def own(path: Path) -> tuple[list[str], int]:
    """Prompts of a file, and how many bad lines are left out.

    A line is plain text, or an object with "prompt". Raises UsageError where nothing is
    left, or the file cannot be read.
    """
    try:
        text = path.read_text(encoding="utf-8-sig", errors="replace")
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}.") from error
    lines = [line.strip() for line in text.split("\n") if line.strip()]
    found = [prompt for line in lines if (prompt := _prompt(line))]
    if not found:
        raise UsageError(f'{path} holds no prompts; write one a line, or {{"prompt": "…"}} a line.')
    return found, len(lines) - len(found)


def _prompt(line: str) -> str | None:
    """The prompt of a line; None for a line of broken JSON, without a prompt, or far too long."""
    if not line.startswith("{"):
        return line if len(line) <= _LONGEST and "\ufffd" not in line else None
    try:
        prompt = json.loads(line).get("prompt")
    except (ValueError, RecursionError):
        return None
    return prompt if isinstance(prompt, str) and 0 < len(prompt) <= _LONGEST else None
