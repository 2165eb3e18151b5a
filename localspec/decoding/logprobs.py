"""True log-probabilities of tokens, from the target's own row of logits.

They are the model's: before temperature, filters, penalties and grammars, as vLLM and llama-server
have them. Where a guess held, the row is the one that confirmed it, so speculation changes none.
"""

import numpy as np

from localspec.llama.rows import Logits

__all__ = ["likeliest"]


def likeliest(row: Logits, token: int, top: int) -> list[tuple[int, float]]:
    """`token` with its log-probability, and then the `top` likeliest tokens, best first."""
    best = row.max()
    norm = float(best) + float(np.log(np.exp(row - best).sum(dtype=np.float64)))
    chosen = [(token, float(row[token]) - norm)]
    if not top:
        return chosen
    nearest = np.argpartition(-row, min(top, len(row) - 1))[:top]
    order = nearest[np.lexsort((nearest, -row[nearest]))]
    return chosen + [(int(t), float(row[t]) - norm) for t in order]
