"""Watch an answer come, and see which words were guessed: python examples/stream.py [PROMPT]."""

import sys

import localspec

GREEN, PLAIN = "\x1b[32m", "\x1b[0m"

with localspec.load("shell") as llm:
    prompt = sys.argv[1] if len(sys.argv) > 1 else "How do I list files by size?"
    stream = llm.stream(prompt, seed=7, max_tokens=128)
    for piece in stream:
        print(f"{GREEN}{piece.text}{PLAIN}" if piece.drafter else piece.text, end="", flush=True)
    print(f"\n\n{stream.answer.statistics.acceptance_rate:.0%} of the guesses held")
