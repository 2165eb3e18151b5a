"""Does a twin say what its source says? Both read the same text; their logits are compared."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from localspec.errors import UsageError
from localspec.llama.context import Context
from localspec.llama.model import Model
from localspec.llama.rows import Logits, Run

__all__ = ["PASSAGE", "Agreement", "check"]

_ROWS = 64  # rows in a decode, all with logits

PASSAGE = """\
The lighthouse keeper climbed the stairs every evening, and every evening he counted them. There \
were two hundred and eleven. When the storm came in from the west he lit the lamp early, because \
the boats would be looking for it, and sat down at the window with a cup of tea.
<|im_start|>user
How do I find the ten largest files in a folder?<|im_end|>
<|im_start|>assistant
Use `du` to measure them, `sort` to put the largest first, and `head` to keep ten:

    du -a /path/to/folder | sort -n -r | head -n 10

<|im_end|>
<|im_start|>user
Write a Python function that adds the even numbers of a list.<|im_end|>
<|im_start|>assistant
def add_even(numbers):
    total = 0
    for number in numbers:
        if number % 2 == 0:
            total += number
    return total
<|im_end|>
<|im_start|>user
What is 17 + 25?<|im_end|>
<|im_start|>assistant
17 + 25 = 42<|im_end|>
"""
"""A few hundred tokens of what the shell pair was trained on: prose, shell, Python, sums."""


@dataclass(frozen=True)
class Agreement:
    """How two models' predictions compare after each of `tokens` tokens of a text.

    Differences are of log probabilities, over all positions and the source's whole vocabulary.
    """

    tokens: int
    same_argmax: float
    """Share of positions at which both hold the same token for the likeliest."""
    mean_difference: float
    max_difference: float
    added_probability: float
    """The most that all tokens together got which only the twin has."""


def check(twin: Path, source: Path, text: str = PASSAGE) -> Agreement:
    """Compare a twin with its source. UsageError for a text of no tokens.

    Where the source has another quantization than the twin, rounding is most of the difference;
    where it has the same, llama.cpp's rounding of activations to eight bits is.
    """
    theirs, _ = _predictions(source, text, None)
    ours, added = _predictions(twin, text, theirs.shape[1])
    difference = np.abs(ours - theirs)
    return Agreement(
        tokens=len(theirs),
        same_argmax=float(np.mean(ours.argmax(axis=1) == theirs.argmax(axis=1))),
        mean_difference=float(difference.mean()),
        max_difference=float(difference.max()),
        added_probability=added,
    )


def _predictions(path: Path, text: str, size: int | None) -> tuple[Logits, float]:
    """Log probabilities of the first `size` tokens, and the most the rest got, row by row."""
    with Model(path) as model:
        tokens = model.vocabulary.tokenize(text, control=True)
        if not tokens:
            raise UsageError("There is no text to compare on.")
        rows, added = [], 0.0
        with Context(model, length=len(tokens), batch=_ROWS, outputs=_ROWS) as context:
            for start in range(0, len(tokens), _ROWS):
                part = tokens[start : start + _ROWS]
                logits = _log_softmax(context.decode([Run(0, part, start, len(part))]))
                rows.append(logits[:, :size])
                if size is not None:
                    added = max(added, float(np.exp(logits[:, size:]).sum(axis=1).max()))
        return np.concatenate(rows), added


def _log_softmax(logits: Logits) -> Logits:
    shifted: Logits = logits - logits.max(axis=1, keepdims=True)
    shifted -= np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    return shifted
