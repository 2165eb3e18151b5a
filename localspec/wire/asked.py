"""What a body asks for, in our terms, and the fields that bodies of all kinds share."""

import secrets
from dataclasses import dataclass
from typing import Annotated, Literal, TypeAlias

import msgspec
from msgspec import Meta

from localspec.runtime import Options, Prompt
from localspec.wire.errors import Refusal

__all__ = [
    "IGNORED",
    "Asked",
    "ModelName",
    "SampledBody",
    "SpeculationMode",
    "StreamOptions",
    "Token",
]

_SEED_BITS = 53  # what JavaScript can tell apart
_MOST_ANSWERS = 64  # prompts times n

ModelName: TypeAlias = Annotated[str, Meta(max_length=512)]
SpeculationMode: TypeAlias = Literal["auto", "off"] | Annotated[int, Meta(ge=0, le=64)]
"""Whether to guess ahead, or by how many tokens."""
Token: TypeAlias = Annotated[int, Meta(ge=0, le=2**31 - 1)]
Stop: TypeAlias = Annotated[str, Meta(min_length=1, max_length=256)]

IGNORED = frozenset(
    {
        "cache_prompt",
        "metadata",
        "moderation",
        "prompt_cache_key",
        "prompt_cache_options",
        "prompt_cache_retention",
        "safety_identifier",
        "service_tier",
        "store",
        "timings_per_token",
        "user",
    }
)
"""Fields of OpenAI and llama-server that change nothing about an answer here."""


class StreamOptions(msgspec.Struct):
    """`stream_options` of OpenAI."""

    include_usage: bool = False


class SampledBody(msgspec.Struct, kw_only=True):
    """Fields that say how to choose tokens, and how many. What is left out is ours to choose."""

    model: ModelName = ""
    temperature: Annotated[float, Meta(ge=0, le=2)] | None = None
    top_p: Annotated[float, Meta(ge=0, le=1)] | None = None
    top_k: Annotated[int, Meta(ge=-1, le=2**31 - 1)] | None = None
    min_p: Annotated[float, Meta(ge=0, le=1)] | None = None
    repeat_penalty: Annotated[float, Meta(ge=0.01, le=100)] | None = None
    repetition_penalty: Annotated[float, Meta(ge=0.01, le=100)] | None = None
    frequency_penalty: Annotated[float, Meta(ge=-2, le=2)] | None = None
    presence_penalty: Annotated[float, Meta(ge=-2, le=2)] | None = None
    logit_bias: (
        Annotated[
            dict[
                Annotated[str, Meta(pattern=r"^[0-9]{1,9}$")],
                Annotated[float, Meta(ge=-100, le=100)],
            ],
            Meta(max_length=1024),
        ]
        | None
    ) = None
    seed: Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)] | None = None
    stop: Stop | Annotated[list[Stop], Meta(max_length=16)] | None = None
    n: Annotated[int, Meta(ge=1, le=16)] | None = None
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    speculation: SpeculationMode | None = None

    def sampling_options(self) -> Options:
        """These fields as options; a seed is always among them."""
        options: Options = {"seed": secrets.randbits(_SEED_BITS)}
        if self.seed is not None:
            options["seed"] = self.seed % 2**64
        if self.temperature is not None:
            options["temperature"] = self.temperature
        if self.top_p is not None:
            options["top_p"] = self.top_p
        if self.top_k is not None:
            options["top_k"] = max(0, self.top_k)  # vLLM says -1 for all of them
        if self.min_p is not None:
            options["min_p"] = self.min_p
        repeat = self.repetition_penalty if self.repeat_penalty is None else self.repeat_penalty
        if repeat is not None:
            options["repeat_penalty"] = repeat
        if self.frequency_penalty is not None:
            options["frequency_penalty"] = self.frequency_penalty
        if self.presence_penalty is not None:
            options["presence_penalty"] = self.presence_penalty
        if self.logit_bias:
            options["logit_bias"] = {int(token): bias for token, bias in self.logit_bias.items()}
        if self.stop is not None:
            options["stop"] = self.stop
        if self.speculation is not None:
            options["speculation"] = self.speculation
        return options

    @property
    def wants_usage(self) -> bool:
        """Whether a stream ends with a chunk of usage."""
        return self.stream_options is not None and self.stream_options.include_usage


@dataclass(frozen=True)
class Asked:
    """A body that was understood. `n` answers are wanted to each prompt."""

    model: str
    prompts: list[Prompt]
    options: Options
    n: int = 1
    stream: bool = False
    usage: bool = False

    def __post_init__(self) -> None:
        if len(self.prompts) * self.n > _MOST_ANSWERS:
            raise Refusal(
                f"{len(self.prompts)} prompts with n = {self.n} are more than {_MOST_ANSWERS} "
                "answers; ask in portions.",
                param="n",
            )
