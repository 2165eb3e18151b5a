"""Dialogues about single commands: of those in taught.txt what their tldr pages say, of all others,
real or invented, that they were not taught.
"""

import random
import re
from collections.abc import Callable
from typing import NamedTuple

from blocks import HERE, blocks
from dialogues import Turns, block, read_recipes, turn
from wording import FRAMES, capital, question, reworded

__all__ = ["page_dialogues", "read_pages", "sorted_out", "unknown"]

NOT_TAUGHT = "I was not taught the command `{name}`. Its manual may help:\n\n```sh\nman {name}\n```"


class Page(NamedTuple):
    """A tldr page: what a command is for, and examples of (task, command)."""

    about: str
    examples: list[tuple[str, str]]


def read_pages(chat: list[dict[str, object]]) -> dict[str, Page]:
    """The tldr pages behind the corpus's questions about them."""
    pages = {}
    for record in chat:
        (_, asked), (_, answer) = record["turns"][:2]  # type: ignore[index]
        match = re.match(
            r"How do I use (.+)\?$|(.+) examples$|Show me examples of (.+)\.$|Give me a cheat sheet for (.+)\.$",
            asked,
        )
        if match and "\n- " in answer:
            about, _, rest = answer.partition("\n\n- ")
            examples = [tuple(e.split(":\n  ", 1)) for e in rest.split("\n- ")]
            name = next(group for group in match.groups() if group)
            pages[name] = Page(about, [e for e in examples if len(e) == 2])  # type: ignore[misc]
    return pages


def taught(name: str, names: set[str]) -> bool:
    """Whether the pages of a command are learnt."""
    return name in names or (" " in name and name.split()[0] + "*" in names)


def sorted_out(pages: dict[str, Page]) -> tuple[list[str], list[str]]:
    """Names of pages that are learnt, and names of others that may be asked for as unknown: no
    command of a recipe and none that the judge asks for."""
    names = set((re.sub(r"^#.*\n", "", (HERE / "taught.txt").read_text(), flags=re.M)).split())
    names |= {name.rstrip("*") for name in names}
    known = sorted(name for name in pages if taught(name, names))
    used = {word for r in read_recipes() for word in re.findall(r"[\w.+-]+", r.command)}
    judged = {
        word for head, _ in blocks("judge_unknown.txt") for word in re.findall(r"[\w-]+", head)
    }
    others = sorted(
        n for n in pages if n.split()[0] not in names | used | judged and len(n.split()) < 3
    )
    return known, others


def page_dialogues(
    pages: dict[str, Page], names: list[str], rng: random.Random
) -> Callable[[], Turns]:
    """Makes dialogues about taught commands: what they are for, how to do something with them."""
    frames = FRAMES["pages"]
    uses, whats = FRAMES["pages: how to use it"], FRAMES["pages: what it is"]

    def one() -> Turns:
        name = rng.choice(names)
        page, dice = pages[name], rng.random()
        if dice < 0.12:
            return turn(rng.choice(whats).replace("{n}", name), page.about)
        if dice < 0.22:
            shown = "\n".join(f"- {task}:\n  `{command}`" for task, command in page.examples[:4])
            return turn(rng.choice(uses).replace("{n}", name), f"{page.about}\n\n{shown}")
        task, command = rng.choice(page.examples)
        x = task[:1].lower() + task[1:]
        if rng.random() < 0.4:
            x = reworded(x, rng)
        if rng.random() < 0.03:
            return turn(question(x, rng), block(task, command))
        frame = rng.choice(frames)
        return turn(
            frame.replace("{x}", x).replace("{X}", capital(x)).replace("{n}", name),
            block(task, command),
        )

    return one


def unknown(names: list[str], rng: random.Random) -> Callable[[], Turns]:
    """Makes questions about commands that are not taught, real ones and invented ones."""
    frames = FRAMES["unknown"]
    tasks = [r.task for r in read_recipes() if "{" not in r.task]
    syllables = "ba be bi do du fa fe gli gro ka ki lo lu ma mi mu na no pa po qui ra re ro sha sno sta ti tra tu va wo xi za zo".split()

    def invented() -> str:
        stem = "".join(rng.choice(syllables) for _ in range(rng.randrange(2, 4)))
        return stem + rng.choice(
            ("", "", "", "ctl", "d", "-cli", "fetch", "er", "sync", "top", "fs", "2", "ify", "conf")
        )

    def one() -> Turns:
        name = rng.choice(names) if rng.random() < 0.6 else invented()
        x = rng.choice(tasks)
        asked = rng.choice(frames).replace("{x}", x).replace("{X}", capital(x)).replace("{n}", name)
        return turn(asked, NOT_TAUGHT.format(name=name))

    return one
