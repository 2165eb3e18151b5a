"""The text files in this folder: a head line, and indented lines that belong to it."""

import re
from collections.abc import Iterator
from pathlib import Path

HERE = Path(__file__).parent


def blocks(name: str) -> Iterator[tuple[str, str]]:
    """A head line and the indented lines below it, of a text file in this folder."""
    text = re.sub(r"^#.*\n", "", (HERE / name).read_text(encoding="utf-8"), flags=re.M)
    for block in re.split(r"\n(?=\S)", text.strip()):
        head, _, body = block.partition("\n")
        yield head.strip(), "\n".join(line[4:] for line in body.rstrip().splitlines())
