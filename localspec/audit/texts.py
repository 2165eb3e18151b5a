"""Are texts the same with guesses as without, token by token?"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

from localspec.bench.contest import Question
from localspec.bench.ours import SEED
from localspec.decoding.sequence import Speculation
from localspec.engine.worker import Answer

__all__ = ["LENGTHS", "TEMPERATURES", "Ask", "Text", "compare"]

Ask: TypeAlias = Callable[..., Answer]
"""`LLM.generate`, or what stands for it."""

LENGTHS: tuple[Speculation, ...] = (1, 2, 4, 8, "auto")
TEMPERATURES = (0.0, 0.8)


@dataclass(frozen=True)
class Text:
    """An answer with guesses beside the same without; `fork` is the first token that differs."""

    task: str
    temperature: float
    drafter: str
    speculation: Speculation
    tokens: int
    held: int
    fork: int | None


def compare(ask: Ask, question: Question, drafter: str, max_tokens: int) -> Iterator[Text]:
    """Answer plainly, then with guesses of each length, by the likeliest token and by chance."""
    for temperature in TEMPERATURES:
        options = {"max_tokens": max_tokens, "temperature": temperature, "seed": SEED}
        plain = ask(question.tokens, speculation=0, **options)
        for speculation in LENGTHS:
            answer = ask(question.tokens, speculation=speculation, **options)
            yield Text(
                question.task,
                temperature,
                drafter,
                speculation,
                len(answer.tokens),
                answer.statistics.accepted_tokens,
                fork(plain.tokens, answer.tokens),
            )


def fork(one: list[int], other: list[int]) -> int | None:
    """Where two texts part; None where they are the same."""
    if one == other:
        return None
    pairs = enumerate(zip(one, other, strict=False))
    return next((i for i, (a, b) in pairs if a != b), min(len(one), len(other)))
