"""The command line: parse, call a verb, turn what happened into an exit code.

Exit codes: 0 done, 1 failed, 2 wrong usage, 3 done with some failed items, 130 interrupted.
"""

import argparse
import os
import sys
import traceback
from collections.abc import Sequence
from importlib import import_module
from typing import NoReturn

from localspec import __version__
from localspec.arguments import VERBS
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
    for verb in VERBS:
        verb.add(verbs)
    return parser
