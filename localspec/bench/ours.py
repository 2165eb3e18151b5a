"""localspec as a contestant: one loaded pair that guesses as it pays, always so much, or never."""

from dataclasses import replace

from localspec.bench.contest import Question, Run, Spent
from localspec.bench.prompts import Prompt
from localspec.decoding.sequence import Speculation
from localspec.governor.policy import Step
from localspec.runtime import LLM

__all__ = ["SEED", "Meter", "Ours", "questions"]

SEED = 1
"""Of all answers, so that they can be compared token by token where sampling is on."""


class Meter:
    """Listens to the steps of an engine, and adds up where the time went."""

    def __init__(self, llm: LLM) -> None:
        self._spent = Spent()
        llm.listen(self._listen)

    def take(self) -> Spent:
        """What was spent on decoding since the last call; call it between answers."""
        spent, self._spent = self._spent, Spent()
        return spent

    def _listen(self, step: Step) -> None:
        if not step.prefilling:
            self._spent.total += step.seconds
            self._spent.target += step.target_seconds
            self._spent.draft += step.draft_seconds


class Ours:
    """Answers with `speculation` as it is called there; 0 is plain decoding."""

    def __init__(
        self,
        name: str,
        llm: LLM,
        meter: Meter,
        speculation: Speculation,
        *,
        max_tokens: int,
        temperature: float,
    ) -> None:
        self.name = name
        self._llm, self._meter, self._speculation = llm, meter, speculation
        self._max_tokens, self._temperature = max_tokens, temperature

    def answer(self, question: Question) -> Run:
        """Answer as if nothing had been answered before."""
        self._llm.forget()  # else the last run's answer would be guessed: it is the same
        self._meter.take()
        answer = self._llm.generate(
            question.tokens,
            max_tokens=self._max_tokens,
            temperature=self._temperature,
            seed=SEED,
            speculation=self._speculation,
        )
        statistics = replace(answer.statistics)
        return Run(
            per_second=statistics.tokens_per_second,
            count=statistics.completion_tokens,
            drafted=statistics.draft_tokens,
            tokens=tuple(answer.tokens),
            statistics=statistics,
            spent=self._meter.take(),
        )


def questions(
    llm: LLM, prompts: list[Prompt], max_tokens: int
) -> tuple[list[Question], dict[str, int]]:
    """The prompts in tokens, and how many of each task are too long for context and answer.

    A prompt is what a user says, in the words of the model's chat template if it has one.
    """
    found, too_long = list[Question](), dict[str, int]()
    for number, (task, text) in enumerate(prompts):
        tokens = llm.tokens(text)
        if len(tokens) + max_tokens > llm.context_length:
            too_long[task] = too_long.get(task, 0) + 1
        else:
            found.append(Question(task, number, tuple(tokens)))
    return found, too_long
