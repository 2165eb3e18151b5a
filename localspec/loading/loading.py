"""What is loaded and how: the one place that knows these words.

`localspec.load` takes them one by one, and flags of the same names fill them in; settings of the
server and of batches carry them whole.
"""

from dataclasses import KW_ONLY, dataclass
from pathlib import Path
from typing import TypedDict, get_args

from localspec.errors import UsageError
from localspec.llama.cache import CacheType

__all__ = ["Loading", "Sizes"]

_LONGEST_CONTEXT = 8192
_MOST_GUESSES = 16
_BATCH = 512
_MOST = 2**31 - 1  # llama.cpp would take something else for more
_MOST_PARALLEL = 256  # likewise (LLAMA_MAX_SEQ)


class Sizes(TypedDict):
    """How large a cache is made, in the words of `llama.Context`."""

    length: int
    sequences: int
    batch: int
    outputs: int
    cache: CacheType


@dataclass(frozen=True)
class Loading:
    """Load a target and its draft.

    `model` is an embedded name, one that was pulled (an alias, `user/repo[:quant]`), or a path;
    `draft` the same, "auto" (the one made for the model or found best by `localspec models pair`,
    if any) or "none". `context` is the most tokens of prompt and answer together, by default what
    the model was trained on, at most 8192. `parallel` answers can be decoded at once.
    `gpu_layers` is how many layers go to a GPU (-1: all), `cache` how keys and values are kept:
    "q8_0" takes half the memory of "f16", and rounds more. `localspec models fit` says what fits.
    `waiting` is how many more requests may wait for their turn, by default any number.

    Raises ModelError where a file cannot be used, UsageError where a name is unknown or a value
    makes no sense.
    """

    model: str | Path = "shell"
    _: KW_ONLY
    draft: str | Path = "auto"
    context: int | None = None
    parallel: int = 1
    gpu_layers: int = -1
    cache: CacheType = "f16"
    waiting: int | None = None

    def __post_init__(self) -> None:
        for name, least, most in (
            ("context", 1, _MOST),
            ("parallel", 1, _MOST_PARALLEL),
            ("gpu_layers", -1, _MOST),
            ("waiting", 0, _MOST),
        ):
            value = getattr(self, name)
            if value is not None and not least <= value <= most:
                limit = f"at least {least}" if value < least else f"at most {most}"
                raise UsageError(f"{name} is {value}; it must be {limit}.", name)
        if self.cache not in (kinds := get_args(CacheType)):
            raise UsageError(f"cache is {self.cache!r}; it must be {' or '.join(kinds)}.")

    @property
    def most(self) -> int | None:
        """Answers that may be made or wait at once; None: any number."""
        return None if self.waiting is None else self.parallel + self.waiting

    def length(self, *trained: int | None) -> int:
        """Tokens of context for models that were trained on so many, as far as that is known."""
        return min(filter(None, (self.context or _LONGEST_CONTEXT, *trained)))

    def sizes(self, *trained: int | None) -> Sizes:
        """The cache of a model that was trained on so many tokens, as was the one it guesses for.

        A decode takes `batch` rows at most, `outputs` of them with logits.
        """
        outputs = self.parallel * (1 + _MOST_GUESSES)
        return {
            "length": self.length(*trained),
            "sequences": self.parallel,
            "batch": max(_BATCH, 2 * outputs),
            "outputs": outputs,
            "cache": self.cache,
        }
