"""The same seed gives the same text, whatever is guessed: python examples/same_text.py."""

import localspec

with localspec.load("shell") as llm:
    for speculation in ("auto", 0, 1, 5):
        answer = llm.generate(
            "Write a Python function that reverses a string.",
            seed=7,
            temperature=0.8,
            max_tokens=48,
            speculation=speculation,
        )
        tokens = answer.statistics.tokens_per_step
        print(f"speculation {speculation!s:>4}: {tokens:.2f} tokens a step, {answer.tokens[:10]}")
