"""What came of a request, in OpenAI's objects: whole answers, and the chunks of streamed ones.

`timings` speaks llama-server's language, `seed` is what gives the same text again.
"""

import secrets
import time
from collections.abc import Iterable, Sequence
from typing import Literal, TypeAlias

from msgspec import UNSET, Struct, UnsetType

from localspec import __version__
from localspec.conversation.calling.reader import Call
from localspec.decoding.sequence import FinishReason, TokenLogprob
from localspec.decoding.statistics import Statistics
from localspec.decoding.text import TextStream
from localspec.engine.worker import Answer
from localspec.wire.said import said

__all__ = [
    "ChatChoice",
    "ChatChunk",
    "ChatCompletion",
    "ChunkChoice",
    "Completion",
    "CompletionChoice",
    "Delta",
    "FunctionCall",
    "Offsets",
    "Reason",
    "Timings",
    "ToolCall",
    "Usage",
    "chat_completion",
    "chat_logprobs",
    "completion",
    "completion_logprobs",
    "new_id",
    "reason",
    "timings",
    "usage",
]

Reason: TypeAlias = Literal["stop", "length", "tool_calls"]

_FINGERPRINT = f"localspec-{__version__}"


class PromptDetails(Struct):
    """Of the prompt's tokens, those that an earlier request had left in the cache."""

    cached_tokens: int


class Usage(Struct):
    """What was read and written, in tokens. A prompt counts once, however many answers it got."""

    prompt_tokens: int
    completion_tokens: int
    total_tokens: int
    prompt_tokens_details: PromptDetails


class Timings(Struct):
    """Speed as llama-server reports it; `draft_n` guesses were made, `draft_n_accepted` held."""

    cache_n: int
    prompt_n: int
    prompt_ms: float
    prompt_per_second: float
    predicted_n: int
    predicted_ms: float
    predicted_per_second: float
    draft_n: int
    draft_n_accepted: int


class TopLogprob(Struct):
    """A token that could have stood here, and the natural logarithm of its probability."""

    token: str
    logprob: float
    bytes: list[int]


class ContentLogprob(Struct):
    """The token that was chosen, and the likeliest ones."""

    token: str
    logprob: float
    bytes: list[int]
    top_logprobs: list[TopLogprob]


class ChatLogprobs(Struct):
    """One entry for each token of the answer."""

    content: list[ContentLogprob]
    refusal: None = None


class CompletionLogprobs(Struct):
    """Parallel lists; the first token of an echoed prompt has no probability."""

    tokens: list[str]
    token_logprobs: list[float | None]
    top_logprobs: list[dict[str, float] | None] | None
    text_offset: list[int]


class FunctionCall(Struct):
    """A call's function and, as JSON in a string, its arguments. In chunks, what came of them."""

    arguments: str
    name: str | UnsetType = UNSET


class ToolCall(Struct):
    """A call the model makes; `index` only in chunks."""

    function: FunctionCall
    id: str | UnsetType = UNSET
    type: Literal["function"] | UnsetType = UNSET
    index: int | UnsetType = UNSET


class ChatMessage(Struct):
    """The assistant's message."""

    content: str | None
    reasoning_content: str | UnsetType = UNSET
    """Thoughts, under the name that DeepSeek gave them and llama-server took over."""
    tool_calls: list[ToolCall] | UnsetType = UNSET
    role: Literal["assistant"] = "assistant"
    refusal: None = None


class ChatChoice(Struct):
    """One of the answers."""

    index: int
    message: ChatMessage
    finish_reason: Reason
    logprobs: ChatLogprobs | None
    seed: int


class ChatCompletion(Struct):
    """The answer of `/v1/chat/completions`."""

    id: str
    created: int
    model: str
    choices: list[ChatChoice]
    usage: Usage
    timings: Timings
    system_fingerprint: str
    object: Literal["chat.completion"] = "chat.completion"


class Delta(Struct, omit_defaults=True):
    """What came since the last chunk."""

    role: Literal["assistant"] | None = None
    content: str | None = None
    reasoning_content: str | None = None
    tool_calls: list[ToolCall] | None = None


class ChunkChoice(Struct):
    """News of one of the answers."""

    index: int
    delta: Delta
    finish_reason: Reason | None = None
    logprobs: ChatLogprobs | None = None


class ChatChunk(Struct):
    """An event of a streamed chat completion; the last one may hold usage and no choices."""

    id: str
    created: int
    model: str
    choices: list[ChunkChoice]
    usage: Usage | UnsetType | None = UNSET
    timings: Timings | UnsetType = UNSET
    system_fingerprint: str = _FINGERPRINT
    object: Literal["chat.completion.chunk"] = "chat.completion.chunk"


class CompletionChoice(Struct):
    """One of the answers, or in a stream, news of it."""

    index: int
    text: str
    logprobs: CompletionLogprobs | None = None
    finish_reason: Reason | None = None
    seed: int | UnsetType = UNSET


class Completion(Struct):
    """The answer of `/v1/completions`, or an event of a streamed one."""

    id: str
    created: int
    model: str
    choices: list[CompletionChoice]
    usage: Usage | UnsetType | None = UNSET
    timings: Timings | UnsetType = UNSET
    system_fingerprint: str = _FINGERPRINT
    object: Literal["text_completion"] = "text_completion"


def chat_completion(model: str, answers: Sequence[Answer]) -> ChatCompletion:
    """Answers to one conversation."""
    return ChatCompletion(
        id=new_id("chatcmpl-"),
        created=int(time.time()),
        model=model,
        choices=[_chat_choice(i, answer) for i, answer in enumerate(answers)],
        usage=usage([answer.statistics for answer in answers], per_prompt=len(answers)),
        timings=timings([answer.statistics for answer in answers]),
        system_fingerprint=_FINGERPRINT,
    )


