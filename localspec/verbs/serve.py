"""`localspec serve`: an HTTP server for programs made for OpenAI's or Anthropic's interfaces."""

import argparse
import json
import logging
import sys

from localspec.arguments.common import loading
from localspec.llama.library import show_log
from localspec.progress import Waiting
from localspec.runtime import LLM
from localspec.serve.run import run as serve
from localspec.serve.settings import Settings

__all__ = ["run"]

_QUESTION = '{"messages": [{"role": "user", "content": "List files by size"}]}'
_TEXT = '{"input": "How do I list files by size?"}'


def run(options: argparse.Namespace) -> int:
    """Serve until Ctrl-C or SIGTERM."""
    show_log(options.verbose)
    settings = Settings(
        loading=loading(options),
        host=options.host,
        port=options.port,
        api_key=options.api_key,
        keep_alive=options.keep_alive,
        hosts=tuple(options.allow_host),
        origins=tuple(options.allow_origin),
    )
    level = logging.INFO if options.verbose else logging.WARNING
    logging.basicConfig(level=level, format="localspec: %(message)s", stream=sys.stderr)
    with Waiting() as waiting:
        waiting.say(f"loading {settings.loading.model}")

        def ready(settings: Settings, llm: LLM) -> None:
            for note in llm.notes:
                waiting.note(note)
            waiting.over()
            print(_greeting(settings, llm, as_json=options.json), flush=True)

        serve(settings, ready, verbose=options.verbose)
    return 0


def _greeting(settings: Settings, llm: LLM, *, as_json: bool) -> str:
    """What a person needs to connect a client, or the same for a program."""
    draft = llm.draft.name if llm.draft else None
    if as_json:
        return json.dumps(
            {
                "url": settings.url,
                "model": settings.model_name,
                "draft": draft,
                "context": llm.context_length,
                "parallel": settings.loading.parallel,
            }
        )
    slots = settings.loading.parallel
    answers = "1 answer" if slots == 1 else f"{slots} answers"
    url, key = settings.url, "the one you set" if settings.api_key else "anything"
    header = "-H 'Authorization: Bearer KEY' " if settings.api_key else ""
    guesses = f"{draft} guesses ahead" if draft else "no draft model"
    path, body = "chat/completions", _QUESTION
    if not llm.target.writes:
        path, body, guesses = "embeddings", _TEXT, "it makes vectors of texts"
    return f"""
  {llm.target.name} is ready ({guesses}).

  For programs made for OpenAI      base URL  {url}/v1
  For programs made for Anthropic   base URL  {url}
                                    API key   {key}
                                    model     {settings.model_name}

  Try it:
    curl {url}/v1/{path} \\
      {header}-H 'Content-Type: application/json' \\
      -d '{body}'

  {_reach(settings)}
  {answers} at a time, {llm.context_length} tokens each. Ctrl-C ends it.
"""


def _reach(settings: Settings) -> str:
    if settings.api_key is None:
        return "Only programs on this computer can connect."
    return f"Whoever has the key and reaches {settings.host} can connect."
