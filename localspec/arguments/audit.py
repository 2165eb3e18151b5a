"""Arguments of `localspec audit`."""

from localspec.arguments.common import Verbs, add_loading, add_model, add_verb

__all__ = ["add"]


def add(verbs: Verbs) -> None:
    """The flags of `localspec audit`."""
    verb = add_verb(
        verbs,
        "audit",
        "check that guessing changes no word here",
        "Check on this computer that guessing changes nothing: whether a token's logits depend on "
        "how many are looked at together, whether texts are the same with and without guesses, "
        "and whether tokens come as often as the model itself says. The exit code is 1 where "
        "something differs.",
        example="llama-3.1-8b",
    )
    add_model(verb)
    add_loading(verb)
