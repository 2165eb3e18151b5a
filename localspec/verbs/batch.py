"""`localspec batch`: a file of prompts in, a file of answers out."""

import argparse
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from localspec import UsageError
from localspec.arguments.common import loading
from localspec.batch import run as batch
from localspec.batch import source, words
from localspec.batch.backends import endpoints, local
from localspec.batch.backends.base import Backend
from localspec.batch.backends.width import longest
from localspec.batch.plan import Plan
from localspec.batch.request import Recipe
from localspec.batch.run import Work
from localspec.batch.screen import Events, Screen
from localspec.batch.template import Template
from localspec.console import fitted, tell
from localspec.errors import INTERRUPTED
from localspec.llama.library import show_log
from localspec.models.fingerprint import fingerprint
from localspec.verbs.generate import read_schema
from localspec.wire import chat
from localspec.wire.errors import Refusal

__all__ = ["run"]

_SOME_FAILED = 3


def run(options: argparse.Namespace) -> int:
    """Answer the lines; 3 where some failed, 130 where Ctrl-C came before the end."""
    show_log(options.verbose)
    if options.output == "-":
        raise UsageError("The output is a file that a run can go on with, not a stream; name one.")
    work = Work(
        source=options.input,
        output=Path(options.output),
        recipe=_recipe(options),
        retry_failed=options.retry_failed,
        as_completed=options.order == "completion",
    )
    screen = Events() if options.json else Screen()
    with screen:
        outcome = batch.run(work, lambda plan: _opened(options, plan, screen), screen)
    if not options.json:
        for line in words.summary(screen.tally).splitlines():
            tell(fitted(line, sys.stdout))
        if outcome.counts.failed and not outcome.interrupted:
            tell(f"{work.output} says why; --retry-failed asks again.")
    if outcome.interrupted:
        screen.note("Everything that was answered is kept; the same command goes on from here.")
        return INTERRUPTED
    return _SOME_FAILED if outcome.counts.failed else 0


@contextmanager
def _opened(options: argparse.Namespace, plan: Plan, screen: Screen) -> Iterator[Backend]:
    """Whoever is to answer what is pending."""
    counts = plan.counts()
    tasks = counts.lines - counts.answered
    if options.endpoint:
        screen.say("asking the servers")
        each = options.parallel or endpoints.PARALLEL
        servers = endpoints.Settings(options.endpoint, each, options.api_key)
        yield endpoints.Endpoints(servers, screen.note)
        return
    model = local.Settings(loading(options), options.parallel)
    if options.ray:
        from localspec.batch.backends.cluster import Cluster  # an optional extra

        screen.say("joining the cluster")
        with closing(Cluster(options.ray, model, tasks)) as cluster:
            yield cluster
    else:
        screen.say(f"loading {model.loading.model}")
        context = longest(plan.pending(faulty=False))
        with local.opened(model, tasks, screen.note, context) as engine:
            yield engine


def _recipe(options: argparse.Namespace) -> Recipe:
    template = options.template
    if template is None and source.is_table(options.input):
        template = "{prompt}"
        _check_columns(options.input)
    if options.raw and options.system:
        raise UsageError("--system needs a chat template; leave out --raw or --system.")
    return Recipe(
        model=_model(options),
        seed=options.seed or 0,
        defaults=_defaults(options),
        template=Template(template) if template else None,
        raw=options.raw,
        system=options.system,
    )


def _check_columns(table: str) -> None:
    """Raises UsageError where no column holds prompts: a mistake should not cost every line."""
    rows = (record.fields for record in source.records(table) if record.fields)
    columns = list(next(rows, ["prompt"]))
    if "prompt" not in columns:
        raise UsageError(
            f"{table} has no column 'prompt'; --template makes prompts of those it has, as "
            f"'Summarise: {{{columns[-1]}}}'."
        )


def _model(options: argparse.Namespace) -> str:
    """What tells whose answers they are: the file's content and how its cache
    rounds, or what servers call their model."""
    if options.endpoint and options.ray:
        raise UsageError("Answers come from servers or from a Ray cluster; leave out one of them.")
    if options.endpoint:
        return f"endpoint {options.model or ''}"
    model = local.Settings(loading(options))
    rounded = "" if model.loading.cache == "f16" else f" {model.loading.cache}"
    return fingerprint(model.target) + rounded


def _defaults(options: argparse.Namespace) -> dict[str, Any]:
    """What lines ask for that do not say otherwise. A mistake should not cost every line."""
    names = ("max_tokens", "temperature", "top_k", "top_p", "min_p", "repeat_penalty")
    given = {name: getattr(options, name) for name in names}
    defaults: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    if options.stop:
        defaults["stop"] = options.stop
    if options.json_schema:
        schema = read_schema(Path(options.json_schema))
        wanted = {"name": "answer", "schema": schema}
        defaults["response_format"] = {"type": "json_schema", "json_schema": wanted}
    if options.endpoint:  # which may understand more than we do
        return {"model": options.model, **defaults} if options.model else defaults
    try:
        chat.read({"messages": [{"role": "user", "content": ""}], **defaults})
    except Refusal as error:
        raise UsageError(str(error), error.param) from None
    return defaults
