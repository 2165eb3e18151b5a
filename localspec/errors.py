"""What can go wrong, in words for the person it happens to.

Every error that reaches a user is a `LocalspecError` whose message is one sentence that says what
went wrong and what to do. `exit_code` is the command line's answer to it.
"""

from collections.abc import Iterable

from localspec.console import harmless

INTERRUPTED = 130
"""The command line's answer to Ctrl-C."""


class LocalspecError(Exception):
    """Something failed; the message is fit to be shown as it is.

    It may hold words of a model file or of a server, so nothing in it can harm a terminal.
    """

    exit_code = 1

    def __str__(self) -> str:
        return harmless(super().__str__())


class UsageError(LocalspecError):
    """What was asked for makes no sense: a value out of range, an unknown name, an empty prompt.

    Where an option is at fault its sentence begins with what that is called in Python; whoever
    calls it something else says so.
    """

    exit_code = 2

    def __init__(self, sentence: str, option: str | None = None) -> None:
        super().__init__(sentence)
        self.option = option


class ContextError(UsageError):
    """The prompt leaves no room for an answer in the model's context."""


class BusyError(LocalspecError):
    """As many answers as may wait are waiting already."""


class ModelError(LocalspecError):
    """A model file is missing, damaged, or not one that llama.cpp can run."""


class DecodeError(LocalspecError):
    """llama.cpp could not evaluate a batch, or could not change its KV cache as told."""


def nearest(name: str, known: Iterable[str], otherwise: str = "", alike: float = 0.6) -> str:
    """What was probably meant, as the end of a sentence; `otherwise` where nothing is near."""
    import difflib  # which takes time to import, and only mistakes need it

    near = difflib.get_close_matches(name, known, n=1, cutoff=alike)
    return f"; did you mean {near[0]!r}?" if near else otherwise
