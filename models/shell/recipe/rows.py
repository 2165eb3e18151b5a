"""Documents as rows of tokens.

A document is pieces of (text, whether the assistant says it). Rows have ROW tokens as uint16; a
token that is part of an answer, and so of the loss, has bit 15 (SAID) set.
"""

import numpy as np
from dialogues import Turns
from tokenizers import Tokenizer

__all__ = ["SAID", "Document", "encode", "pack", "segments"]

ROW = 1025
SAID = 0x8000
Document = list[tuple[str, bool]]


def segments(turns: Turns) -> Document:
    """A dialogue as pieces of text, and whether each is said by the assistant."""
    pieces: Document = []
    before = ""
    for role, text in turns:
        if role == "assistant":
            pieces += [(f"{before}<|im_start|>assistant\n", False), (f"{text}<|im_end|>", True)]
            before = "\n"
        else:
            before += f"<|im_start|>{role}\n{text}<|im_end|>\n"
    return [*pieces, ("\n<|endoftext|>", False)]


def encode(tokenizer: Tokenizer, documents: list[Document]) -> list[np.ndarray]:
    """Tokens of each document, with SAID set where they count."""
    flat = [piece for document in documents for piece in document]
    encoded = tokenizer.encode_batch([text for text, _ in flat])
    parts = [
        np.array(e.ids, np.uint16) | (SAID if said else 0) for e, (_, said) in zip(encoded, flat)
    ]
    ends = np.cumsum([len(document) for document in documents])
    return [
        np.concatenate(parts[end - len(d) : end]).astype(np.uint16)
        for d, end in zip(documents, ends)
    ]


def pack(documents: list[np.ndarray]) -> np.ndarray:
    """Rows of ROW tokens: documents one after another, none begun that does not fit, the rest
    filled with token 0 (end of text), which does not count. Long ones are cut."""
    rows, row, used = [], np.zeros(ROW, np.uint16), 0
    for document in documents:
        for start in range(0, len(document), ROW):
            part = document[start : start + ROW]
            if used + len(part) > ROW:
                rows.append(row)
                row, used = np.zeros(ROW, np.uint16), 0
            row[used : used + len(part)] = part
            used += len(part)
    return np.stack([*rows, row])
