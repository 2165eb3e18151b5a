"""What several verbs have in common: their first flags, a model and its draft, sampling."""

import argparse
from dataclasses import fields
from typing import TypeAlias

from localspec.loading import Loading

__all__ = [
    "MODEL",
    "Group",
    "Verbs",
    "add_draft",
    "add_key",
    "add_loading",
    "add_model",
    "add_sampling",
    "add_verb",
    "loading",
    "speculation",
]

Verbs: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"
Group: TypeAlias = "argparse._ArgumentGroup | argparse.ArgumentParser"

MODEL = "a name of models list, user/repo[:quant] or a GGUF file"
"""What a model may be called."""


def add_verb(
    verbs: Verbs,
    name: str,
    summary: str,
    description: str = "",
    *,
    example: str,
    json: str = "print one JSON document",
) -> argparse.ArgumentParser:
    """A verb with the flags that every verb has; `example` is what may follow its name."""
    verb: argparse.ArgumentParser = verbs.add_parser(
        name, help=summary, description=description or f"{summary[0].upper()}{summary[1:]}."
    )
    verb.epilog = f"Example: {verb.prog} {example}".rstrip()
    verb.add_argument("--json", action="store_true", help=json)
    verb.add_argument(
        "-v",
        "--verbose",
        action="store_true",
        help="show llama.cpp's log, and where an error comes from",
    )
    return verb


def add_sampling(group: "argparse._ArgumentGroup") -> None:
    """How an answer is chosen, and where it ends."""
    group.add_argument(
        "--max-tokens", type=int, metavar="N", help="end after N tokens (default: none)"
    )
    for flag, kind, metavar, text in (
        (
            "--temperature",
            float,
            "T",
            "0: always the likeliest token; 1: as trained (default: 0.7)",
        ),
        ("--top-k", int, "K", "choose among the K likeliest tokens only"),
        ("--top-p", float, "P", "choose among the likeliest that hold this share (default: 0.95)"),
        ("--min-p", float, "P", "leave out tokens less likely than this share of the likeliest"),
        ("--repeat-penalty", float, "R", "above 1, make tokens seen before less likely"),
    ):
        group.add_argument(flag, type=kind, metavar=metavar, help=text)
    group.add_argument("--seed", type=int, metavar="S", help="repeat an answer exactly")
    group.add_argument(
        "--stop", action="append", default=[], metavar="TEXT", help="end before TEXT; repeatable"
    )
    group.add_argument("--json-schema", metavar="FILE", help="only answers that match this schema")


def add_draft(
    group: Group, text: str = "what guesses ahead: auto (default), none, or a model"
) -> None:
    """What guesses ahead."""
    group.add_argument("--draft", default="auto", metavar="D", help=text)


def add_loading(verb: argparse.ArgumentParser) -> None:
    """How a model is loaded, in the words of `localspec.load` and of `localspec models fit`."""
    group = verb.add_argument_group("memory (localspec models fit says what fits)")
    group.add_argument(
        "--context", type=int, metavar="N", help="most tokens of a prompt and its answer together"
    )
    group.add_argument(
        "--cache",
        metavar="f16|q8_0",
        help="how the KV cache is kept: q8_0 takes half the memory of f16 (default), and rounds "
        "more",
    )
    group.add_argument(
        "--gpu-layers",
        type=int,
        metavar="N",
        help="layers that go to a GPU, where there is one (default: all)",
    )


def loading(options: argparse.Namespace) -> Loading:
    """What flags say of loading; what they do not say is as always. Raises UsageError."""
    said = {field.name: getattr(options, field.name, None) for field in fields(Loading)}
    return Loading(**{name: value for name, value in said.items() if value is not None})


def add_key(group: Group, whose: str) -> None:
    """A secret, which other users of a computer can see in a command line."""
    group.add_argument(
        "--api-key",
        metavar="KEY",
        help=f"{whose}; better set as LOCALSPEC_API_KEY, unseen by other users of this computer",
    )


def add_model(verb: argparse.ArgumentParser, default: str | None = "shell") -> None:
    """A target by position, and its draft."""
    verb.add_argument(
        "model",
        nargs="?",
        default=default,
        metavar="MODEL",
        help=f"{MODEL} (default: shell)",
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
