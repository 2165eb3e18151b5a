"""Loads a model and decodes a few tokens in a child, to see whether that can be done at all, and
how many of them at a time give the logits that each gives alone.
"""

import ctypes
import os
import sys
from pathlib import Path
from typing import Any, Literal, NamedTuple

from localspec.llama import child
from localspec.llama.amx import leave_out
from localspec.llama.creation import create
from localspec.llama.library import complaint, lib, start
from localspec.llama.parameters import parameters

__all__ = ["WIDTHS", "Outcome", "attempt"]

WIDTHS = (2, 3, 4, 5, 6, 7, 8, 12, 17)
"""Rows of a pass that are compared with passes of one row, until they differ."""

_REFUSED = 7  # the child's exit code for a file that llama.cpp itself turns down
_KILLED = -9  # what the system does where memory runs out
_SECONDS, _BYTES_A_SECOND = 60.0, 20e6  # for a slow disk
_SPARE_MEMORY = 1 << 30
_ALONE = 8  # rows that are evaluated one by one
_A_FEW = 4  # tokens: wide enough for other kernels than those of one


class Outcome(NamedTuple):
    """How it went, and what was said where it did not go well, as the end of a sentence.

    Passes of up to `even` rows give each the logits it gives alone, where that was looked at; up to
    `even_quickly` in llama.cpp's quickest way.
    """

    kind: Literal["works", "refused", "crashed", "killed", "unbounded"]
    reason: str = ""
    even: int = WIDTHS[-1]
    even_quickly: int = WIDTHS[-1]


def attempt(
    model: Path,
    *,
    size: int,
    repack: bool,
    amx: bool = True,
    decode: bool = True,
    compare: bool = True,
) -> Outcome:
    """Try a model of `size` bytes in all its files; `repack` is as for loading it, with `amx` or
    without.

    Without `decode` its weights are not looked at, which takes next to no memory; only with
    `compare` are widths compared, which takes dozens of rows.
    """
    seconds, memory = _SECONDS + size / _BYTES_A_SECOND, _SPARE_MEMORY + 2 * size
    flags = (str(int(flag)) for flag in (repack, amx, decode, compare))
    end = child.run(__name__, str(model), *flags, seconds=seconds, memory=memory)
    if end.exceeded:
        return Outcome("unbounded", end.exceeded)
    if end.code == 0:
        return Outcome("works", "", *map(int, end.output.split()))
    if end.code == _KILLED:
        return Outcome("killed", "the system ended the attempt")
    return Outcome("refused" if end.code == _REFUSED else "crashed", _without_folders(end.words))


def _without_folders(words: str) -> str:
    """An assertion names a file of whoever built the library: its last part says as much."""
    first, _, rest = words.removeprefix("what():").strip().partition(" ")
    return f"{Path(first).name} {rest}".strip(" .")


def _load_and_decode(model: str, repack: bool, amx: bool, decode: bool, compare: bool) -> None:
    """What the child does: plain llama.cpp, a few tokens wide, as that is where kernels differ."""
    start()
    if not amx:
        leave_out()
    params = lib.llama_model_default_params()
    params.use_extra_bufts = repack
    params.n_gpu_layers = 0
    loaded = lib.llama_model_load_from_file(os.fsencode(model), params)
    if not loaded:
        _refuse()
    rows = WIDTHS[-1]
    sizes = parameters(length=rows, sequences=1, batch=rows, outputs=rows, cache="f16", on_cpu=True)
    context, exactly = create(loaded, sizes)
    if not context:
        _refuse()
    vocabulary = lib.llama_model_get_vocab(loaded)
    text, room = b"Hello, 1 world!", (lib.llama_token * 16)()
    lib.llama_tokenize(vocabulary, text, len(text), room, len(room), False, True)
    if lib.llama_model_has_encoder(loaded):  # `Model` says so; to decode first would be its death
        return
    known = lib.llama_vocab_n_tokens(vocabulary)
    if not decode or known <= 1:
        return
    if compare:
        even = quickly = _even(context, known)
        if exactly and quickly < WIDTHS[-1]:
            exactly(True)
            even = _even(context, known)
        print(even, quickly)
    else:
        _logits(context, [1] * _A_FEW, 0, known)


def _even(context: Any, known: int) -> int:
    """The most rows a pass may have for each to give the logits that it gives alone, of a
    vocabulary of so many tokens.
    """
    tokens = [1 + i % (known - 1) for i in range(WIDTHS[-1])]
    alone = [row for i in range(_ALONE) for row in _logits(context, tokens[i : i + 1], i, known)]
    even = 1
    for width in WIDTHS:
        beside = _logits(context, tokens[:width], 0, known)
        if beside != alone[: len(beside)]:
            break
        even = width
    return even


def _logits(context: Any, tokens: list[int], position: int, known: int) -> list[bytes]:
    """Of the first rows of one pass, `position` tokens deep; what was deeper is forgotten."""
    if not position:
        lib.llama_memory_clear(lib.llama_get_memory(context), False)
    batch = lib.llama_batch_init(len(tokens), 0, 1)
    batch.n_tokens = len(tokens)
    for i, token in enumerate(tokens):
        batch.token[i], batch.pos[i], batch.logits[i] = token, position + i, True
        batch.n_seq_id[i], batch.seq_id[i][0] = 1, 0
    lib.llama_decode(context, batch)
    lib.llama_batch_free(batch)
    found = [lib.llama_get_logits_ith(context, i) for i in range(min(len(tokens), _ALONE))]
    return [ctypes.string_at(row, 4 * known) if row else b"" for row in found]  # encoders have none


def _refuse() -> None:
    print(complaint(), file=sys.stderr)
    sys.exit(_REFUSED)


if __name__ == "__main__":
    _load_and_decode(sys.argv[1], *(flag == "1" for flag in sys.argv[2:]))
