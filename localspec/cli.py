"""The command line: parse, call a verb, turn what happened into an exit code.

Exit codes: 0 done, 1 failed, 2 wrong usage, 3 done with some failed items, 130 interrupted.
"""

import argparse
import io
import os
import signal
import sys
import threading
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module

from localspec import console, streams
from localspec.arguments import flag, settings
from localspec.errors import INTERRUPTED, LocalspecError, UsageError

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns its exit code. Ctrl-C is for `__main__` to answer."""
    verbose = False
    try:
        streams.prepare()
        options = _parsed(arguments)
        verbose = options.verbose
        if options.json and isinstance(sys.stdout, io.TextIOWrapper):
            # JSON is, whatever the terminal speaks; a byte of a path that is none is escaped.
            sys.stdout.reconfigure(encoding="utf-8", errors="backslashreplace")
        with _leaving_at_once():
            verb = import_module(f"localspec.verbs.{options.verb}")
        code: int = verb.run(options)
        sys.stdout.flush()
    except UsageError as error:
        return _complain(_with_flag(error), error.exit_code, verbose)
    except LocalspecError as error:
        return _complain(str(error), error.exit_code, verbose)
    except MemoryError:
        return _complain("There is not enough memory for this.", 1, verbose)
    except Exception as error:
        if isinstance(error, OSError) and streams.has_no_reader(error):
            streams.drop(sys.stdout)
            return 0
        return _complain(_unforeseen(error), 1, verbose)
    return code


@contextmanager
def _leaving_at_once() -> Iterator[None]:
    """Ctrl-C ends the process: while libraries in C are loaded they make other errors of it."""
    usual = signal.getsignal(signal.SIGINT)
    main = threading.current_thread() is threading.main_thread()
    if not main or usual is not signal.default_int_handler:  # somebody wants it otherwise
        yield
        return
    signal.signal(signal.SIGINT, lambda *_: os._exit(INTERRUPTED))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, usual)


def _parsed(arguments: Sequence[str] | None) -> argparse.Namespace:
    try:
        return settings.parse(arguments)
    finally:
        sys.stdout.flush()  # --help and --version print, and leave


def _with_flag(error: UsageError) -> str:
    """An option at fault is called as it is on the command line."""
    return str(error).replace(error.option, flag(error.option), 1) if error.option else str(error)


def _unforeseen(error: Exception) -> str:
    """What nobody had a sentence for: a disk that is full, a folder that may not be written."""
    if isinstance(error, OSError) and streams.is_lost(error):
        streams.drop(sys.stdout)
        return f"The output cannot be written ({error.strerror}); send it elsewhere."
    if isinstance(error, OSError) and error.filename:
        return f"{error.filename} cannot be used ({error.strerror}); see localspec doctor."
    text = f"Something went wrong inside localspec ({type(error).__name__}: {error})"
    return f"{text}; -v shows where."


def _complain(sentence: str, code: int, verbose: bool) -> int:
    try:
        if verbose:
            traceback.print_exc()
        console.note(sentence)
    except OSError:
        streams.drop(sys.stderr)
    return code
