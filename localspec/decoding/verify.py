"""The target's judgement of a draft.

One decode gave a row of logits after the last committed token and one after each guess. The
target picks token by token, along the guesses for as long as they are what it picks; its first
pick that nobody guessed is committed too, so a step always gives at least one token.
"""

from localspec.decoding.draft import ROOT, Draft
from localspec.decoding.sequence import Sequence
from localspec.llama.rows import Logits

__all__ = ["verify"]


def verify(sequence: Sequence, draft: Draft, rows: Logits) -> list[int]:
    """Commit what the target picks; returns the places in the draft of the guesses that held.

    `rows` has shape (1 + len(draft), n_vocab): row 0 follows the last committed token, row i + 1
    follows guess i. An answer may end before the guesses do.
    """
    held: list[int] = []
    node = ROOT
    while True:
        row = rows[node + 1]
        token = sequence.sampler.pick(row, len(sequence))
        child = draft.child(node, token)
        sequence.commit(token, None if child is None else draft.drafter, row)
        if child is None or sequence.finish_reason:
            return held if child is None else [*held, child]
        held.append(child)
        node = child
