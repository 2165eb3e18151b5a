"""Writes questions of the corpus to a file, for `localspec distill --prompts`.

python prompts.py CORPUS OUT.jsonl [--number N]
"""

import argparse
import json
import random
import re
from pathlib import Path

from corpus import common_words, kinds
from tokenizers import Tokenizer

SHARES = {
    "recipes": 0.55, "pages": 0.12, "functions": 0.12, "unknown": 0.05, "talk": 0.04, "sums": 0.02,
    "gsm8k": 0.05, "gpteacher": 0.05,
}  # fmt: skip
QUESTION = re.compile(r"<\|im_start\|>user\n(.*?)<\|im_end\|>", re.S)


def main() -> None:
    """Write OUT.jsonl."""
    parser = argparse.ArgumentParser(description="Make prompts for the shell draft.")
    parser.add_argument("corpus", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--number", type=int, default=6000)
    options = parser.parse_args()
    words = common_words(Tokenizer.from_file(str(options.corpus / "tokenizer.json")))
    asked: list[str] = []
    for kind, documents in kinds(options.corpus, words, 0.1):
        if kind in SHARES:
            questions = [QUESTION.search(document[0][0]) for document in documents]
            found = [match[1] for match in questions if match]
            asked += found[: int(SHARES[kind] * options.number)]
    random.Random(8).shuffle(asked)
    lines = (json.dumps({"prompt": question}) for question in asked)
    options.out.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
