"""One benchmark from loaded pair to result: who takes part, what is asked, what came of it."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from localspec.bench.contest import Contestant, Record, contest
from localspec.bench.guesses import Guesses, guesses
from localspec.bench.llama_server import LlamaServer
from localspec.bench.machine import curve, device
from localspec.bench.ours import SEED, Meter, Ours, questions
from localspec.bench.peers import peers
from localspec.bench.prompts import Prompt
from localspec.bench.results import (
    AUTO,
    PLAIN,
    SHORTEST,
    TaskResult,
    geometric_mean,
    results,
    short_answers,
)
from localspec.bench.rival import RIVAL, rival
from localspec.decoding.sampling import Sampling
from localspec.decoding.sequence import Speculation
from localspec.errors import LocalspecError, UsageError
from localspec.runtime import LLM

__all__ = ["LENGTHS", "Benchmark", "Plan", "benchmark"]

LENGTHS = range(1, 9)
"""Fixed lengths of guesses that are tried on request."""


@dataclass(frozen=True)
class Plan:
    """How to measure. With `every`, all fixed lengths and all settings of the peer take part."""

    max_tokens: int = 128
    temperature: float = 0.0
    every: bool = False
    rounds: int = 3
    peer: Path | None = None
    against: Path | None = None
    """Another draft of the same target."""


@dataclass(frozen=True)
class Benchmark:
    """All that was measured. `stopped` says why it ended early, if it did."""

    model: str
    draft: str | None
    device: str
    plan: Plan
    tasks: list[TaskResult]
    guesses: Guesses
    curve: dict[int, float]
    too_long: dict[str, int]
    """Prompts left out, by task."""
    short: dict[str, int]
    """Prompts answered too shortly to be timed, by task."""
    notes: list[str] = field(default_factory=list)
    stopped: BaseException | None = None

    @property
    def geomean_speedup(self) -> float | None:
        """The geometric mean of the tasks' speed-ups; None where there are none."""
        return geometric_mean([t.speedup for t in self.tasks]) if self.tasks else None

    @property
    def worst(self) -> TaskResult | None:
        """The task that gains least."""
        return min(self.tasks, key=lambda task: task.speedup, default=None)


def benchmark(
    llm: LLM, prompts: list[Prompt], plan: Plan, progress: Callable[[float, str], None]
) -> Benchmark:
    """Measure. What there is so far comes back where Ctrl-C or a failure ends it early."""
    _check(plan)
    asked, too_long = questions(llm, prompts, plan.max_tokens)
    if not asked:
        raise UsageError(
            f"No prompt fits the context of {llm.context_length} tokens together with an answer "
            f"of {plan.max_tokens}; choose other prompts or a smaller --max-tokens."
        )
    notes, records, stopped = list(llm.notes), list[Record](), None
    others: dict[str, str] = {}
    try:
        with _contestants(llm, plan, notes, progress) as contestants:
            others |= {c.setting: c.name for c in contestants if isinstance(c, LlamaServer)}
            for record in contest(asked, contestants, plan.rounds, progress):
                records.append(record)
    except (KeyboardInterrupt, LocalspecError) as reason:
        if not records:
            raise
        stopped = reason
    return Benchmark(
        model=llm.target.name,
        draft=llm.draft.name if llm.draft else None,
        device=device(),
        plan=plan,
        tasks=results(records, LENGTHS if plan.every else (), others, RIVAL),
        guesses=guesses(r.run for r in records if r.contestant == AUTO),
        curve=curve(llm),
        too_long=too_long,
        short=short_answers(records),
        notes=notes,
        stopped=stopped,
    )


def _check(plan: Plan) -> None:
    Sampling(temperature=plan.temperature)  # raises where there is no such temperature
    if plan.max_tokens < SHORTEST:
        why = f"fewer than {SHORTEST} say nothing about speed"
        raise UsageError(f"max_tokens is {plan.max_tokens}; {why}.", "max_tokens")


@contextmanager
def _contestants(
    llm: LLM, plan: Plan, notes: list[str], progress: Callable[[float, str], None]
) -> Iterator[Sequence[Contestant]]:
    """Plain and auto first, as neighbours, then what else takes part."""
    meter = Meter(llm)
    kinds: list[tuple[str, Speculation]] = [(PLAIN, 0), (AUTO, "auto")]
    if plan.every:
        kinds += [(str(n), n) for n in LENGTHS]
    found: list[Contestant] = [
        Ours(name, llm, meter, mode, max_tokens=plan.max_tokens, temperature=plan.temperature)
        for name, mode in kinds
    ]
    with ExitStack() as others:
        if plan.against:
            progress(0.0, f"loading {plan.against.name}")
            found.append(
                others.enter_context(
                    rival(
                        llm.target.path,
                        plan.against,
                        context=llm.context_length,
                        max_tokens=plan.max_tokens,
                        temperature=plan.temperature,
                    )
                )
            )
        if plan.peer:
            sampling = Sampling(temperature=plan.temperature, seed=SEED)
            running = peers(
                llm,
                plan.peer,
                sampling,
                plan.max_tokens,
                every=plan.every,
                notes=notes,
                progress=progress,
            )
            found += others.enter_context(running)
        yield found
