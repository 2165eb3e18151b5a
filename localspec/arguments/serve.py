"""Arguments of `localspec serve`."""

from localspec.arguments.common import Group, Verbs, add_key, add_loading, add_model, add_verb

__all__ = ["PARALLEL", "add"]

PARALLEL = 4
"""Answers made at the same time, where nobody asks for more or less."""


def add(verbs: Verbs) -> None:
    """The flags of `localspec serve`."""
    verb = add_verb(
        verbs,
        "serve",
        "serve a model to editors, agents and scripts (OpenAI's and Anthropic's interfaces)",
        "Serve a model over HTTP, to this computer only unless told otherwise. Programs made for "
        "OpenAI or Anthropic work with it: point them to the address that is shown.",
        example="llama-3.1-8b --port 9000",
    )
    add_model(verb)
    _add_where(verb.add_argument_group("who may connect"))
    _add_how_much(verb.add_argument_group("how much"))
    add_loading(verb)


def _add_where(where: Group) -> None:
    """Addresses, names and the key of those who are answered."""
    where.add_argument(
        "--host", default="127.0.0.1", metavar="H", help="address to listen at (default: 127.0.0.1)"
    )
    where.add_argument(
        "--port",
        type=int,
        default=8080,
        metavar="P",
        help="port (default: 8080); 0: any that is free",
    )
    add_key(where, "clients must send it")
    where.add_argument(
        "--allow-host",
        action="append",
        default=[],
        metavar="NAME",
        help="a name by which clients call this computer; repeatable",
    )
    where.add_argument(
        "--allow-origin",
        action="append",
        default=[],
        metavar="ORIGIN",
        help="web pages that may use the server (https://example.org); repeatable",
    )


def _add_how_much(how: Group) -> None:
    """How many are answered at a time, how many wait, and how long the model stays."""
    how.add_argument(
        "--parallel",
        type=int,
        default=PARALLEL,
        metavar="N",
        help=f"answers made at the same time (default: {PARALLEL})",
    )
    how.add_argument(
        "--queue",
        dest="waiting",
        type=int,
        default=64,
        metavar="N",
        help="requests that may wait (default: 64)",
    )
    how.add_argument(
        "--keep-alive",
        type=float,
        metavar="SECONDS",
        help="unload the model when nobody has asked for that long (default: never)",
    )
