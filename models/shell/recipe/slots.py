"""What {slots} of a template hold: common values from slots.txt, or made-up ones.

A template is filled with a value for each name of a slot; a slot that has no value stays as it is.
Most values are made up, so that copying is learnt and not a list. Every draw is from the given
generator, in an order that the rows depend on.
"""

import random
import re

from blocks import blocks

__all__ = ["SLOT", "VALUES", "filled", "value"]

VALUES = {
    slot: re.split(r"\s*\|\s*", held) if "|" in held else held.split()
    for slot, held in blocks("slots.txt")
}

INVENTED = {
    "file": "txt md py js html json yml log csv ods jpg mp3 pdf sql iso ini css conf doc docx xml sh c h rs go java cpp "
    "png xlsx bin dat env toml bak tex".split(),
    "txt": ["txt", "md", "csv", "log"], "log": ["log", "log", "txt", "out"], "csv": ["csv", "csv", "tsv"],
    "script": ["sh", "sh", "py"], "json": ["json"], "db": ["db", "sqlite"],
}  # fmt: skip
INVENTED["file2"] = INVENTED["file"]
"""Endings of made-up file names. What stands in no list must be copied from the question."""
NAMES = frozenset("dir dir2 archive word word2 user group branch container image link session video picture prog pkg "
                  "proc alias service".split())  # fmt: skip
"""Slots that are also filled with made-up names."""

SLOT = re.compile(r"\{([a-z]+2?)\}")


def filled(text: str, values: dict[str, str]) -> str:
    """`text` with its slots filled."""
    return SLOT.sub(lambda m: values.get(m[1], m[0]), text)


def name(words: list[str], rng: random.Random) -> str:
    """A made-up name: a word, two, or one with a number."""
    first, second, dice = rng.choice(words), rng.choice(words), rng.random()
    if dice < 0.55:
        return first
    if dice < 0.75:
        return f"{first}{rng.choice('_-')}{second}"
    if dice < 0.88:
        return f"{first}{rng.choice(('', '-', '_'))}{rng.randrange(1, 100)}"
    return first.capitalize() if dice < 0.95 else first[: rng.randrange(1, 4)]


def value(slot: str, words: list[str], rng: random.Random) -> str:
    """What to put in a slot: often made up, so that copying is learnt and not a list."""
    if rng.random() < 0.3:
        return rng.choice(VALUES[slot])
    if slot in INVENTED:
        return f"{name(words, rng)}.{rng.choice(INVENTED[slot])}"
    if slot in NAMES:
        return name(words, rng)
    numbers = {"n": 100, "size": 2000, "pid": 40_000, "port": 10_000}
    if slot in numbers:
        return str(rng.randrange(2, numbers[slot]))
    if slot == "host" and rng.random() < 0.6:
        return f"{name(words, rng)}.{rng.choice(('com', 'org', 'net', 'local', 'io', 'de'))}"
    if slot == "url":
        end = rng.choice(("", "", f".{rng.choice(INVENTED['file'])}", ".zip", ".tar.gz"))
        return f"https://{name(words, rng)}.{rng.choice(('com', 'org', 'net'))}/{name(words, rng)}{end}"
    if slot == "repo":
        return f"https://{rng.choice(('github.com', 'gitlab.com', 'example.com'))}/{name(words, rng)}/{name(words, rng)}.git"
    if slot == "msg":
        return f"{rng.choice(('fix', 'add', 'update', 'remove', 'improve'))} {rng.choice(words)} {rng.choice(words)}"
    if slot == "commit":
        return "".join(rng.choice("0123456789abcdef") for _ in range(rng.choice((6, 7, 8))))
    return rng.choice(VALUES[slot])
