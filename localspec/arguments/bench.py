"""Arguments of `localspec bench`."""

import argparse

from localspec.arguments.common import Verbs, add_model, add_verb

__all__ = ["add"]


def add(verbs: Verbs) -> None:
    """The flags of `localspec bench`."""
    verb = add_verb(
        verbs,
        "bench",
        "plain decoding against guessing, side by side, by task",
        "Measure how fast answers come with guessing and without (plain), in turns within one run, "
        "by kind of task.",
        example="--limit 2",
    )
    add_model(verb)
    _add_work(verb)
    _add_answers(verb)


def _add_work(verb: argparse.ArgumentParser) -> None:
    """What is measured, and beside what."""
    for flag, kind, metavar, text in (
        ("--prompts", str, "FILE", "Spec-Bench, MT-bench or HumanEval prompts instead of our own"),
        ("--tasks", str, "A,B", "only these tasks (default: all)"),
        ("--limit", int, "N", "at most N prompts of each task (default: all)"),
        (
            "--shape",
            str,
            "NAME",
            "bench a twin: this pair inside the shape of a bigger model, as llama-3.1-8b",
        ),
        ("--plot", str, "FILE", "write a picture (PNG or SVG; needs matplotlib)"),
        ("--against", str, "DRAFT", "another draft of the same model, in turns with the first"),
        ("--peer", str, "llama-server=PATH", "the same work through llama-server, in turns"),
    ):
        verb.add_argument(flag, type=kind, metavar=metavar, help=text)


def _add_answers(verb: argparse.ArgumentParser) -> None:
    """How it is answered."""
    verb.add_argument(
        "--max-tokens",
        type=int,
        default=128,
        metavar="N",
        help="end answers after N (default: 128)",
    )
    verb.add_argument(
        "--temperature", type=float, default=0.0, metavar="T", help="as for generate (default: 0)"
    )
    verb.add_argument(
        "--all", action="store_true", help="measure fixed guesses of 1 to 8 tokens too"
    )
    verb.add_argument(
        "--quantization",
        choices=("Q4_0", "Q8_0"),
        default="Q4_0",
        help="how a twin is stored (default: Q4_0)",
    )
