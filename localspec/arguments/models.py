"""Arguments of `localspec models` and of what it does."""

import argparse

from localspec.arguments.common import MODEL, Verbs, add_draft, add_verb
from localspec.arguments.serve import PARALLEL

__all__ = ["add"]


def add(verbs: Verbs) -> None:
    """The actions of `localspec models`, each with flags of its own."""
    verb: argparse.ArgumentParser = verbs.add_parser(
        "models",
        help="find, fetch, check and pair model files",
        description="Model files: what is here, what there is, what fits and what goes together.",
        epilog="A MODEL is 'shell', a name of 'models list', user/repo[:quant], or a GGUF file.",
    )
    actions = verb.add_subparsers(dest="action", metavar="ACTION", required=True)
    listing = add_verb(actions, "list", "models on this computer", example="--all")
    listing.add_argument("--all", action="store_true", help="those of the catalogue too")
    _add_pull(actions)
    _add_show(actions)
    remove = add_verb(actions, "rm", "delete a pulled model", example="llama-3.1-8b")
    _add_name(remove, f"{MODEL}; twins: all that bench --shape made")
    remove.add_argument("-y", "--yes", action="store_true", help="do not ask")
    _add_pair(actions)
    _add_fit(actions)
    verify = add_verb(
        actions, "verify", "check a file: sha256, structure, a short load", example="shell"
    )
    _add_name(verify)


def _add_name(action: argparse.ArgumentParser, text: str = MODEL) -> None:
    action.add_argument("model", metavar="MODEL", help=text)


def _add_pull(actions: Verbs) -> None:
    pull = add_verb(
        actions,
        "pull",
        "fetch a model, and a draft for it where one is known",
        "Fetch a model, and a draft that guesses for it where one is known. An interrupted pull "
        "goes on where it stopped. HF_TOKEN, HF_ENDPOINT and HF_HUB_OFFLINE are heeded.",
        example="llama-3.1-8b",
    )
    pull.add_argument(
        "model",
        metavar="MODEL",
        help="a name of models list --all, or user/repo[:quant] (default: its Q4_K_M)",
    )
    pull.add_argument(
        "--draft",
        choices=("auto", "none"),
        default="auto",
        help="auto (default), or none to leave the draft out",
    )


def _add_show(actions: Verbs) -> None:
    show = add_verb(actions, "show", "what a model file says of itself", example="shell")
    _add_name(show)
    show.add_argument("--template", action="store_true", help="print its chat template")
    show.add_argument("--tensors", action="store_true", help="list its tensors")
    show.add_argument("--keys", action="store_true", help="list all keys of its header")


def _add_pair(actions: Verbs) -> None:
    pair = add_verb(
        actions,
        "pair",
        "find the draft that makes a model fastest",
        "Look at every draft on this computer and in the catalogue, say what speaks for and "
        "against each, let the fitting ones guess for half a minute, and remember the best: "
        "--draft auto uses it.",
        example="llama-3.1-8b",
    )
    _add_name(pair)
    pair.add_argument(
        "drafts", nargs="*", metavar="DRAFT", help="drafts to look at besides: names or GGUF files"
    )
    pair.add_argument("--quick", action="store_true", help="judge by the files alone")


def _add_fit(actions: Verbs) -> None:
    fit = add_verb(
        actions,
        "fit",
        "what a model and its draft take, and what fits",
        "What a model and its draft take of memory, by context and kind of cache, and which way "
        "of loading them fits this computer. Nothing is loaded, and a model that is not here is "
        "looked at on the hub, not fetched.",
        example="llama-3.3-70b --context 32768",
    )
    _add_name(fit)
    add_draft(fit)
    fit.add_argument("--context", type=int, metavar="N", help="reckon with this context only")
    fit.add_argument(
        "--parallel",
        type=int,
        default=1,
        metavar="N",
        help=f"answers made at the same time, each with all of the context (default: 1; serve's: "
        f"{PARALLEL})",
    )
