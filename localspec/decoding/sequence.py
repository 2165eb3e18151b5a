"""One request on its way: its tokens, its sampler, what it has said, why it ended."""

from collections.abc import Callable
from collections.abc import Sequence as Tokens
from dataclasses import dataclass
from typing import Literal, NamedTuple, Protocol

from localspec.conversation.calling.notation import Calling
from localspec.conversation.thinking import Thinking
from localspec.decoding.draft import Draft
from localspec.decoding.logprobs import likeliest
from localspec.decoding.reading import Bulk
from localspec.decoding.sampling import Constraint, Sampler, Sampling
from localspec.decoding.statistics import Statistics
from localspec.decoding.text import TextStream
from localspec.llama.rows import Logits

__all__ = [
    "FinishReason",
    "Piece",
    "Pieces",
    "Request",
    "Sequence",
    "Speculation",
    "TokenLogprob",
]

FinishReason = Literal["stop", "length", "cancelled", "error"]
Speculation = Literal["auto"] | int
"""Whether to guess: as the policy sees fit, or always this many tokens (0: never)."""


@dataclass(frozen=True)
class Request:
    """What is asked for. `max_tokens` None means as many as the context holds."""

    prompt: Tokens[int]
    sampling: Sampling
    max_tokens: int | None = None
    stops: Tokens[str] = ()
    speculation: Speculation = "auto"
    constraint: Callable[[], Constraint] | None = None
    """Begins the match of an answer with its grammar."""
    logprobs: int | None = None
    """Say how likely each token was, and this many of the likeliest; None: do not."""
    echo: bool = False
    """Begin the answer with the prompt."""
    client: str = ""
    """Who asks: of those who wait, whoever has the fewest answers in work comes first."""
    thinking: Thinking | None = None
    """How to tell the answer's thoughts from the rest, for whoever reads it."""
    calling: Calling | None = None
    """How to tell calls from the rest, where there may be any."""
    whole: bool = False
    """Nobody reads it before it has ended, and so nobody is told of its steps."""


class TokenLogprob(NamedTuple):
    """How likely a token was: the natural logarithm, as the model itself has it.

    `top` are the likeliest tokens at its place. Tokens are bytes; a control token's are its name.
    """

    piece: bytes
    logprob: float | None
    """None for the first token of a text, before which there is nothing."""
    top: tuple[tuple[bytes, float], ...] = ()


@dataclass(frozen=True)
class Piece:
    """One token of an answer. `text` may be empty, or hold text kept back from earlier tokens."""

    text: str
    token: int | None
    """None for a last piece that only carries text kept back."""
    drafter: str | None = None
    """Who guessed it, None where the target found it alone."""
    logprob: TokenLogprob | None = None
    """Where the request asked for it."""


class Pieces(Protocol):
    """What a sequence asks of a vocabulary."""

    @property
    def size(self) -> int:
        """Number of tokens."""

    @property
    def end_tokens(self) -> frozenset[int]:
        """Tokens that end an answer."""

    def piece(self, token: int) -> bytes:
        """A token's bytes; none for control tokens."""

    def text_of(self, token: int) -> str:
        """A token written out, control tokens too."""


