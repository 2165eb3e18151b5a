"""The command line: parse, call a verb, turn what happened into an exit code.

Exit codes: 0 done, 1 failed, 2 wrong usage, 3 done with some failed items, 130 interrupted.
"""

import io
import sys
import traceback
from collections.abc import Sequence
from importlib import import_module

from localspec import settings
from localspec.console import drop_output
from localspec.errors import LocalspecError

__all__ = ["main"]

INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns its exit code."""
    verbose = False
    try:
        _write_anything()
        options = settings.parse(arguments)
        verbose = options.verbose
        if options.json and isinstance(sys.stdout, io.TextIOWrapper):
            sys.stdout.reconfigure(encoding="utf-8")  # JSON is, whatever the terminal speaks
        verb = import_module(f"localspec.verbs.{options.verb}")
        code: int = verb.run(options)
        sys.stdout.flush()
    except LocalspecError as error:
        return _complain(str(error), error.exit_code, verbose)
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        drop_output()
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


def _write_anything() -> None:
    """What a terminal has no sign for becomes a question mark, not an error."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
