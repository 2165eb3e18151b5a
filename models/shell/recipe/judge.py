"""Judges a shell pair: are its answers right, and how often does the draft guess them?

    python judge.py TARGET.gguf [--answers FILE]

Greedy answers, without speculation, to the 200 questions of judge.txt (right command?), the 40 of
judge_functions.txt (does it compile, is it right?) and the 20 of judge_unknown.txt (does it say
that it was not taught?). `--answers` writes them all down to be read.
"""

import argparse
import re
from pathlib import Path

from blocks import blocks

__all__ = ["command", "function", "right_command", "right_function"]

Found = tuple[bool, bool]


def command(answer: str) -> str:
    """The command of an answer: its first block of code, else its first `quoted` piece."""
    fenced = re.search(r"```\w*\n(.*?)(?:\n```|$)", answer, re.S)
    quoted = re.search(r"`([^`\n]+)`", answer)
    text = fenced[1] if fenced else quoted[1] if quoted else answer
    text = re.sub(r"^\s*\$ ", "", text.strip())
    return re.sub(r"\s+", " ", re.sub(r"^sudo ", "", text)).strip()


def right_command(answer: str, accepted: str) -> bool:
    """Whether the command is among the accepted ones: regular expressions, one a line or, with
    blanks around it, after |."""
    patterns = [p for line in accepted.splitlines() for p in line.split(" | ") if p.strip()]
    return any(re.search(pattern.strip(), command(answer)) for pattern in patterns)


def function(answer: str) -> str:
    """The Python of an answer."""
    fenced = re.search(r"```\w*\n(.*?)(?:\n```|$)", answer, re.S)
    return fenced[1] if fenced else answer


def right_function(answer: str, test: str) -> Found:
    """Whether the code of an answer compiles to a function, and whether the test holds for it."""
    source = function(answer)
    try:
        code = compile(source, "answer", "exec")
    except (SyntaxError, ValueError):
        return False, False
    names = re.findall(r"^def (\w+)", source, re.M)
    if not names:
        return False, False
    space: dict[str, object] = {}
    try:
        exec(code, space)  # the answers are those of a model that knows no harmful function
        space["f"] = space[names[-1]]
        return True, bool(eval(test, space))
    except Exception:
        return True, False


def main() -> None:
    """Ask everything, print the three results."""
    import localspec

    parser = argparse.ArgumentParser(description="Judge a shell target.")
    parser.add_argument("target")
    parser.add_argument("--answers", type=Path)
    options = parser.parse_args()
    said: list[str] = []
    with localspec.load(options.target, draft="none") as llm:

        def ask(question: str) -> str:
            return llm.generate(question, temperature=0, max_tokens=200, speculation=0).text

        def note(fine: bool, question: str, answer: str) -> bool:
            said.append(f"{'right' if fine else 'WRONG'}  {question}\n{answer}\n")
            return fine

        questions = list(blocks("judge.txt"))
        right = [note(right_command(a := ask(q), w), q, a) for q, w in questions]
        found: list[Found] = []
        for asked, test in blocks("judge_functions.txt"):
            answer = ask(asked)
            found.append(right_function(answer, test))
            note(found[-1][1], asked, answer)
        unknown = [
            note("not taught" in (a := ask(q)), q, a) for q, _ in blocks("judge_unknown.txt")
        ]
    print(f"commands   {sum(right)} of {len(right)} right")
    print(
        f"functions  {sum(c for c, _ in found)} of {len(found)} compile, {sum(r for _, r in found)} are right"
    )
    print(f"unknown    {sum(unknown)} of {len(unknown)} said to be unknown")
    if options.answers:
        options.answers.write_text("\n".join(said), encoding="utf-8")


if __name__ == "__main__":
    main()