def _chat_choice(index: int, answer: Answer) -> ChatChoice:
    whole = said(answer)
    message = ChatMessage(content=whole.text or (None if whole.calls else ""))
    if whole.thoughts:
        message.reasoning_content = whole.thoughts
    if whole.calls:
        message.tool_calls = [tool_call(call) for call in whole.calls]
    return ChatChoice(
        index=index,
        message=message,
        finish_reason=reason(answer.finish_reason, calls=bool(whole.calls)),
        logprobs=None if answer.logprobs is None else chat_logprobs(answer.logprobs),
        seed=answer.seed,
    )


def completion(model: str, answers: Sequence[Answer], *, n: int = 1) -> Completion:
    """Answers to one or more prompts, `n` to each."""
    return Completion(
        id=new_id("cmpl-"),
        created=int(time.time()),
        model=model,
        choices=[
            CompletionChoice(
                index=i,
                text=answer.text,
                logprobs=None if answer.logprobs is None else completion_logprobs(answer.logprobs),
                finish_reason=reason(answer.finish_reason),
                seed=answer.seed,
            )
            for i, answer in enumerate(answers)
        ],
        usage=usage([answer.statistics for answer in answers], per_prompt=n),
        timings=timings([answer.statistics for answer in answers]),
    )


def new_id(prefix: str) -> str:
    """A name nothing else has."""
    return prefix + secrets.token_hex(12)


def tool_call(call: Call) -> ToolCall:
    """A whole call."""
    function = FunctionCall(name=call.name, arguments=call.arguments)
    return ToolCall(function=function, id=new_id("call_"), type="function")


def reason(finish: FinishReason, *, calls: bool = False) -> Reason:
    """Why an answer ended, in OpenAI's words."""
    if calls and finish == "stop":
        return "tool_calls"
    return "stop" if finish == "stop" else "length"


def usage(statistics: Sequence[Statistics], per_prompt: int = 1) -> Usage:
    """Tokens of answers of which `per_prompt` neighbours share a prompt."""
    read = sum(s.prompt_tokens for s in statistics[::per_prompt])
    written = sum(s.completion_tokens for s in statistics)
    cached = sum(s.cached_tokens for s in statistics[::per_prompt])
    return Usage(read, written, read + written, PromptDetails(cached))


def timings(statistics: Iterable[Statistics]) -> Timings:
    """Sums over the answers; times in milliseconds."""
    s = list(statistics)
    prompt = sum(x.prompt_tokens - x.cached_tokens for x in s)
    prompt_seconds = sum(x.prompt_seconds for x in s)
    predicted = sum(x.predicted_tokens for x in s)
    predicted_seconds = sum(x.predicted_seconds for x in s)
    return Timings(
        cache_n=sum(x.cached_tokens for x in s),
        prompt_n=prompt,
        prompt_ms=round(prompt_seconds * 1000, 3),
        prompt_per_second=_per_second(prompt, prompt_seconds),
        predicted_n=predicted,
        predicted_ms=round(predicted_seconds * 1000, 3),
        predicted_per_second=_per_second(predicted, predicted_seconds),
        draft_n=sum(x.draft_tokens for x in s),
        draft_n_accepted=sum(x.accepted_tokens for x in s),
    )


def _per_second(tokens: int, seconds: float) -> float:
    return round(tokens / seconds, 3) if seconds > 0 else 0.0


def chat_logprobs(entries: Iterable[TokenLogprob]) -> ChatLogprobs:
    """Log-probabilities as chat completions show them."""
    return ChatLogprobs(
        [
            ContentLogprob(
                token=_shown(entry.piece),
                logprob=_finite(entry.logprob),
                bytes=list(entry.piece),
                top_logprobs=[
                    TopLogprob(_shown(piece), _finite(logprob), list(piece))
                    for piece, logprob in entry.top
                ],
            )
            for entry in entries
        ]
    )


class Offsets:
    """Where tokens begin in the text that they make up; parts of a character where it begins."""

    def __init__(self) -> None:
        self._text, self._length = TextStream(), 0

    def of_next(self, piece: bytes) -> int:
        """The offset of the next token, whose bytes these are."""
        before = self._length
        self._length += len(self._text.feed(piece))
        try:
            return self._length - len(piece.decode("utf-8"))
        except UnicodeDecodeError:
            return before


def completion_logprobs(
    entries: Sequence[TokenLogprob], offsets: Offsets | None = None
) -> CompletionLogprobs:
    """Log-probabilities as completions show them; `offsets` has seen the tokens before."""
    offsets = offsets or Offsets()
    return CompletionLogprobs(
        tokens=[_shown(entry.piece) for entry in entries],
        token_logprobs=[None if e.logprob is None else _finite(e.logprob) for e in entries],
        top_logprobs=[
            None if e.logprob is None else {_shown(p): _finite(lp) for p, lp in e.top}
            for e in entries
        ],
        text_offset=[offsets.of_next(entry.piece) for entry in entries],
    )


def _shown(piece: bytes) -> str:
    """A token's text; parts of characters as OpenAI shows them."""
    try:
        return piece.decode("utf-8")
    except UnicodeDecodeError:
        return "bytes:" + "".join(f"\\x{byte:02x}" for byte in piece)


def _finite(logprob: float | None) -> float:
    """JSON has no -inf; OpenAI says -9999 for what is as good as impossible."""
    return max(-9999.0, logprob) if logprob is not None else 0.0
