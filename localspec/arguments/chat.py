"""Arguments of `localspec chat`."""

import argparse

from localspec.arguments.common import Verbs, add_key, add_loading, add_model, add_verb

__all__ = ["add"]


def add(verbs: Verbs) -> None:
    """The flags of `localspec chat`."""
    verb = add_verb(
        verbs,
        "chat",
        "talk with a model in the terminal, and watch it guess",
        "Talk with a model in the terminal. Everything is kept; / shows what can be done.",
        example="llama-3.1-8b",
        json=argparse.SUPPRESS,  # it is for people, and says so
    )
    add_model(verb, default=None)  # a server has a first model of its own
    verb.add_argument(
        "-c",
        "--continue",
        action="store_true",
        dest="resume",
        help="go on with the latest conversation",
    )
    verb.add_argument(
        "--endpoint",
        metavar="URL",
        help="talk to an OpenAI-compatible server instead",
    )
    add_key(verb, "the server's key")
    add_loading(verb)
