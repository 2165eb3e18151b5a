"""The command line: parse, call a verb, turn what happened into an exit code.

Exit codes: 0 done, 1 failed, 2 wrong usage, 3 done with some failed items, 130 interrupted.
"""

import argparse
import os
import sys
import traceback
from collections.abc import Sequence
from importlib import import_module
from typing import NoReturn, TypeAlias

from localspec import __version__
from localspec.errors import LocalspecError, UsageError

__all__ = ["main"]

INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns its exit code."""
    verbose = False
    try:
        options = _parser().parse_args(arguments)
        verbose = options.verbose
        verb = import_module(f"localspec.verbs.{options.verb}")
        code: int = verb.run(options)
        sys.stdout.flush()
    except LocalspecError as error:
        return _complain(str(error), error.exit_code, verbose)
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        _drop_output()
        return 0  # whoever was reading has seen enough
    except MemoryError:
        return _complain("There is not enough memory for this.", 1, verbose)
    except Exception as error:
        text = f"Something went wrong inside localspec ({type(error).__name__}: {error})"
        return _complain(f"{text}; -v shows where.", 1, verbose)
    return code


def _complain(sentence: str, code: int, verbose: bool) -> int:
    if verbose:
        traceback.print_exc()
    print(f"localspec: {sentence}", file=sys.stderr)
    return code


def _drop_output() -> None:
    """Keep Python from flushing into the closed pipe when it exits."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one sentence, without the usage of everything."""

    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message}; {self.prog} --help shows how.")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="localspec",
        description="Run language models on this computer, faster: a small model guesses ahead, "
        "the large one checks all guesses at once and says exactly what it would have said alone.",
        epilog="Try: localspec generate 'How do I list files by size?'",
    )
    parser.add_argument("--version", action="version", version=f"localspec {__version__}")
    verbs = parser.add_subparsers(dest="verb", metavar="COMMAND", required=True)
    _add_generate(verbs)
    _add_tune(verbs)
    _add_bench(verbs)
    _add_doctor(verbs)
    return parser


Verbs: TypeAlias = "argparse._SubParsersAction[_Parser]"


def _add(verbs: Verbs, name: str, summary: str, description: str = "") -> argparse.ArgumentParser:
    """A verb with the flags that every verb has."""
    verb: argparse.ArgumentParser = verbs.add_parser(
        name, help=summary, description=description or summary
    )
    verb.add_argument("--json", action="store_true", help="print one JSON document")
    verb.add_argument("-v", "--verbose", action="store_true", help="show llama.cpp's log")
    return verb


def _add_generate(verbs: Verbs) -> None:
    verb = _add(
        verbs,
        "generate",
        "answer one prompt, as it is being decoded",
        "Answer one prompt. The same seed gives the same text, with or without speculation.",
    )
    verb.add_argument("prompt", metavar="PROMPT", help="what to answer; - reads standard input")
    source = verb.add_argument_group("model")
    source.add_argument(
        "-m", "--model", default="shell", help="an embedded name or a GGUF file (default: shell)"
    )
    _add_draft(source)
    source.add_argument("--system", metavar="S", help="instructions that come before the prompt")
    source.add_argument(
        "--raw", action="store_true", help="continue PROMPT as it is, without a chat template"
    )
    _add_sampling(verb.add_argument_group("sampling"))
    verb.add_argument_group("speculation").add_argument(
        "--speculation",
        default="auto",
        type=_speculation,
        metavar="auto|off|N",
        help="as it pays (default), never, or always N tokens",
    )


def _add_sampling(group: "argparse._ArgumentGroup") -> None:
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


def _add_draft(group: "argparse._ArgumentGroup | argparse.ArgumentParser") -> None:
    group.add_argument(
        "--draft", default="auto", metavar="D", help="auto, none, or a model that guesses ahead"
    )


def _add_model(verb: argparse.ArgumentParser) -> None:
    verb.add_argument(
        "model",
        nargs="?",
        default="shell",
        metavar="MODEL",
        help="as for generate (default: shell)",
    )
    _add_draft(verb)


def _add_tune(verbs: Verbs) -> None:
    verb = _add(
        verbs,
        "tune",
        "measure what guessing costs here, and say what it is good for",
        "Measure how long this computer takes to look at 1, 2, 3 … tokens at once, keep it, and "
        "say which guesses are worth it.",
    )
    _add_model(verb)


def _add_bench(verbs: Verbs) -> None:
    verb = _add(
        verbs,
        "bench",
        "plain decoding against guessing, side by side, by task",
        "Plain decoding against guessing, in turns within one run, by task.",
    )
    _add_model(verb)
    for flag, kind, metavar, text in (
        ("--prompts", str, "FILE", "Spec-Bench, MT-bench or HumanEval prompts instead of our own"),
        ("--tasks", str, "A,B", "only these tasks"),
        ("--limit", int, "N", "N prompts a task"),
        ("--shape", str, "NAME", "a twin: this pair inside the shape of a bigger model"),
        ("--plot", str, "FILE", "write a picture (PNG or SVG; needs matplotlib)"),
        ("--peer", str, "llama-server=PATH", "the same work through llama-server, in turns"),
    ):
        verb.add_argument(flag, type=kind, metavar=metavar, help=text)
    verb.add_argument("--max-tokens", type=int, default=128, metavar="N", help="of an answer (128)")
    verb.add_argument("--temperature", type=float, default=0.0, metavar="T", help="0 by default")
    verb.add_argument("--all", action="store_true", help="fixed lengths 1 to 8 too")
    verb.add_argument(
        "--quantization", choices=("Q4_0", "Q8_0"), default="Q4_0", help="of a twin (Q4_0)"
    )


def _add_doctor(verbs: Verbs) -> None:
    _add(verbs, "doctor", "say what works on this computer, and what to do about the rest")


def _speculation(text: str) -> str | int:
    if text == "auto":
        return text
    if text == "off":
        return 0
    if text.isascii() and text.isdigit():
        return int(text)
    raise argparse.ArgumentTypeError(f"{text!r} is not auto, off or a number of tokens")
