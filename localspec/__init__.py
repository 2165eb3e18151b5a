"""Local language models, faster: exact speculative decoding on llama.cpp.

    import localspec

    with localspec.load("shell") as llm:
        for piece in llm.stream("How do I list files by size?", max_tokens=64):
            print(piece.text, end="", flush=True)

Names are imported when they are first used, so that `import localspec` is quick and so that
llama.cpp is loaded before numpy (CUDA builds of it carry their own libstdc++).
"""

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from localspec.errors import (
    BusyError,
    ContextError,
    DecodeError,
    LocalspecError,
    ModelError,
    UsageError,
)

if TYPE_CHECKING:
    from localspec.decoding.sampling import Sampling
    from localspec.decoding.sequence import Piece
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
    "LLM": "localspec.runtime",
    "Answer": "localspec.runtime",
    "load": "localspec.runtime",
    "Stream": "localspec.runtime",
    "Piece": "localspec.decoding.sequence",
    "Sampling": "localspec.decoding.sampling",
}

# In a bare checkout models/ and tui/ stand beside this folder instead of inside it.
_checkout = Path(__file__).resolve().parent.parent
if (_checkout / "models" / "embedded.py").is_file():
    __path__.append(str(_checkout))


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module 'localspec' has no attribute {name!r}")
    import_module("localspec.llama.library")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    """What a person may want: names that are imported later, too."""
    return [*__all__, "__doc__", "__version__"]
