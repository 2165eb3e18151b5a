"""Arguments of `localspec doctor`."""

from localspec.arguments.common import Verbs, add_verb

__all__ = ["add"]


def add(verbs: Verbs) -> None:
    """The flags of `localspec doctor`."""
    add_verb(
        verbs,
        "doctor",
        "say what works on this computer, and what to do about the rest",
        "Say what works on this computer, what to do about the rest, and which settings are in "
        "force. Nothing is changed.",
        example="--json",
    )
