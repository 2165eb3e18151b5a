"""Arguments of `localspec bench`."""

from localspec.arguments.common import Verbs, add_model, add_verb

__all__ = ["add"]


def add(verbs: Verbs) -> None:
    """The flags of `localspec bench`."""
    verb = add_verb(
        verbs,
        "bench",
        "plain decoding against guessing, side by side, by task",
        "Plain decoding against guessing, in turns within one run, by task.",
        example="--limit 2",
    )
    add_model(verb)
    for flag, kind, metavar, text in (
        ("--prompts", str, "FILE", "Spec-Bench, MT-bench or HumanEval prompts instead of our own"),
        ("--tasks", str, "A,B", "only these tasks"),
        ("--limit", int, "N", "N prompts a task"),
        ("--shape", str, "NAME", "a twin: this pair inside the shape of a bigger model"),
        ("--plot", str, "FILE", "write a picture (PNG or SVG; needs matplotlib)"),
        ("--against", str, "DRAFT", "another draft of the same model, in turns with the first"),
        ("--peer", str, "llama-server=PATH", "the same work through llama-server, in turns"),
    ):
        verb.add_argument(flag, type=kind, metavar=metavar, help=text)
    verb.add_argument("--max-tokens", type=int, default=128, metavar="N", help="of an answer (128)")
    verb.add_argument("--temperature", type=float, default=0.0, metavar="T", help="0 by default")
    verb.add_argument("--all", action="store_true", help="fixed lengths 1 to 8 too")
    verb.add_argument(
        "--quantization", choices=("Q4_0", "Q8_0"), default="Q4_0", help="of a twin (Q4_0)"
    )
