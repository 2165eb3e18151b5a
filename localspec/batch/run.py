"""A run from input to output: what is answered already, what is missing, and the loop between.

Beside the output OUT there are, while a run is not finished, the journal OUT.journal and an index
OUT.index. Killed at any moment, the same command goes on from the journal. A finished OUT is read
like a journal, so that lines that failed, changed or are new can be answered without the others.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import NamedTuple, Protocol

from localspec.batch import answer, output, source
from localspec.batch.backends.base import Backend, Reply
from localspec.batch.interrupt import interruptible
from localspec.batch.journal import Entry, Journal
from localspec.batch.plan import Counts, Plan
from localspec.batch.request import Recipe
from localspec.console import ranges
from localspec.errors import UsageError

__all__ = ["Outcome", "Watcher", "Work", "run"]

_TOLD_LINES = 8  # more ranges of numbers than this nobody reads
_EVERY = 1000  # lines
_BAD_REQUEST = 400


class Work(NamedTuple):
    """What to do: answer the lines of `source` into `output`."""

    source: str
    output: Path
    recipe: Recipe
    retry_failed: bool = False
    as_completed: bool = False
    """Whether the output has the order in which answers came, not that of the input."""


class Outcome(NamedTuple):
    """How a run ended. Where it was interrupted there is a journal, and no new output yet."""

    counts: Counts
    interrupted: bool


class Watcher(Protocol):
    """Who is told how a run is getting on."""

    def note(self, sentence: str) -> None:
        """Something a person should know."""

    def reading(self, lines: int) -> None:
        """That many lines of the input were read."""

    def started(self, counts: Counts) -> None:
        """All is read; this is what there was before."""

    def answering(self, backend: Backend) -> None:
        """Somebody has begun to answer."""

    def answered(self, reply: Reply) -> None:
        """A task was answered, and its answer kept."""


Opening = Callable[[Plan], AbstractContextManager[Backend]]
"""Gets ready to answer what is pending in a plan. Only called where something is."""


def run(work: Work, opening: Opening, watcher: Watcher) -> Outcome:
    """Answer what is not answered yet; the output is there when all is.

    Raises LocalspecError: where the input cannot be read, where another run is at it, where there
    is no room, where what is there belongs to something else, where nobody can answer. Whatever
    happens, answers that came stay in the journal.
    """
    out = work.output.resolve()
    _check(out)
    opener = output.opener(out)
    with (
        Journal(_beside(out, "journal"), opener) as journal,
        Plan(_beside(out, "index"), opener) as plan,
    ):
        _read(work, plan, watcher)
        _recall(work, out, journal, plan)
        _tell(journal, plan, watcher)
        watcher.started(plan.counts())
        _refuse(journal, plan, watcher)
        counts = plan.counts()
        if counts.answered < counts.lines and _answer(opening, journal, plan, watcher):
            return Outcome(plan.counts(), interrupted=True)
        places = plan.places(as_completed=work.as_completed)
        output.replace(out, map(journal.read, places))
        journal.remove()
        return Outcome(plan.counts(), interrupted=False)


def _check(out: Path) -> None:
    if out.exists() and not out.is_file():
        raise UsageError(f"The output {out} is not a file; name one.")
    if not out.parent.is_dir():
        raise UsageError(f"There is no folder {out.parent}; make it, or choose another output.")


def _beside(out: Path, what: str) -> Path:
    return out.with_name(f"{out.name}.{what}")


def _read(work: Work, plan: Plan, watcher: Watcher) -> None:
    for count, record in enumerate(source.records(work.source), start=1):
        plan.expect(work.recipe.task(record))
        if count % _EVERY == 0:
            watcher.reading(count)


def _recall(work: Work, out: Path, journal: Journal, plan: Plan) -> None:
    """Tell the plan what is answered: in the journal, and in an output of an earlier run."""
    for entry, place in journal.recover():
        if not (entry.failed and work.retry_failed):
            plan.answered(entry.identity, place, failed=entry.failed)
    for entry in _earlier(out):
        if entry.failed and work.retry_failed:
            continue
        if plan.expects(entry.identity):
            _keep(entry, journal, plan, anew=False)
        else:
            plan.left_over(entry.identity, failed=entry.failed)
    if plan.is_foreign:
        journal.forget()
        raise UsageError(
            f"{out} or its journal holds answers, but none to these lines: input, model, seed or "
            "sampling is another; use those it was made with, or choose another output."
        )


def _earlier(out: Path) -> Iterator[Entry]:
    if not out.exists():
        return
    with out.open("rb") as file:
        for line in file:
            entry = answer.read(line)
            if entry is None:
                raise UsageError(
                    f"{out} is there and is no output of localspec batch; choose another one."
                )
            yield entry


def _refuse(journal: Journal, plan: Plan, watcher: Watcher) -> None:
    """Lines that ask nothing have their answers at once."""
    for task in plan.pending(faulty=True):
        _keep(answer.refusal(task), journal, plan)
        watcher.answered(Reply(task, _BAD_REQUEST, {}))


def _tell(journal: Journal, plan: Plan, watcher: Watcher) -> None:
    if journal.damaged:
        watcher.note(f"{journal.damaged} damaged records of {journal.path} are answered anew.")
    changed = list(ranges(plan.changed()))
    if changed:
        told = ", ".join(changed[:_TOLD_LINES]) + (" …" if len(changed) > _TOLD_LINES else "")
        watcher.note(f"Changed since they were answered, and answered anew: lines {told}.")


def _answer(opening: Opening, journal: Journal, plan: Plan, watcher: Watcher) -> bool:
    """Have everything answered that is pending; returns whether the user wanted it to end."""
    with opening(plan) as backend, interruptible(backend.stop) as interrupted:
        watcher.answering(backend)
        for reply in backend.answers(plan.pending(faulty=False)):
            _keep(answer.entry_of(reply), journal, plan)
            watcher.answered(reply)
        return interrupted()


def _keep(entry: Entry, journal: Journal, plan: Plan, *, anew: bool = True) -> None:
    plan.answered(entry.identity, journal.append(entry, anew=anew), failed=entry.failed)
