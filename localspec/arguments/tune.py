"""Arguments of `localspec tune`."""

from localspec.arguments.common import Verbs, add_model, add_verb

__all__ = ["add"]


def add(verbs: Verbs) -> None:
    """The flags of `localspec tune`."""
    verb = add_verb(
        verbs,
        "tune",
        "measure what guessing costs here, and say what it is good for",
        "Measure how long this computer takes to look at 1, 2, 3 … tokens at once, keep it, and "
        "say which guesses are worth it.",
        example="llama-3.1-8b",
    )
    add_model(verb)
