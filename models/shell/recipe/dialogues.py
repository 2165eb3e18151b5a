"""Dialogues of recipes, small talk and school sums.

A dialogue is turns of (role, text). Each kind of dialogue is a function that draws one at every
call; kinds share one random generator, so the order of calls and draws decides what is made. Every
answer with a command has the same shape: the task, then the command as a block of code.
"""

import random
import re
from collections.abc import Callable
from typing import NamedTuple

from blocks import blocks
from slots import SLOT, VALUES, filled, value
from wording import capital, question

__all__ = ["Turns", "block", "read_recipes", "recipes", "sums", "talk", "turn"]

Turns = list[tuple[str, str]]


class Recipe(NamedTuple):
    """A task, other ways to ask for it (whole questions begin with a question mark), a command."""

    task: str
    wordings: list[str]
    command: str


def turn(asked: str, answer: str) -> Turns:
    """A question and its answer."""
    return [("user", asked), ("assistant", answer)]


def block(task: str, command: str) -> str:
    """The shape of every answer with a command."""
    return f"{capital(task)}:\n\n```sh\n{command}\n```"


def read_recipes() -> list[Recipe]:
    """All of recipes.txt."""
    found = []
    for head, command in blocks("recipes.txt"):
        first, *others = re.split(r"(?<!\\)\s*\|(?=[ ?])\s*", head)
        found.append(Recipe(first, [first, *others], command))
    return found


def recipes(words: list[str], rng: random.Random) -> Callable[[], Turns]:
    """Makes dialogues of recipes.txt, one or more questions each."""
    known = read_recipes()
    weights = [len(recipe.wordings) ** 0.5 for recipe in known]

    def one() -> Turns:
        recipe = rng.choices(known, weights)[0]
        wording = rng.choice(recipe.wordings)
        values = {slot: value(slot, words, rng) for slot in VALUES}
        example = {slot: choices[0] for slot, choices in VALUES.items()}
        named = set(SLOT.findall(wording))
        values = {slot: values[slot] if slot in named else example[slot] for slot in values}
        asked = question(filled(wording, values), rng)
        return turn(asked, block(filled(recipe.task, values), filled(recipe.command, values)))

    return one


def talk(rng: random.Random) -> Callable[[], Turns]:
    """Makes small talk."""
    known = [(head.split(" | "), body) for head, body in blocks("talk.txt")]

    def one() -> Turns:
        wordings, answer = rng.choice(known)
        return turn(rng.choice(wordings), answer)

    return one


def sums(rng: random.Random) -> Callable[[], Turns]:
    """Makes school sums."""

    def one() -> Turns:
        a, b = rng.randrange(1, 100), rng.randrange(1, 100)
        sign, result = rng.choice((("+", a + b), ("+", a + b), ("-", a - b), ("*", a * b % 10_000)))
        if sign == "*":
            a, b = a % 13, b % 13
            result = a * b
        asked = rng.choice(
            ("What is {}?", "How much is {}?", "{}", "{} = ?", "Calculate {}.", "Compute {}.")
        )
        return turn(asked.format(f"{a} {sign} {b}"), f"{a} {sign} {b} = {result}")

    return one
