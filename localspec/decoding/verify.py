"""The target's judgement of a draft.

One decode gave a row of logits after the last committed token and one after each guess. The
target picks token by token, along the guesses for as long as they are what it picks; its first
pick that nobody guessed is committed too, so a step always gives at least one token.
"""

from localspec.decoding.draft import Draft
from localspec.decoding.sequence import Sequence
from localspec.llama.rows import Logits

__all__ = ["verify"]


def verify(sequence: Sequence, draft: Draft, rows: Logits) -> int:
    """Commit what the target picks; returns how many of the guesses held.

    `rows` has shape (1 + len(draft), n_vocab): row 0 follows the last committed token, row i + 1
    follows guess i. An answer may end before the guesses do.
    """
    for held, guess in enumerate(draft.tokens):
        token = sequence.sampler.pick(rows[held], len(sequence))
        sequence.commit(token, draft.drafter if token == guess else None, rows[held])
        if token != guess:
            return held
        if sequence.finish_reason:
            return held + 1
    row = rows[len(draft)]
    sequence.commit(sequence.sampler.pick(row, len(sequence)), None, row)
    return len(draft)
