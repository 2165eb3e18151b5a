"""How often a draft would have been right: on texts of a target that nothing was learnt from."""

from collections.abc import Sequence as Many
from pathlib import Path
from typing import NamedTuple

import numpy as np

from localspec.distill.record import Text
from localspec.llama.context import Context
from localspec.llama.model import Model
from localspec.llama.rows import Logits, Run

__all__ = ["Acceptance", "acceptance"]

_WARM = 0.8
"""The temperature at which the sampled share is reckoned."""


class Acceptance(NamedTuple):
    """Shares of a draft's first guesses that hold, over `tokens` places.

    `greedy`: both hold the same token for the likeliest. `sampled`: overlap of both at a
    temperature of 0.8, which no way of sampling a guess exceeds.
    """

    greedy: float
    sampled: float
    tokens: int


def acceptance(draft: Path, texts: Many[Text]) -> Acceptance:
    """Let `draft` read the texts and compare what it expects with what the target did."""
    greedy = sampled = 0.0
    tokens = 0
    with Model(draft, exact=False) as model:
        # no longer than the texts: some drafts were trained on contexts that fill a memory
        longest = max((len(text.prompt) + len(text.said) for text in texts), default=1)
        length = min(model.context_length or longest, longest)
        outputs = max((len(text.said) for text in texts), default=1)
        with Context(model, length=length, batch=length, outputs=outputs) as context:
            for text in texts:
                line = [*text.prompt.tolist(), *text.said.tolist()][:length]
                said = len(line) - len(text.prompt)
                if said < 1:
                    continue
                context.truncate(0, 0)
                rows = context.decode([Run(0, line[:-1], 0, said)])
                held, overlap = _compared(rows, text, said)
                greedy, sampled, tokens = greedy + held, sampled + overlap, tokens + said
    return Acceptance(greedy / max(1, tokens), sampled / max(1, tokens), tokens)


def _compared(rows: Logits, text: Text, said: int) -> tuple[float, float]:
    """How many likeliest tokens agree, and the sum of overlaps."""
    likely = text.likely[:said]
    held = float(np.sum(rows.argmax(1) == likely[:, 0]))
    theirs = np.exp(text.log_probabilities[:said].astype(np.float32) / _WARM)
    theirs /= theirs.sum(1, keepdims=True)
    scaled = (rows - rows.max(1, keepdims=True)) / _WARM
    ours = np.exp(np.take_along_axis(scaled, likely.astype(np.intp), 1))
    ours /= np.exp(scaled).sum(1, keepdims=True)
    return held, float(np.minimum(theirs, ours).sum())
