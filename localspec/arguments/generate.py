"""Arguments of `localspec generate`."""

from localspec.arguments.common import (
    MODEL,
    Verbs,
    add_draft,
    add_loading,
    add_sampling,
    add_verb,
    speculation,
)

__all__ = ["add"]


def add(verbs: Verbs) -> None:
    """The flags of `localspec generate`."""
    verb = add_verb(
        verbs,
        "generate",
        "answer one prompt, as it is being decoded",
        "Answer one prompt. The same seed gives the same text, with or without speculation.",
        example="-m llama-3.1-8b 'Why is the sky blue?'",
    )
    verb.add_argument("prompt", metavar="PROMPT", help="what to answer; - reads standard input")
    source = verb.add_argument_group("model")
    source.add_argument(
        "-m",
        "--model",
        default="shell",
        help=f"{MODEL} (default: shell)",
    )
    add_draft(source)
    source.add_argument("--system", metavar="S", help="instructions that come before the prompt")
    source.add_argument(
        "--raw", action="store_true", help="continue PROMPT as it is, without a chat template"
    )
    add_sampling(verb.add_argument_group("sampling"))
    verb.add_argument_group("speculation").add_argument(
        "--speculation",
        default="auto",
        type=speculation,
        metavar="auto|off|N",
        help="as it pays (default), never, or always N tokens",
    )
    add_loading(verb)
