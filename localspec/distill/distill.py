"""A draft for a target, in order: the target writes, a decoder learns, the file is measured.

Everything lies in a folder of the cache named after the target's content, so that what was
interrupted goes on where it was: the record while the target still writes, the checkpoint while
the decoder learns.
"""

import shutil
import tempfile
import time
import zlib
from collections.abc import Callable
from collections.abc import Sequence as Many
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

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
_HELD_OUT = 8  # one prompt in so many is only measured on


@dataclass(frozen=True)
class Outcome:
    """What came of it. `before` is how the draft did that was there before, where there was one.

    `speedup` is what the new draft promises over plain decoding here.
    """

    draft: Path
    shape: DecoderShape
    tokens: int
    before: Acceptance | None
    after: Acceptance
    speedup: float
    notes: tuple[str, ...]

    @property
    def worth_using(self) -> bool:
        """Whether it pays, and is no worse than what was there."""
        return self.speedup > 1 and (self.before is None or self.after.greedy > self.before.greedy)


def distill(
    target: Path,
    draft: Path,
    prompts: Many[str],
    *,
    size: Size = "tiny",
    seconds: float,
    device: str | None = None,
    former: Path | None = None,
    progress: Progress,
) -> Outcome:
    """Make `draft` for `target` in about `seconds`, and remember it where it pays.

    `former` is the draft used until now: to compare with, and to go on from where it is of the
    same shape. Raises LocalspecError: for want of torch or room, where the draft could not be
    written in the end, or where the target cannot be loaded or its vocabulary not be written.
    """
    try:
        from localspec.distill import training
    except ImportError as error:
        raise LocalspecError(
            "Making a draft needs torch; pip install 'localspec[distill]' gets it."
        ) from error
    _check_place(draft, target)
    shape, notes = _shape(target, size)
    work = folders.cache() / "distill" / f"{fingerprint(target)}-{size}-{_number(prompts):08x}"
    _check_room(work, shape)
    export.check_vocabulary(target)
    checkpoint = work / "learning.pt"
    with Record(work / "written.bin") as record:
        if not checkpoint.exists():
            clock = _Clock(work / "writing.seconds", seconds * _WRITING)
            heard = clock.heard_by(_shares(progress, 0.0, _WRITING))
            write(target, prompts, record, tokens=_TOKENS, seconds=clock.left, progress=heard)
        learnt, held_out = _split(record.texts())
    result = training.train(
        learnt,
        shape,
        checkpoint,
        seconds=seconds * (1 - _WRITING),
        device=device or training.best_device(),
        progress=_shares(progress, _WRITING, 0.95),
        start=_start(former, shape),
    )
    progress(0.95, "measuring")
    before = acceptance(former, held_out) if former else None  # it may be the file to be replaced
    export.write(draft, draft.stem, result.weights, shape, target, "q8_0", embedding="q4_0")
    after = acceptance(draft, held_out)
    speedup = _remember(target, draft, _shares(progress, 0.97, 1.0), after, before)
    for path in (checkpoint, work / "writing.seconds"):
        path.unlink(missing_ok=True)
    said = sum(len(text.said) for text in learnt)
    return Outcome(draft, shape, said, before, after, speedup, notes)


def _remember(
    target: Path, draft: Path, progress: Progress, after: Acceptance, before: Acceptance | None
) -> float:
    """Time the draft with its target, and let `--draft auto` know of it; returns the speed-up."""
    measured = next(pairing.measure(target, [draft], progress))
    if measured.objection:
        raise LocalspecError(f"{draft} cannot guess for {target.stem}: {measured.objection}.")
    if before is None or after.greedy > before.greedy:
        match = matches.Match(
            name=draft.name,
            path=str(draft.absolute()),
            fingerprint=fingerprint(draft),
            held=measured.held,
            length=measured.length,
            speedup=measured.speedup,
        )
        matches.keep(target, [match])
    return measured.speedup


def _shape(target: Path, size: Size) -> tuple[DecoderShape, tuple[str, ...]]:
    """The decoder for a target, and what a person should know."""
    with Model(target) as model:
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
