"""What several verbs have in common: their first flags, a model and its draft, sampling."""

import argparse
from typing import TypeAlias

__all__ = ["Verbs", "add_draft", "add_model", "add_sampling", "add_verb", "speculation"]

Verbs: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"


def add_verb(
    verbs: Verbs, name: str, summary: str, description: str = ""
) -> argparse.ArgumentParser:
    """A verb with the flags that every verb has."""
    verb: argparse.ArgumentParser = verbs.add_parser(
        name, help=summary, description=description or summary
    )
    verb.add_argument("--json", action="store_true", help="print one JSON document")
    verb.add_argument("-v", "--verbose", action="store_true", help="show llama.cpp's log")
    return verb


def add_sampling(group: "argparse._ArgumentGroup") -> None:
    """How an answer is chosen, and where it ends."""
    group.add_argument("--max-tokens", type=int, metavar="N", help="end after N tokens")
    for flag, kind, text in (
        (
            "--temperature",
            float,
            "0: always the likeliest token; 1: as trained (default: 0.7)",
        ),
        ("--top-k", int, "choose among the K likeliest tokens only"),
        ("--top-p", float, "choose among the likeliest that hold this share (default: 0.95)"),
        ("--min-p", float, "leave out tokens less likely than this share of the likeliest"),
        ("--repeat-penalty", float, "above 1, make tokens seen before less likely"),
    ):
        group.add_argument(flag, type=kind, metavar=kind.__name__[0].upper(), help=text)
    group.add_argument("--seed", type=int, metavar="S", help="repeat an answer exactly")
    group.add_argument(
        "--stop", action="append", default=[], metavar="TEXT", help="end before TEXT; repeatable"
    )
    group.add_argument("--json-schema", metavar="FILE", help="only answers that match this schema")


def add_draft(
    group: "argparse._ArgumentGroup | argparse.ArgumentParser",
    text: str = "auto, none, or a model that guesses ahead",
) -> None:
    """What guesses ahead."""
    group.add_argument("--draft", default="auto", metavar="D", help=text)


def add_model(verb: argparse.ArgumentParser) -> None:
    """A target by position, and its draft."""
    verb.add_argument(
        "model",
        nargs="?",
        default="shell",
        metavar="MODEL",
        help="as for generate (default: shell)",
    )
    add_draft(verb)


def speculation(text: str) -> str | int:
    """`auto`, or how many tokens to guess, from what was typed."""
    if text == "auto":
        return text
    if text == "off":
        return 0
    if text.isascii() and text.isdigit():
        return int(text)
    raise argparse.ArgumentTypeError(f"{text!r} is not auto, off or a number of tokens")