class Sequence:
    """A request being answered in one slot of the caches.

    `tokens` are the prompt and all committed tokens. The target's cache holds the first `cached`
    of them; what is left is the backlog: a prompt to prefill, some of it in `bulk`, then the one
    newest token.
    """

    def __init__(
        self, request: Request, vocabulary: Pieces, context_length: int, now: float = 0.0
    ) -> None:
        self.request = request
        self.tokens = list(request.prompt)
        self.sampler = Sampler(
            request.sampling,
            request.prompt,
            vocabulary.size,
            request.constraint() if request.constraint else None,
        )
        self.statistics = Statistics(prompt_tokens=len(request.prompt))
        self.finish_reason: FinishReason | None = None
        self.error: Exception | None = None
        self.cancelled = False
        self.slot = -1
        self.cached = 0
        self.bulk = Bulk()
        self._said: list[Piece] = []
        self._text = TextStream(request.stops)
        self._echoed = TextStream()
        self._vocabulary = vocabulary
        self._prompt_length = len(request.prompt)
        limit = context_length - self._prompt_length
        self._committed = 0
        self.submitted = self._began = now
        self._first_said: float | None = None
        self._limit = limit if request.max_tokens is None else min(limit, request.max_tokens)

    def __len__(self) -> int:
        return len(self.tokens)

    @property
    def answer(self) -> list[int]:
        """Tokens said so far."""
        return self.tokens[self._prompt_length :]

    @property
    def stop(self) -> str | None:
        """The stop string that ended the answer, if one did."""
        return self._text.stop

    @property
    def backlog(self) -> int:
        """Committed tokens the target has yet to see."""
        return len(self.tokens) - self.cached

    @property
    def room(self) -> int:
        """Tokens that may still be said."""
        return self._limit - (len(self.tokens) - self._prompt_length)

    def ends_with(self, token: int) -> bool:
        """Whether `token` means that there is nothing more to say."""
        return token in self._vocabulary.end_tokens

    @property
    def began(self) -> float:
        """When it was given a slot."""
        return self._began

    @property
    def reads_aloud(self) -> bool:
        """Whether it has to be said how likely each token of the prompt is."""
        return self.request.echo and self.request.logprobs is not None

    def begin(self, cached: int, now: float) -> None:
        """Its slot's cache already holds the first `cached` tokens."""
        self.cached = self.statistics.cached_tokens = cached
        self._began = now
        if self.request.echo and not self._said:
            shown = self.tokens[:1] if self.reads_aloud else self.tokens
            for token in shown:
                self._echo(token, None)

    def read(self, rows: Logits) -> None:
        """Echo the tokens of the prompt that follow the cached ones; `rows` say how likely."""
        following = self.tokens[self.cached + 1 : self.cached + 1 + len(rows)]
        for token, row in zip(following, rows, strict=False):
            self._echo(token, row)

    def _echo(self, token: int, row: Logits | None) -> None:
        logprob = None
        if self.reads_aloud:
            logprob = self._logprob(token, row) or TokenLogprob(self._named(token), None)
        text = self._echoed.feed(self._vocabulary.piece(token))
        self._said.append(Piece(text, token, None, logprob))

    def commit(self, token: int, drafter: str | None, row: Logits | None = None) -> None:
        """Say `token`, which the target picked from `row`, and see whether that ends the answer."""
        self._committed += 1
        if self.ends_with(token):
            self.finish("stop")
            return
        self.tokens.append(token)
        self.sampler.push(token)
        text = self._text.feed(self._vocabulary.piece(token))
        self._said.append(Piece(text, token, drafter, self._logprob(token, row)))
        if self._text.stopped:
            self.finish("stop")
        elif self.room <= 0:
            self.finish("length")

    def _logprob(self, token: int, row: Logits | None) -> TokenLogprob | None:
        if self.request.logprobs is None or row is None:
            return None
        (_, logprob), *top = likeliest(row, token, self.request.logprobs)
        named = tuple((self._named(other), value) for other, value in top)
        return TokenLogprob(self._named(token), logprob, named)

    def _named(self, token: int) -> bytes:
        return self._vocabulary.piece(token) or self._vocabulary.text_of(token).encode()

    def finish(self, reason: FinishReason, error: Exception | None = None) -> None:
        """End the answer; text kept back for a stop string that did not come is let go."""
        self.finish_reason, self.error = reason, error
        rest = self._text.flush()
        if rest:
            self._said.append(Piece(rest, None))

    def record(
        self,
        draft: Draft,
        held: int,
        now: float,
        draft_seconds: float = 0.0,
        target_seconds: float = 0.0,
    ) -> None:
        """Count a decode that ended at `now` and of whose guesses the first `held` held.

        Guessing took `draft_seconds` of it, for all sequences together, the target the other.
        """
        statistics = self.statistics
        said = self._committed - statistics.completion_tokens
        statistics.completion_tokens += said
        statistics.count_draft(draft.drafter, len(draft), held)
        if self._first_said is None:
            self._first_said = now
            statistics.drafted_first = bool(draft)
            statistics.prompt_seconds = now - self._began
            statistics.first_token_seconds = now - self.submitted
        else:
            statistics.steps += 1
            statistics.predicted_tokens += said
            statistics.predicted_seconds = now - self._first_said
            statistics.draft_seconds += draft_seconds
            statistics.target_seconds += target_seconds

    def take_pieces(self) -> list[Piece]:
        """What was said since the last call."""
        said, self._said = self._said, []
        return said
