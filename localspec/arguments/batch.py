"""Arguments of `localspec batch`."""

import argparse

from localspec.arguments.common import (
    MODEL,
    Group,
    Verbs,
    add_draft,
    add_key,
    add_loading,
    add_sampling,
    add_verb,
)

__all__ = ["add"]


def add(verbs: Verbs) -> None:
    """The flags of `localspec batch`."""
    verb = add_verb(
        verbs,
        "batch",
        "answer a file of prompts; stopped at any moment, it goes on where it was",
        "Answer the lines of a file into another. Stopped at any moment, by Ctrl-C, a crash or a "
        "power cut, the same command goes on where it was, and the output is the same to the "
        "byte. Lines are requests of OpenAI's batch format, or bare: "
        '{"prompt": "…"} or {"messages": […]}, with sampling fields of their own.',
        example="prompts.jsonl -o answers.jsonl",
        json="print how it goes on, a JSON document a line",
    )
    verb.add_argument(
        "input", metavar="IN", help="JSON lines, CSV or TSV, also .gz or .zst; - reads JSON lines"
    )
    verb.add_argument("-o", "--output", required=True, metavar="OUT", help="JSON lines of answers")
    _add_lines(verb.add_argument_group("lines"))
    _add_who(verb.add_argument_group("who answers"))
    add_loading(verb)
    add_sampling(verb.add_argument_group("sampling, for lines that do not say otherwise"))


def _add_lines(lines: Group) -> None:
    """What is made of the lines that come in, and of those that go out."""
    lines.add_argument(
        "--template", metavar="T", help="prompts made of fields or columns: 'Summarise: {text}'"
    )
    lines.add_argument("--system", metavar="S", help="instructions that come before bare prompts")
    lines.add_argument(
        "--raw", action="store_true", help="continue bare prompts as they are, without a template"
    )
    lines.add_argument(
        "--order",
        choices=("input", "completion"),
        default="input",
        help="order of the output: that of the input (default), or in which answers came",
    )
    lines.add_argument(
        "--retry-failed", action="store_true", help="ask lines that failed before once more"
    )


def _add_who(who: Group) -> None:
    """A model here, servers, or a cluster."""
    who.add_argument(
        "-m",
        "--model",
        help=f"{MODEL} (default: shell); with --endpoint, the server's name for it",
    )
    add_draft(who)
    who.add_argument(
        "--parallel",
        type=parallel,
        metavar="auto|N",
        help="answers at a time: as many as this computer is quick with (default), or N; with "
        "--endpoint, N for each (default: 16)",
    )
    who.add_argument(
        "--endpoint",
        action="append",
        default=[],
        metavar="URL",
        help="a server with OpenAI's interface that answers instead; repeatable",
    )
    who.add_argument(
        "--ray",
        metavar="ADDRESS",
        help="a Ray cluster whose workers answer instead (auto: the one this computer is in)",
    )
    add_key(who, "the servers' key")


def parallel(text: str) -> int | None:
    """A number of answers, or None for `auto`."""
    if text == "auto":
        return None
    if text.isascii() and text.isdigit() and int(text) > 0:
        return int(text)
    raise argparse.ArgumentTypeError(f"{text!r} is not auto or a number of answers")
