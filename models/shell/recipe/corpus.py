"""What the shell pair learns from: questions and answers made of the recipes in this folder, the
tldr pages of common commands, and a share of the first edition's corpus.

    python corpus.py CORPUS OUT.npz [--scale S]

CORPUS is the folder with chat.jsonl.xz, plain.jsonl.xz and tokenizer.json (its README names
sources and licences). OUT.npz holds, for each kind of text, rows of 1,025 tokens as uint16; a
token that is part of an answer, and so of the loss, has bit 15 set. Deterministic.
"""

import argparse
import json
import lzma
import random
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from dialogues import Turns, recipes, sums, talk
from pages import page_dialogues, read_pages, sorted_out, unknown
from rows import SAID, Document, encode, pack, segments
from snippets import functions
from tasks import tasks
from tokenizers import Tokenizer
from unseen import Unseen

__all__ = ["common_words", "kinds"]

DOCUMENTS = {"recipes": 300_000, "pages": 50_000, "functions": 50_000, "unknown": 12_000,
             "talk": 6_000, "sums": 4_000, "tasks": 40_000}  # fmt: skip
"""How many dialogues are made of each kind; the other kinds are taken as they are."""
SYSTEM = ("You are a helpful assistant.", "You are a shell assistant.", "Be brief.")


def dialogues(
    make: Callable[[], Turns], number: int, rng: random.Random, unseen: Unseen
) -> list[Turns]:
    """`number` dialogues, one in six of several questions, some with a system message."""
    made: list[Turns] = []
    while len(made) < number:
        turns = make()
        while rng.random() < 0.15:
            turns += make()
        if all(unseen(text) for role, text in turns if role == "user"):
            if rng.random() < 0.04:
                turns = [("system", rng.choice(SYSTEM)), *turns]
            made.append(turns)
    return made


def common_words(tokenizer: Tokenizer) -> list[str]:
    """Words that are tokens of their own."""
    return sorted(t[1:] for t in tokenizer.get_vocab() if re.fullmatch("Ġ[a-z]{3,10}", t))


def kinds(corpus: Path, words: list[str], scale: float) -> Iterator[tuple[str, list[Document]]]:
    """Every kind of text and its documents."""

    def read(name: str) -> list[dict[str, object]]:
        with lzma.open(corpus / name, "rt", encoding="utf-8") as file:
            return [json.loads(line) for line in file]

    chat = read("chat.jsonl.xz")
    pages = read_pages([r for r in chat if r["src"] == "tldr"])
    known, others = sorted_out(pages)
    rng, unseen = random.Random(8), Unseen()
    makers = {
        "recipes": recipes(words, rng), "pages": page_dialogues(pages, known, rng), "functions": functions(rng),
        "unknown": unknown(others, rng), "talk": talk(rng), "sums": sums(rng),
    }  # fmt: skip
    plain = read("plain.jsonl.xz")
    makers["tasks"] = tasks(plain, words, random.Random(8))
    for kind, maker in makers.items():
        made = dialogues(maker, int(DOCUMENTS[kind] * scale), rng, unseen)
        yield kind, [segments(turns) for turns in made]
    for source in ("gsm8k", "gpteacher", "dstc8"):
        taken = [
            r["turns"] for r in chat if r["src"] == source and "toolformer" not in r["turns"][0][1]
        ]
        rng.shuffle(taken)
        taken = taken[: int(len(taken) * scale) + 1]
        yield source, [segments([tuple(t) for t in turns]) for turns in taken]
    rng.shuffle(plain)
    plain = plain[: int(len(plain) * scale) + 1]
    yield "plain", [[(r["text"][:40_000] + "<|endoftext|>", True)] for r in plain]


def main() -> None:
    """Write OUT.npz."""
    parser = argparse.ArgumentParser(description="Make the shell pair's training rows.")
    parser.add_argument("corpus", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument(
        "--scale", type=float, default=1.0, help="share of the documents (default 1)"
    )
    options = parser.parse_args()
    tokenizer = Tokenizer.from_file(str(options.corpus / "tokenizer.json"))
    rows = {}
    for kind, documents in kinds(options.corpus, common_words(tokenizer), options.scale):
        rows[kind] = pack(encode(tokenizer, documents))
        said = float((rows[kind] >= SAID).mean())
        print(
            f"{kind:10} {len(documents):8} documents {rows[kind].size / 1e6:7.1f} M tokens, {said:.0%} said",
            flush=True,
        )
    np.savez(options.out, **rows)


if __name__ == "__main__":
    main()
