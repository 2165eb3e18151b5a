"""Questions about a text that is given, made of the plain text of the corpus: to sum up, to edit,
to write as JSON, to complete, to go on with.

The pair is not made for these, but it is asked them, and its draft should guess then, too. The
answers are what the source has; the draft learns from what the target answers.
"""

import random
import re
from collections.abc import Callable

Turns = list[tuple[str, str]]
Page = dict[str, str]
"""Its `src` and its `text`."""

PROSE, CODE = ("books", "peps", "rustbook"), ("python", "algorithms")
IDENTIFIER = re.compile(r"\b[a-z_]{3,12}\b")


def tasks(pages: list[Page], words: list[str], rng: random.Random) -> Callable[[], Turns]:
    """Makes such questions of the pages of a corpus."""
    prose = [page["text"] for page in pages if page["src"] in PROSE]
    code = [page["text"] for page in pages if page["src"] in CODE]
    makers = (summary, correction, rename, extraction, completion, story, explanation)

    def one() -> Turns:
        maker = rng.choice(makers)
        text = rng.choice(code if maker in (rename, completion) else prose)
        asked, answer = maker(passage(text, rng), words, rng)
        return [("user", asked), ("assistant", answer)]

    return one


def passage(text: str, rng: random.Random) -> str:
    """Whole lines of a text, of 200 to 1,000 letters."""
    start = text.find("\n", rng.randrange(max(1, len(text) - 1_000)))
    end = start + rng.randrange(200, 1_000)
    return text[start : max(text.rfind("\n", start, end), start + 200)].strip("\n")


def summary(text: str, words: list[str], rng: random.Random) -> tuple[str, str]:
    """Its answer is the first sentence."""
    how = rng.choice(
        ("in one sentence", "in two sentences", "in three sentences", "in a few words", "as a list of points", "briefly")
    )  # fmt: skip
    ask = rng.choice(("Summarise this text {}.", "Sum this up {}.", "What does this say? Answer {}.", "Give the main points of this text {}.", "tl;dr, {}"))  # fmt: skip
    return f"{ask.format(how)}\n\n{text}", text.split(". ")[0].strip() + "."


def correction(text: str, words: list[str], rng: random.Random) -> tuple[str, str]:
    """A text with letters exchanged, or none, and an order to give it back."""
    ask = rng.choice(
        (
            "Correct the spelling mistakes in this text and answer with the whole text.",
            "Turn this paragraph into the past tense. Change nothing else.",
            "Fix the typos below, leave everything else as it is.",
            "Make this text a little more formal and answer with all of it.",
            "Repeat this text word for word.",
        )
    )
    letters = list(text)
    for _ in range(rng.randrange(6) if len(letters) > 1 else 0):
        at = rng.randrange(len(letters) - 1)
        letters[at : at + 2] = letters[at + 1], letters[at]
    return f"{ask}\n\n{''.join(letters)}", text


def rename(text: str, words: list[str], rng: random.Random) -> tuple[str, str]:
    """Code with one name for another."""
    old, new = rng.choice(IDENTIFIER.findall(text) or ["x"]), rng.choice(words)
    ask = rng.choice(
        (
            "Rename `{}` to `{}` in this code and leave everything else as it is.",
            "Replace every `{}` by `{}`. Answer with the whole code.",
            "In this Python code, change {} to {}.",
        )
    ).format(old, new)
    return f"{ask}\n\n{text}", re.sub(rf"\b{re.escape(old)}\b", new, text)


def extraction(text: str, words: list[str], rng: random.Random) -> tuple[str, str]:
    """JSON with keys that are words."""
    keys = rng.sample(words, rng.randrange(2, 5))
    ask = rng.choice(
        ("Write this as JSON with the keys {}.", "Extract {} from this text as JSON.", "Answer only with a JSON object that has the fields {}.")
    ).format(", ".join(keys))  # fmt: skip
    fields = ", ".join(f'"{key}": "{rng.choice(words)}"' for key in keys)
    return f"{ask}\n\n{text[:400]}", "{" + fields + "}"


def completion(text: str, words: list[str], rng: random.Random) -> tuple[str, str]:
    """The first half of some code."""
    cut = text.find("\n", len(text) // 2) + 1 or len(text) // 2
    ask = rng.choice(("Complete this function:", "Go on with this code:", "Finish this Python:", "What does this code do?", "Find the mistake in this function:"))  # fmt: skip
    return f"{ask}\n\n{text[:cut]}", text[cut:]


def story(text: str, words: list[str], rng: random.Random) -> tuple[str, str]:
    """About things that are drawn."""
    things = " and ".join(f"a {word}" for word in rng.sample(words, 2))
    ask = rng.choice(
        (
            "Write a short story about {}.", "Write a letter about {}.", "Write a poem about {}.", "Describe {}.",
            "Tell me about {}.", "Write the beginning of a novel with {}.", "Help me with a speech about {}.",
            "Write an article about {} for a newspaper.", "Invent a dialogue between {}.",
        )
    )  # fmt: skip
    return ask.format(things), text


def explanation(text: str, words: list[str], rng: random.Random) -> tuple[str, str]:
    """What people ask an assistant on any day."""
    one, two = rng.sample(words, 2)
    ask = rng.choice(
        (
            "What is the difference between {a} and {b}?", "Explain {a} to a child.", "Why is {a} important for {b}?",
            "Give me five ideas for {a} with {b}.", "I have a problem with my {a}: the {b} does not work. What should I try first?",
            "What would you plan for three days of {a} and {b}?", "How does {a} work, and when would I use {b}?",
            "Which {a} should I buy, and why? I also need {b}.", "List the advantages of {a} and of {b}.",
            "Is {a} better than {b}? Explain step by step.",
        )
    )  # fmt: skip
    return ask.format(a=one, b=two), text
