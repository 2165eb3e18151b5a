"""`localspec chat`: a conversation in the terminal."""

import argparse
import sys

from localspec import UsageError
from localspec.arguments.common import loading
from localspec.tui.terminal import Terminal

__all__ = ["run"]


def run(options: argparse.Namespace) -> int:
    """Talk until the person leaves."""
    if options.json:
        raise UsageError("The chat is for people; localspec generate --json is for programs.")
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise UsageError("The chat needs a terminal; localspec generate reads and writes pipes.")
    with Terminal() as terminal:
        from localspec.tui.start import start  # while the terminal answers
    return start(
        options.model,
        options.draft,
        terminal,
        endpoint=options.endpoint,
        api_key=options.api_key,
        resume=options.resume,
        loading=loading(options),
    )
