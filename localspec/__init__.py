"""Local language models, faster: exact speculative decoding on llama.cpp.

    import localspec

    with localspec.load("shell") as llm:
        for piece in llm.stream("How do I list files by size?", max_tokens=64):
            print(piece.text, end="", flush=True)

Names are imported when they are first used, so that `import localspec` is quick (the command line
cannot answer Ctrl-C before) and so that llama.cpp is loaded before numpy (CUDA builds of it carry
their own libstdc++).
"""

import os.path
from importlib import import_module

TYPE_CHECKING = False  # typing itself takes longer to import than all that is here
if TYPE_CHECKING:
    from localspec.decoding.sampling import Sampling
    from localspec.decoding.sequence import Piece
    from localspec.errors import (
        BusyError,
        ContextError,
        DecodeError,
        LocalspecError,
        ModelError,
        UsageError,
    )
    from localspec.runtime import LLM, Answer, Stream, load

__version__ = "0.1.0"

__all__ = [
    "LLM",
    "Answer",
    "BusyError",
    "ContextError",
    "DecodeError",
    "LocalspecError",
    "ModelError",
    "Piece",
    "Sampling",
    "Stream",
    "UsageError",
    "load",
]

_HOMES = {
    "localspec.errors": [name for name in __all__ if name.endswith("Error")],
    "localspec.runtime": ["LLM", "Answer", "Stream", "load"],
    "localspec.decoding.sequence": ["Piece"],
    "localspec.decoding.sampling": ["Sampling"],
}

# In a bare checkout models/ and tui/ stand beside this folder instead of inside it.
_checkout = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))
if os.path.isfile(os.path.join(_checkout, "models", "embedded.py")):
    __path__.append(_checkout)


def __getattr__(name: str) -> object:
    home = next((home for home, names in _HOMES.items() if name in names), None)
    if home is None:
        raise AttributeError(f"module 'localspec' has no attribute {name!r}")
    if home != "localspec.errors":
        import_module("localspec.llama.library")
    return getattr(import_module(home), name)


def __dir__() -> list[str]:
    """What a person may want: names that are imported later, too."""
    return [*__all__, "__doc__", "__version__"]
