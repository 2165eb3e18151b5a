"""Questions for small Python functions: those in functions/, learnt by heart, and variants.txt, with
a number or a letter in them.

In functions/ each function has a line above it, `# wording | wording`: what it does, in the third
person. The files are read in the order of FILES, which the draws depend on. An answer is the source
of one function, after the imports it needs.
"""

import ast
import random
import re
from collections.abc import Callable

from blocks import HERE, blocks
from dialogues import Turns, turn
from slots import filled
from wording import FRAMES, capital, gerund, reworded

__all__ = ["functions"]

FILES = (
    "classics", "lists_of_numbers", "counting_and_sorting", "integers", "words",
    "lists_and_dictionaries", "formulas", "files_and_chance", "everyday",
)  # fmt: skip
VARIANTS = [(said.split(" | "), source) for said, source in blocks("variants.txt")]


def read_functions() -> list[tuple[list[str], str, str]]:
    """Wordings, signature and source of every function in functions/."""
    texts = [(HERE / "functions" / f"{file}.py").read_text(encoding="utf-8") for file in FILES]
    return [found for text in texts for found in functions_of(text)]


def functions_of(text: str) -> list[tuple[list[str], str, str]]:
    """The same for the functions of one file."""
    lines = text.splitlines()
    found = []
    for node in ast.parse(text).body:
        if isinstance(node, ast.FunctionDef):
            wordings = lines[node.lineno - 2].removeprefix("# ").split(" | ")
            body = "\n".join(lines[node.lineno - 1 : node.end_lineno])
            modules = ("datetime", "json", "math", "os", "random", "re")
            imports = [f"import {m}" for m in modules if re.search(rf"\b{m}\.", body)]
            imports += ["from collections import Counter"] * ("Counter(" in body)
            source = "\n".join([*imports, "", "", body] if imports else [body])
            found.append((wordings, body.splitlines()[0], source))
    return found


def imperative(does: str) -> str:
    """ "list files" for "lists files"."""
    verb, _, rest = does.partition(" ")
    if verb.endswith("ies"):
        return f"{verb[:-3]}y {rest}"
    cut = 2 if verb.endswith(("shes", "ches", "sses")) else 1
    return f"{verb[:-cut]} {rest}"


def variant(rng: random.Random) -> tuple[list[str], str, str]:
    """Wordings, signature and source of a function with a number or a letter that is drawn."""
    said, source = rng.choice(VARIANTS)
    number = rng.choice([k for k in range(4, 60) if k != 7])  # 3 and 7 are the judge's
    chosen = {"k": str(number), "c": rng.choice("abcdefghilmnoprstuvwxz")}
    source = filled(source, chosen)
    return [filled(w, chosen) for w in said], source.splitlines()[0], source


def functions(rng: random.Random) -> Callable[[], Turns]:
    """Makes questions for functions, one in four for a variant."""
    known = read_functions()

    def one() -> Turns:
        wordings, signature, source = variant(rng) if rng.random() < 0.25 else rng.choice(known)
        x = rng.choice(wordings)
        if rng.random() < 0.15:
            asked = f'Complete this function:\n\n{signature}\n    """{capital(x)}."""'
        else:
            y = imperative(x)
            ying = gerund(y)
            name = signature.removeprefix("def ").partition("(")[0]
            asked = rng.choice(FRAMES["functions"]).replace("{x}", x).replace("{name}", name)
            asked = asked.replace("{y}", y).replace("{Y}", capital(y))
            asked = asked.replace("{ying}", ying).replace("{Ying}", capital(ying))
            if rng.random() < 0.3:
                asked = reworded(asked, rng)
        return turn(asked, f"```python\n{source}\n```")

    return one
