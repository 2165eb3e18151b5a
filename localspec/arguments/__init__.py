"""The arguments of every verb: one file a verb, each with an `add`.

They stand apart from the verbs so that `--help` and mistakes are answered without loading
llama.cpp.
"""

import argparse
import os

from localspec import __version__, folders
from localspec.arguments import (
    audit,
    batch,
    bench,
    chat,
    distill,
    doctor,
    generate,
    models,
    serve,
    tune,
)
from localspec.arguments.parser import Parser

__all__ = ["VERBS", "flag", "parsers"]

VERBS = (generate, chat, serve, batch, models, distill, tune, bench, audit, doctor)
"""In the order in which `localspec --help` lists them."""


def parsers() -> tuple[argparse.ArgumentParser, dict[str, argparse.ArgumentParser]]:
    """That of the whole command line, and those of the verbs in it."""
    parser = Parser(
        prog="localspec",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        description="""\
Run language models on this computer, faster: a small model guesses ahead, the
large one checks all guesses at once and says exactly what it would have said
alone.""",
        epilog=f"""\
Try: localspec generate 'How do I list files by size?'

Flags that take a value can be kept as settings, in this file:
  {_home(str(folders.config() / "config.toml"))}
    model = "llama-3.1-8b"       for every command that has the flag
    [serve]
    port = 9000                  for one of them
or in variables: LOCALSPEC_MODEL, LOCALSPEC_SERVE_PORT. A flag counts more than
a variable, and a variable more than the file; localspec doctor shows them.""",
    )
    parser.add_argument("--version", action="version", version=f"localspec {__version__}")
    verbs = parser.add_subparsers(dest="verb", metavar="COMMAND", required=True)
    for verb in VERBS:
        verb.add(verbs)
    return parser, dict(verbs.choices)


def flag(option: str) -> str:
    """What an option of the Python API is called here."""
    _, verbs = parsers()
    actions = (action for verb in verbs.values() for action in verb._actions)
    said = (a.option_strings[-1] for a in actions if a.dest == option and a.option_strings)
    return next(said, option)


def _home(path: str) -> str:
    """A path as a person writes it."""
    home = os.path.expanduser("~")  # which may have none to tell, e.g. in a container
    return path.replace(home, "~", 1) if path.startswith(home + "/") else path
