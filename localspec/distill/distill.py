"""A draft for a target, in order: the target writes, a decoder learns, the file is measured.

Everything lies in a folder of the cache named after the target's content, so that what was
interrupted goes on where it was: the record while the target still writes, the checkpoint while
the decoder learns.
"""

import shutil
import tempfile
import time
import zlib
from collections.abc import Callable, Iterator
from collections.abc import Sequence as Many
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
import numpy.typing as npt

from localspec import folders, spoken
from localspec.bench import pairing
from localspec.distill import export
from localspec.distill.measure import Acceptance, acceptance
from localspec.distill.record import Record, Text
from localspec.distill.shape import DecoderShape
from localspec.distill.writing import write
from localspec.errors import LocalspecError, ModelError, UsageError
from localspec.llama.model import Model
from localspec.models import matches
from localspec.models.fingerprint import fingerprint

if TYPE_CHECKING:
    from localspec.distill.training import Result

__all__ = ["Outcome", "Size", "distill"]

Size = Literal["tiny", "small"]
Progress = Callable[[float, str], None]

_SIZES = {
    # width, layers, heads, kv heads, head, hidden
    "tiny": (256, 2, 4, 2, 64, 704),
    "small": (512, 4, 8, 4, 64, 1408),
}
_CONTEXT = 1024
_WRITING = 0.4  # share of the time; the rest is for learning
_TOKENS = 2_000_000  # more is not learnt from in the time a person gives
_ROOM = 64 << 20  # bytes for the record, besides what the decoder takes
_CHECKPOINT, _CLOCK = "learning.pt", "writing.seconds"
_HELD_OUT = 8  # one prompt in so many is only measured on


@dataclass(frozen=True)
class Outcome:
    """What came of it. `before` is how the draft did that was there before, where there was one.

    `speedup` is what the new draft promises over plain decoding here, `used` whether `--draft auto`
    takes it from now on.
    """

    draft: Path
    shape: DecoderShape
    tokens: int
    before: Acceptance | None
    after: Acceptance
    speedup: float
    notes: tuple[str, ...]
    used: bool = False

    @property
    def better(self) -> bool:
        """Than what was there."""
        return self.before is None or self.after.greedy > self.before.greedy

    @property
    def worth_using(self) -> bool:
        """Whether it pays, and is better than what was there."""
        return self.speedup > 1 and self.better


def distill(
    target: Path,
    draft: Path,
    prompts: Many[str],
    *,
    size: Size = "tiny",
    seconds: float,
    former: Path | None = None,
    progress: Progress,
) -> Outcome:
    """Make `draft` for `target` in about `seconds`, and remember it where it pays.

    `former` is the draft used until now: to compare with, and to go on from where it is of the
    same shape. Raises LocalspecError: for want of torch or room, where the draft could not be
    written in the end, or where the target cannot be loaded or its vocabulary not be written.
    """
    train = _trainer()
    _check_place(draft, target)
    shape, notes = _shape(target, size, former)
    work = folders.cache() / "distill" / f"{fingerprint(target)}-{size}-{_number(prompts):08x}"
    _check_room(work, shape)
    learnt, held_out = _written(target, prompts, work, seconds * _WRITING, progress)
    weights = train(
        learnt,
        shape,
        work / _CHECKPOINT,
        seconds=seconds * (1 - _WRITING),
        progress=_shares(progress, _WRITING, 0.95),
        start=_start(former, shape),
    ).weights
    with _beside(draft) as made:
        export.write(made, draft.stem, weights, shape, target, "q8_0", embedding="q4_0")
        before, after, timed = _measured(target, made, former, held_out, progress)
        said = sum(len(text.said) for text in learnt)
        outcome = Outcome(draft, shape, said, before, after, timed.speedup, notes)
        if outcome.worth_using or not _same(draft, former):
            _put_in_place(made, target, outcome, timed)
    for name in (_CHECKPOINT, _CLOCK):
        (work / name).unlink(missing_ok=True)
    return replace(outcome, used=_same(draft, matches.best_for(target)))


def _trainer() -> "Callable[..., Result]":
    """`training.train`, where there is torch."""
    try:
        from localspec.distill import training
    except ImportError as error:
        raise LocalspecError(
            "Making a draft needs torch; pip install 'localspec[distill]' gets it."
        ) from error
    return training.train


def _written(
    target: Path, prompts: Many[str], work: Path, seconds: float, progress: Progress
) -> tuple[list[Text], list[Text]]:
    """Let the target write, unless learning has begun; texts to learn from, and to measure on."""
    with Record(work / "written.bin") as record:
        if not (work / _CHECKPOINT).exists():
            clock = _Clock(work / _CLOCK, seconds)
            heard = clock.heard_by(_shares(progress, 0.0, _WRITING))
            write(target, prompts, record, tokens=_TOKENS, seconds=clock.left, progress=heard)
        return _split(record.texts())


@contextmanager
def _beside(draft: Path) -> Iterator[Path]:
    """A place for a new draft beside the one that may be there, until it is known to be better."""
    made = draft.with_name(f"{draft.name}.new")
    try:
        yield made
    finally:
        made.unlink(missing_ok=True)


