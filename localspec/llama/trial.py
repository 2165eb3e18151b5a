"""Loads a model and decodes a few tokens in a child, to see whether that can be done at all."""

import sys
from pathlib import Path
from typing import Literal, NamedTuple

from localspec.llama import child
from localspec.llama.library import complaint, lib, start

__all__ = ["Outcome", "attempt"]

_REFUSED = 7  # the child's exit code for a file that llama.cpp itself turns down
_KILLED = -9  # what the system does where memory runs out
_SECONDS, _BYTES_A_SECOND = 60.0, 20e6  # for a slow disk
_SPARE_MEMORY = 1 << 30


class Outcome(NamedTuple):
    """How it went, and what was said where it did not go well, as the end of a sentence."""

    kind: Literal["works", "refused", "crashed", "killed", "unbounded"]
    reason: str = ""


def attempt(model: Path, *, size: int, repack: bool, decode: bool = True) -> Outcome:
    """Try a model of `size` bytes in all its files; `repack` is as for loading it.

    Without `decode` its weights are not looked at, which takes next to no memory.
    """
    seconds, memory = _SECONDS + size / _BYTES_A_SECOND, _SPARE_MEMORY + 2 * size
    end = child.run(
        __name__, str(model), str(int(repack)), str(int(decode)), seconds=seconds, memory=memory
    )
    if end.exceeded:
        return Outcome("unbounded", end.exceeded)
    if end.code == 0:
        return Outcome("works")
    if end.code == _KILLED:
        return Outcome("killed", "the system ended the attempt")
    return Outcome("refused" if end.code == _REFUSED else "crashed", _without_folders(end.words))


def _without_folders(words: str) -> str:
    """An assertion names a file of whoever built the library: its last part says as much."""
    first, _, rest = words.removeprefix("what():").strip().partition(" ")
    return f"{Path(first).name} {rest}".strip(" .")


def _load_and_decode(model: str, repack: bool, decode: bool) -> None:
    """What the child does: plain llama.cpp, a few tokens wide, as that is where kernels differ."""
    start()
    params = lib.llama_model_default_params()
    params.use_extra_bufts = repack
    params.n_gpu_layers = 0
    loaded = lib.llama_model_load_from_file(model.encode(), params)
    if not loaded:
        _refuse()
    sizes = lib.llama_context_default_params()
    sizes.n_ctx = sizes.n_batch = sizes.n_ubatch = 32
    context = lib.llama_init_from_model(loaded, sizes)
    if not context:
        _refuse()
    vocabulary = lib.llama_model_get_vocab(loaded)
    text, room = b"Hello, 1 world!", (lib.llama_token * 16)()
    lib.llama_tokenize(vocabulary, text, len(text), room, len(room), False, True)
    if decode and lib.llama_vocab_n_tokens(vocabulary) > 1 and lib.llama_model_has_decoder(loaded):
        tokens = (lib.llama_token * 4)(1, 1, 1, 1)
        lib.llama_decode(context, lib.llama_batch_get_one(tokens, len(tokens)))


def _refuse() -> None:
    print(complaint(), file=sys.stderr)
    sys.exit(_REFUSED)


if __name__ == "__main__":
    _load_and_decode(sys.argv[1], sys.argv[2] == "1", sys.argv[3] == "1")
