"""How a task becomes a question: put into a frame of frames.txt, with words exchanged (synonyms.txt),
left out and misspelt, as people type. A wording that begins with a question mark is a whole
question and gets no frame.
"""

import random
import re

from blocks import blocks

__all__ = ["FRAMES", "capital", "gerund", "question", "reworded"]

FRAMES = {kind: frames.splitlines() for kind, frames in blocks("frames.txt")}
SYNONYMS = {
    word: others.split(" | ")
    for word, _, others in (line.partition(": ") for line, _ in blocks("synonyms.txt"))
}
SMALL = frozenset(
    "a an the of in to with and for is are it i me my do does how can what which that this".split()
)


def capital(text: str) -> str:
    """With a capital first letter."""
    return text[:1].upper() + text[1:]


def gerund(task: str) -> str:
    """ "listing files" for "list files"."""
    verb, _, rest = task.partition(" ")
    if verb.endswith("e") and not verb.endswith(("ee", "ye")):
        verb = verb[:-1]
    elif re.fullmatch(
        r"(get|put|set|run|stop|cut|zip|unzip|tar|grep|log|quit|scan|split|let|plug|tag|trim|stop)",
        verb,
    ):
        verb += verb[-1]
    return f"{verb}ing {rest}".strip()


def reworded(task: str, rng: random.Random) -> str:
    """Some words exchanged for others of like meaning; names and numbers stay."""

    def other(match: re.Match[str]) -> str:
        choices = SYNONYMS.get(match[0])
        if not choices or rng.random() > 0.3:
            return match[0]
        return rng.choice(choices)

    return re.sub(r"(?<![\w/.\"'-])[a-z]+(?![\w/.\"'-])", other, task)


def question(wording: str, rng: random.Random) -> str:
    """A whole question of one way to say a task."""
    if wording.startswith("?"):
        asked = wording[1:].strip()
    else:
        x = reworded(wording, rng) if rng.random() < 0.6 else wording
        frame = rng.choice(FRAMES["recipes"])
        doing = gerund(x)
        asked = frame.replace("{xing}", doing).replace("{Xing}", capital(doing))
        asked = asked.replace("{x}", x).replace("{X}", capital(x))
    if rng.random() < 0.12:
        asked = keywords(asked, rng)
    if rng.random() < 0.08:
        asked = asked.rstrip(".?")
    if rng.random() < 0.06:
        asked = asked[0].lower() + asked[1:]
    if rng.random() < 0.04:
        asked = (
            rng.choice(("Hi, ", "Hello! ", "Quick question: ", "Hey, ", "On Debian: ", "In bash: "))
            + asked
        )
    return misspelt(asked, rng) if rng.random() < 0.04 else asked


def keywords(asked: str, rng: random.Random) -> str:
    """Without small words, as people type into a search field; sometimes without some others."""
    words = [
        w for w in asked.split() if w.lower().strip(".,?") not in SMALL and rng.random() > 0.06
    ]
    return " ".join(words).rstrip("?.") or asked


def misspelt(text: str, rng: random.Random) -> str:
    """Two neighbouring letters of a longer word exchanged."""
    words = [m for m in re.finditer(r"\b[a-z]{5,}\b", text)]
    if not words:
        return text
    at = rng.choice(words).start() + rng.randrange(1, 4)
    return text[:at] + text[at + 1] + text[at] + text[at + 2 :]
