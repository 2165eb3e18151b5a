"""Do tokens come as often with guesses as the model itself says? A chi-square test.

The same context is gone on from with many seeds, the second token always guessed at; where the
first came out as the likeliest one, the second is counted, against the model's own probabilities.
It must be so by construction, as noise goes by position; this shows it from outside.
"""

import math
from collections import Counter
from collections.abc import Callable, Mapping, Set
from dataclasses import dataclass

from localspec.audit.texts import Ask
from localspec.bench.contest import Question

__all__ = ["FALSE_ALARMS", "Chance", "survival", "test"]

FALSE_ALARMS = 1e-4
"""How often an audit finds something where there is nothing."""
_FEWEST = 5.0  # of a kind that must be expected, for the test to hold
_MOST_LISTED = 100
_FREE = {"temperature": 1.0, "top_p": 1.0, "top_k": 0, "min_p": 0.0}


@dataclass(frozen=True)
class Chance:
    """`samples` tokens of `kinds` kinds; `p` is how often chance alone strays as far."""

    task: str
    samples: int
    kinds: int
    p: float


def test(
    ask: Ask, question: Question, draws: int, ends: Set[bytes], told: Callable[[float], None]
) -> Chance:
    """Draw so many times after a prompt. `ends` are the names of tokens that end an answer."""
    task, prompt = question.task, question.tokens
    likeliest = ask(prompt, max_tokens=1, temperature=0.0, speculation=0).tokens
    if not likeliest:  # it ends at once, and there is nothing to count
        return Chance(task, 0, 1, 1.0)
    listed = ask(
        (*prompt, *likeliest), max_tokens=1, temperature=0.0, speculation=0, logprobs=_MOST_LISTED
    ).logprobs
    expected: dict[bytes, float] = {}
    for piece, logprob in listed[0].top if listed else ():
        expected[piece] = expected.get(piece, 0.0) + math.exp(logprob)
    ended = sum(expected.pop(end, 0.0) for end in ends)
    if (1 - max(expected.values(), default=1.0)) * draws < _FEWEST:  # it is always the same one
        return Chance(task, 0, 1, 1.0)
    seen: Counter[bytes] = Counter()
    for seed in range(draws):
        told(seed / draws)
        # Three tokens, as the last one of an answer is not guessed at.
        answer = ask(prompt, max_tokens=3, seed=seed, speculation=1, logprobs=0, **_FREE)
        if answer.tokens[:1] == likeliest and len(answer.tokens) > 1 and answer.logprobs:
            seen[answer.logprobs[1].piece] += 1
    return _compared(task, seen, {piece: n / (1 - ended) for piece, n in expected.items()})


def _compared(task: str, seen: Mapping[bytes, int], expected: Mapping[bytes, float]) -> Chance:
    """What is rare, or not listed, counts as one kind."""
    samples = sum(seen.values())
    kinds = {p: chance * samples for p, chance in expected.items() if chance * samples >= _FEWEST}
    rest, others = samples - sum(kinds.values()), samples - sum(seen.get(p, 0) for p in kinds)
    pairs = [(seen.get(piece, 0), n) for piece, n in kinds.items()]
    if rest >= _FEWEST:
        pairs.append((others, rest))
    elif pairs:  # too rare to count alone
        n, most = pairs[0]
        pairs[0] = (n + others, most + rest)
    if len(pairs) < 2:
        return Chance(task, samples, len(pairs), 1.0)
    strayed = sum((n - most) ** 2 / most for n, most in pairs)
    return Chance(task, samples, len(pairs), survival(strayed, len(pairs) - 1))


def survival(x: float, freedom: int) -> float:
    """The chance that a chi-square of so many degrees of freedom is above x: a finite sum."""
    half = x / 2
    first = freedom % 2 / 2
    total = math.erfc(math.sqrt(half)) if first else 0.0
    for i in range(freedom // 2):
        at = first + i
        total += math.exp(at * math.log(half) - half - math.lgamma(at + 1)) if half else not at
    return min(1.0, total)
