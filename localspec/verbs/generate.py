"""`localspec generate`: one answer, streamed, with a quiet line of figures after it."""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from localspec import LLM, UsageError
from localspec.arguments.common import loading
from localspec.console import dim, printable
from localspec.engine.worker import Answer, Stream
from localspec.errors import INTERRUPTED
from localspec.llama.library import show_log
from localspec.progress import Waiting
from localspec.runtime import Options, Prompt, sampling

__all__ = ["read_schema", "run"]


def run(options: argparse.Namespace) -> int:
    """Answer the prompt; 130 where Ctrl-C ended it early, with what had come kept."""
    show_log(options.verbose)
    prompt = _prompt(options)
    settings = _settings(options)
    sampling(settings)  # a mistake should not cost the time of loading
    with Waiting() as waiting:
        waiting.say(f"loading {options.model}")
        with LLM(loading(options)) as llm:
            for note in llm.notes:
                waiting.note(note)
            with llm.stream(prompt, **settings) as stream:
                waiting.say("reading the prompt")
                interrupted = _follow(stream, waiting, quiet=options.json)
                if options.json:
                    print(json.dumps(report(llm, stream.answer, options.speculation)))
                elif sys.stderr.isatty():
                    line = summary(stream.answer, llm.governor.plain_rate())
                    print(f"\n{dim(line)}", file=sys.stderr)
    return INTERRUPTED if interrupted else 0


def _follow(stream: Stream, waiting: Waiting, *, quiet: bool) -> bool:
    """Print pieces as they come; returns whether the user had enough before the end."""
    interrupted = False
    while True:
        try:
            for piece in stream:
                if not quiet:
                    waiting.over()
                    sys.stdout.write(printable(piece.text))
                    sys.stdout.flush()
            break
        except KeyboardInterrupt:
            if interrupted:
                raise
            interrupted = True
            stream.cancel()
    if not quiet:
        sys.stdout.write("\n")
    return interrupted


def _prompt(options: argparse.Namespace) -> Prompt:
    text = _read_stdin() if options.prompt == "-" else options.prompt
    for part in (text, options.system or ""):
        if not _is_unicode(part):
            raise UsageError("The prompt is not valid UTF-8; check the terminal's encoding.")
    if not text:
        raise UsageError("The prompt is empty; say something to answer.")
    if options.system is None:
        return str(text)
    if options.raw:
        raise UsageError("--system needs a chat template; leave out --raw or --system.")
    return [{"role": "system", "content": options.system}, {"role": "user", "content": text}]


def _read_stdin() -> str:
    try:
        return sys.stdin.buffer.read().decode("utf-8-sig").rstrip("\r\n")
    except UnicodeDecodeError as error:
        raise UsageError(
            f"Standard input is not UTF-8 (byte {error.start + 1}); convert it first."
        ) from None
    except OSError as error:
        raise UsageError(f"Standard input cannot be read ({error.strerror}).") from None


def _is_unicode(text: str) -> bool:
    """Bytes of the command line that are no characters arrive as lone surrogates."""
    return not any("\ud800" <= character <= "\udfff" for character in text)


def _settings(options: argparse.Namespace) -> Options:
    names = ("temperature", "top_k", "top_p", "min_p", "repeat_penalty", "max_tokens", "seed")
    given = {name: getattr(options, name) for name in names}
    settings: Any = {name: value for name, value in given.items() if value is not None}
    settings |= {"stop": options.stop, "speculation": options.speculation, "raw": options.raw}
    if options.json_schema:
        settings["json_schema"] = read_schema(Path(options.json_schema))
    chosen: Options = settings
    return chosen


def read_schema(file: Path) -> dict[str, Any]:
    """A JSON schema. Raises UsageError where the file holds none."""
    try:
        schema = json.loads(file.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise UsageError(f"The schema {file} cannot be read: {error.strerror}.") from None
    except ValueError as error:
        raise UsageError(f"The schema {file} is not JSON: {error}.") from None
    if not isinstance(schema, dict):
        raise UsageError(f"The schema {file} is not a JSON object.")
    return schema


def summary(answer: Answer, plain: float) -> str:
    """The quiet line: tokens, speed, that of plain decoding, how many guesses held.

    Whoever reads it may have heard of none of these, and may have 80 columns.
    """
    s = answer.statistics
    parts = [f"{s.completion_tokens} {'token' if s.completion_tokens == 1 else 'tokens'}"]
    if s.predicted_tokens:
        speed = f"{s.tokens_per_second:.0f} tokens/s"
        if plain and s.draft_tokens:
            speed += f", {plain:.0f} without guessing ({s.tokens_per_second / plain:.2f}×)"
        parts.append(speed)
    if s.draft_tokens:
        parts.append(f"{s.accepted_tokens} of {s.draft_tokens} guesses held")
    else:
        parts.append("no guesses")
    return " · ".join(parts)


def report(llm: LLM, answer: Answer, mode: str | int) -> dict[str, Any]:
    """The JSON document. Times in milliseconds, speeds in tokens a second."""
    s, plain = answer.statistics, llm.governor.plain_rate()
    return {
        "text": answer.text,
        "tokens": answer.tokens,
        "finish_reason": answer.finish_reason,
        "seed": answer.seed,
        "model": llm.target.name,
        "draft": llm.draft.name if llm.draft else None,
        "usage": {
            "prompt_tokens": s.prompt_tokens,
            "completion_tokens": s.completion_tokens,
            "cached_tokens": s.cached_tokens,
        },
        "timings": {
            "load_ms": _ms(llm.load_seconds),
            "prompt_ms": _ms(s.prompt_seconds),
            "predicted_ms": _ms(s.predicted_seconds),
            "predicted_per_second": round(s.tokens_per_second, 2),
            "ttft_ms": _ms(s.first_token_seconds),
        },
        "speculation": {
            "mode": "off" if mode == 0 else mode,
            "steps": s.steps,
            "draft_tokens": s.draft_tokens,
            "accepted_tokens": s.accepted_tokens,
            "acceptance_rate": round(s.acceptance_rate, 4) if s.draft_tokens else None,
            "tokens_per_step": round(s.tokens_per_step, 3),
            "by_drafter": {
                name: {"draft_tokens": n, "accepted_tokens": s.accepted_by_drafter[name]}
                for name, n in s.drafted_by_drafter.items()
            },
            "accepted_per_position": s.accepted_per_position,
            "estimated_plain_per_second": round(plain, 2) or None,
            "speedup": round(s.tokens_per_second / plain, 3) if plain else None,
        },
    }


def _ms(seconds: float) -> float:
    return round(seconds * 1000, 2)