def _measured(
    target: Path, draft: Path, former: Path | None, texts: list[Text], progress: Progress
) -> tuple[Acceptance | None, Acceptance, pairing.Measured]:
    """How the draft until now does on some texts, how the new one does, and what that is worth."""
    progress(0.95, "measuring")
    before = acceptance(former, texts) if former else None
    after = acceptance(draft, texts)
    timed = next(pairing.measure(target, [draft], _shares(progress, 0.97, 1.0)))
    if timed.objection:
        raise LocalspecError(
            f"What was made of {target.stem} cannot guess for it: {timed.objection}."
        )
    return before, after, timed


def _put_in_place(made: Path, target: Path, outcome: Outcome, timed: pairing.Measured) -> None:
    """Give the new draft its name, and let `--draft auto` know of it where it is better."""
    made.replace(outcome.draft)
    if outcome.better:
        pairing.remember(target, [(outcome.draft.name, replace(timed, draft=outcome.draft))])


def _same(draft: Path, other: Path | None) -> bool:
    """Whether both are one file."""
    return other is not None and draft.resolve() == other.resolve()


def _shape(target: Path, size: Size, former: Path | None) -> tuple[DecoderShape, tuple[str, ...]]:
    """The decoder for a target, and what a person should know.

    Raises LocalspecError where it cannot be made, or `former` not be compared with it.
    """
    export.check_vocabulary(target)
    with Model(target) as model:
        if former:
            _check_former(former, model)
        context = min(_CONTEXT, model.context_length or _CONTEXT)
        shape = DecoderShape(model.vocabulary.size, *_SIZES[size], context)
        notes = []
        if model.chat_template is None:
            notes.append(f"{model.name} has no chat template; it was asked with raw text.")
        if shape.parameters > model.parameters / 2:
            notes.append(
                f"{model.name} is so small that a draft of {spoken.weights(shape.parameters)} "
                "weights can hardly pay."
            )
    return shape, tuple(notes)


def _check_former(former: Path, target: Model) -> None:
    with Model(former) as model:
        difference = target.vocabulary.difference(model.vocabulary)
    if difference:
        raise UsageError(
            f"{former} never guessed for {target.name}: {difference}; --draft none leaves it out."
        )


def _check_place(draft: Path, target: Path) -> None:
    """An hour's work should not end with a place that cannot be written."""
    if draft.is_dir():
        raise UsageError(f"The draft {draft} is a folder; name a file in it.")
    if draft.resolve() == target.resolve():
        raise UsageError(f"The draft {draft} would replace its target; choose another file.")
    try:
        draft.parent.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=draft.parent).close()
    except OSError as error:
        raise UsageError(
            f"The draft {draft} cannot be written: {error.strerror}; choose another place."
        ) from None


def _check_room(work: Path, shape: DecoderShape) -> None:
    work.mkdir(parents=True, exist_ok=True)
    needed = _ROOM + 16 * shape.parameters  # weights, gradients' moments and the file
    free = shutil.disk_usage(work).free
    if free < needed:
        raise LocalspecError(
            f"{work} has {spoken.size(free)} free, and making a draft takes {spoken.size(needed)}; "
            "make room, or set LOCALSPEC_HOME to a larger disk."
        )


def _split(texts: list[Text]) -> tuple[list[Text], list[Text]]:
    """Texts to learn from, and texts of other prompts to measure on."""
    held_out = [t for t in texts if zlib.crc32(t.prompt.tobytes()) % _HELD_OUT == 0]
    learnt = [t for t in texts if zlib.crc32(t.prompt.tobytes()) % _HELD_OUT]
    if not held_out or not learnt:  # a handful of prompts: measure on the last texts
        last = len(texts) // _HELD_OUT + 1
        return texts[:-last] or texts, texts[-last:]
    return learnt, held_out


def _number(prompts: Many[str]) -> int:
    return zlib.crc32("\n".join(prompts).encode())


class _Clock:
    """How much of a time is left, across interruptions: what was spent is kept in a file."""

    _SAVE_SECONDS = 2.0

    def __init__(self, path: Path, seconds: float) -> None:
        self._path, self._start = path, time.monotonic()
        try:
            self._before = float(path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            self._before = 0.0
        self.left = max(0.0, seconds - self._before)
        self._saved = self._start

    def heard_by(self, progress: Progress) -> Progress:
        """`progress`, which keeps the time on its way."""

        def hear(share: float, what: str) -> None:
            now = time.monotonic()
            if now - self._saved > self._SAVE_SECONDS:
                self._saved = now
                folders.write_atomically(self._path, str(self._before + now - self._start))
            progress(share, what)

        return hear


def _start(former: Path | None, shape: DecoderShape) -> dict[str, npt.NDArray[np.float32]] | None:
    """The weights of the draft until now, to go on from, where it is a decoder of this shape."""
    if former is None:
        return None
    try:
        if replace(export.shape_of(former), context=shape.context) != shape:
            return None  # its weights, perhaps many gigabytes, are not even read
        _, weights = export.read(former)
    except ModelError:
        return None
    return weights


def _shares(progress: Progress, start: float, end: float) -> Progress:
    return lambda share, what: progress(start + min(1.0, share) * (end - start), what)
