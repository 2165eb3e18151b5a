"""The target writes: many answers at once through the engine, plainly decoded.

The engine tells its policy of every row of logits that a token was picked from; here the policy
guesses nothing and keeps what the row says.
"""

import itertools
import time
from collections.abc import Callable, Iterator
from collections.abc import Sequence as Many
from pathlib import Path

import numpy as np

from localspec.conversation.prompts import Prompts
from localspec.decoding.draft import Draft
from localspec.decoding.sampling import Sampling
from localspec.decoding.sequence import Request, Sequence
from localspec.distill.record import Record, Text
from localspec.drafters.base import Drafter
from localspec.engine.engine import Engine
from localspec.errors import ModelError
from localspec.governor.policy import Step, Wish
from localspec.llama.context import Context
from localspec.llama.model import Model
from localspec.llama.rows import Logits

__all__ = ["KEPT", "Scribe", "write"]

KEPT = 32
"""How many of the likeliest tokens are kept at each place."""
_PARALLEL = 16
_LENGTH = 768
_ANSWER = 256

Row = tuple[
    np.ndarray[tuple[int], np.dtype[np.int32]], np.ndarray[tuple[int], np.dtype[np.float16]]
]


class Scribe:
    """A policy that never guesses and keeps, for each sequence, what its rows said."""

    def __init__(self, kept: int) -> None:
        self._kept = kept
        self._rows: dict[int, list[Row]] = {}

    def looks(self, sequences: Many[Sequence]) -> bool:
        """Never."""
        return False

    def draft(self, wishes: Many[Wish], drafters: Many[Drafter]) -> list[Draft]:
        """Nothing."""
        return [Draft() for _ in wishes]

    def meanwhile(self, sequences: Many[Sequence], drafters: Many[Drafter]) -> None:
        """Nothing."""

    def observe(self, step: Step) -> None:
        """Keep the likeliest tokens of every row."""
        for outcome in step.outcomes:
            self._rows.setdefault(id(outcome.sequence), []).append(
                likeliest(outcome.row, self._kept)
            )

    def text(self, sequence: Sequence) -> Text | None:
        """What a sequence has said so far; None where it has said nothing."""
        rows = self._rows.pop(id(sequence), [])
        said = list(sequence.answer)
        if len(rows) > len(said):  # the last row gave the token that ended it
            ends = (int(t) for t in rows[len(said)][0] if sequence.ends_with(int(t)))
            said += list(itertools.islice(ends, 1))
        rows = rows[: len(said)]
        if not rows:
            return None
        prompt = sequence.tokens[: len(sequence) - len(sequence.answer)]
        return Text(
            np.array(prompt, np.int32),
            np.array(said, np.int32),
            np.stack([row[0] for row in rows]),
            np.stack([row[1] for row in rows]),
            sequence.request.sampling.temperature,
        )


def likeliest(row: Logits, kept: int) -> Row:
    """The `kept` likeliest tokens of a row of logits, best first, and their log probabilities."""
    top = float(row.max())
    total = top + float(np.log(np.exp(row - top).sum()))
    chosen = np.argpartition(row, -kept)[-kept:]
    chosen = chosen[np.argsort(-row[chosen], kind="stable")]
    return chosen.astype(np.int32), (row[chosen] - total).astype(np.float16)


def write(
    target: Path,
    prompts: Many[str],
    record: Record,
    *,
    tokens: int,
    seconds: float,
    progress: Callable[[float, str], None],
) -> None:
    """Let the target answer the prompts, over and over with other seeds, into `record`.

    Goes on until the record holds `tokens` said, or `seconds` have passed; answers that have not
    ended by then are kept as far as they have come. Raises ModelError where the target cannot be
    loaded or has said nothing.
    """
    done = [len(text.said) for text in record.texts()]
    said, start = sum(done), time.monotonic()
    with Model(target, exact=False) as model:
        length = min(_LENGTH, model.context_length or _LENGTH)
        with Context(model, length=length, sequences=_PARALLEL) as context:
            scribe = Scribe(min(KEPT, model.vocabulary.size))
            engine = Engine(context, model.vocabulary, [], scribe)
            asked = itertools.islice(_requests(model, prompts, length), len(done), None)
            working: list[Sequence] = []
            while said < tokens and time.monotonic() - start < seconds:
                while len(working) < _PARALLEL:
                    working.append(engine.prepare(next(asked)))
                    engine.submit(working[-1])
                engine.step()
                for sequence in [s for s in working if s.finish_reason]:
                    working.remove(sequence)
                    said += _keep(scribe.text(sequence), record)
                share = max(said / tokens, (time.monotonic() - start) / seconds)
                progress(share, f"letting the target write, {said} tokens")
            said += sum(_keep(scribe.text(sequence), record) for sequence in working)
    if said == 0:
        raise ModelError(
            f"{target.stem} has said nothing yet that could be learnt from; give it more time "
            "with --minutes."
        )


def _keep(text: Text | None, record: Record) -> int:
    """Add what was said to the record; returns how many tokens that was."""
    if text is None:
        return 0
    record.append(text)
    return len(text.said)


def _requests(model: Model, prompts: Many[str], length: int) -> Iterator[Request]:
    """One request after another without end, each prompt with ever new seeds."""
    words = Prompts(model.name, model.vocabulary, model.chat_template)
    for seed in itertools.count():
        for i, prompt in enumerate(prompts):
            once_greedily = (0.0, 0.7, 1.0) if seed < 3 else (0.7, 1.0)
            temperature = once_greedily[(i + seed) % len(once_greedily)]
            sampling = Sampling(temperature=temperature, top_p=1.0, seed=seed)
            tokens = words.tokens(prompt)[-(length - 16) :]
            yield Request(tokens, sampling, max_tokens=_ANSWER, speculation=0)
