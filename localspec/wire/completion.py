"""`/v1/completions`: its body, and what it stands for."""

from collections.abc import Mapping
from typing import Annotated, Literal, TypeAlias, cast

from msgspec import Meta

from localspec.runtime import Prompt
from localspec.wire.asked import IGNORED, Asked, SampledBody, Token
from localspec.wire.errors import Refusal
from localspec.wire.reading import read as read_body

__all__ = ["CompletionBody", "Prompts", "prompts", "read"]

_DEFAULT_TOKENS = 16  # as OpenAI has it

Part: TypeAlias = str | Token | Annotated[list[Token], Meta(min_length=1)]
Prompts: TypeAlias = str | Annotated[list[Part], Meta(min_length=1, max_length=2**20)]
"""A text, tokens, or a list of either."""


class CompletionBody(SampledBody, kw_only=True):
    """The body of `/v1/completions`."""

    prompt: Prompts
    max_tokens: Annotated[int, Meta(ge=0)] | None = _DEFAULT_TOKENS
    logprobs: Annotated[int, Meta(ge=0, le=20)] | None = None
    echo: bool | None = None
    best_of: Literal[1] | None = None
    suffix: Literal[""] | None = None


def read(data: bytes | Mapping[str, object]) -> Asked:
    """What the body asks for. Raises Refusal."""
    body = read_body(data, CompletionBody, IGNORED)
    options = body.sampling_options()
    options["max_tokens"] = _DEFAULT_TOKENS if body.max_tokens is None else body.max_tokens
    options["raw"] = True
    if body.logprobs is not None:
        options["logprobs"] = body.logprobs
    if body.echo:
        options["echo"] = True
    elif body.max_tokens == 0:
        raise Refusal("max_tokens of 0 needs echo to be true.", param="max_tokens")
    return Asked(
        model=body.model,
        prompts=prompts(body.prompt),
        options=options,
        n=body.n or 1,
        stream=bool(body.stream),
        usage=body.wants_usage,
    )


def prompts(given: Prompts, param: str = "prompt") -> list[Prompt]:
    """A list of prompts from any of the four forms OpenAI knows. Raises Refusal on mixtures."""
    if isinstance(given, str):
        return [given]
    kinds = {type(part) for part in given}
    if len(kinds) > 1:
        raise Refusal(f"{param} mixes texts, tokens and lists of tokens.", param=param)
    return [cast("list[int]", given)] if kinds == {int} else cast("list[Prompt]", given)
