"""The Python API: load a pair, ask it things.

    with localspec.load("shell") as llm:
        for piece in llm.stream("How do I list files by size?", seed=7):
            print(piece.text, end="")

Any number of threads may call an LLM; see `engine.worker` for how they meet the one that
decodes.
"""

import functools
import inspect
import secrets
import time
from collections.abc import Callable, Mapping
from collections.abc import Sequence as Many
from contextlib import ExitStack
from dataclasses import fields, replace
from typing import Any, Literal, ParamSpec, Self, TypedDict, TypeVar, Unpack

import numpy as np
import numpy.typing as npt

from localspec.conversation.calling import grammar
from localspec.conversation.calling.notation import Calling
from localspec.conversation.prompts import Message, Prompt, Prompts
from localspec.decoding.sampling import Constraint, Sampling
from localspec.decoding.sequence import Request, Speculation
from localspec.drafters.model import ModelDrafter
from localspec.engine.engine import Engine
from localspec.engine.worker import Answer, Stream, Worker
from localspec.errors import ModelError, UsageError
from localspec.governor.doubt import Doubt
from localspec.governor.policy import Step
from localspec.llama.context import Context
from localspec.llama.embedder import Embedder
from localspec.loading.loading import Loading
from localspec.loading.pair import Pair
from localspec.options import check

__all__ = ["LLM", "Answer", "Message", "Options", "Prompt", "Stream", "load", "sampling"]

_Found = TypeVar("_Found")
_How = ParamSpec("_How")


class Options(TypedDict, total=False):
    """Keyword arguments of `stream`, `generate` and `chat`; the fields of Sampling and Request."""

    max_tokens: int | None
    temperature: float
    top_k: int
    top_p: float
    min_p: float
    repeat_penalty: float
    frequency_penalty: float
    presence_penalty: float
    logit_bias: Mapping[int, float]
    seed: int | None
    stop: str | Many[str]
    speculation: Speculation | Literal["off"]
    json_schema: Mapping[str, Any]
    tools: Many[Mapping[str, Any]]
    """Functions the model may call, as OpenAI describes them; see `conversation.calling`."""
    tool_choice: str | None
    """"auto" (default), "required", or the name of the one to call."""
    one_call: bool
    """End an answer with its first call."""
    template: Mapping[str, object]
    """What else the model's chat template understands, e.g. `enable_thinking`."""
    logprobs: int | None
    """Say how likely tokens were, and this many of the likeliest."""
    echo: bool
    """Begin the answer with the prompt."""
    raw: bool
    client: str
    """Who asks: of those who wait, whoever has the fewest answers in work comes first."""
    whole: bool
    """Let all pieces come when the answer has ended, which costs less than one by one."""


_SAMPLING = {field.name for field in fields(Sampling)}


def sampling(options: Options) -> Sampling:
    """What `options` say of sampling, with a seed of chance where they name none.

    Raises UsageError on values that make no sense.
    """
    chosen: dict[str, Any] = {k: value for k, value in options.items() if k in _SAMPLING}
    seed = chosen.get("seed")
    chosen["seed"] = secrets.randbits(63) if seed is None else int(seed)  # numpy's overflow
    return Sampling(**chosen)


class LLM:
    """A loaded target with its drafters, answering on a thread of its own.

    Made by `load`. `notes` are sentences worth telling a person, e.g. why a draft is not used.
    """

    def __init__(self, loading: Loading) -> None:
        """Raises what `load` raises."""
        start = time.perf_counter()

        def build(resources: ExitStack) -> Engine:
            self._resources, self._pair = resources, Pair(loading, resources)
            return self._pair.engine

        self._worker = Worker(build, loading.most)
        self.target, self.draft = self._pair.target, self._pair.draft
        self.governor, self.notes = self._pair.governor, self._pair.notes
        self.context_length = self._pair.cache.length
        self._prompts = self._made_prompts()
        self.target.vocabulary.show(self._prompts.marks)
        self.load_seconds = time.perf_counter() - start

    def _made_prompts(self) -> Prompts:
        name, vocabulary = self.target.name, self.target.vocabulary
        source = self.target.chat_template
        try:
            return Prompts(name, vocabulary, source)
        except ModelError as error:  # raw text can still be continued
            self.notes.append(str(error))
            return Prompts(name, vocabulary, None)

    def __repr__(self) -> str:
        draft = self.draft.path.stem if self.draft else "none"
        return f"<LLM {self.target.path.stem}, draft {draft}>"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End all answers, stop the thread, give the memory back."""
        self._worker.close()

    @property
    def remembered(self) -> bool:
        """Whether `close` could keep what is known of speeds for the next time."""
        return self._pair.remembered

    def limit(self, answers: int) -> None:
        """Decode only so many answers at once from now on, though `load` made room for more."""
        self._worker.limit(answers)

    def listen(self, listener: Callable[[Step], None]) -> None:
        """Tell `listener` of every step from now on, on the engine's thread; it must be quick."""
        self._worker.listen(listener)

    def forget(self) -> None:
        """Drop what earlier answers left behind, so that the next one starts like the first.

        For measurements: a text that was said before is guessed from memory when it is said again.
        """
        self._worker.forget()

    def examine(self, look: Callable[[Context], _Found]) -> _Found:
        """What `look` finds out with the target's context, which is empty and must be left so.

        For measurements, like `forget`; nothing else is decoded meanwhile.
        """
        found: list[_Found] = []
        self._worker.forget(lambda: found.append(look(self._pair.cache)))
        return found[0]

    def stream(
        self,
        prompt: Prompt,
        told: Callable[[bool], None] | None = None,
        **options: Unpack[Options],
    ) -> Stream:
        """Begin to answer. A str goes through the model's chat template unless `raw`.

        `told`, where given, is called on another thread whenever there is something to read, with
        whether it is the last.
        Raises UsageError where prompt or options make no sense, BusyError where too many wait.
        """
        return self.streams([prompt], told=told, **options)[0]

    def streams(
        self,
        prompts: Many[Prompt],
        n: int = 1,
        told: Callable[[bool], None] | None = None,
        **options: Unpack[Options],
    ) -> list[Stream]:
        """Begin `n` answers to each prompt, all or none.

        The answers to one prompt have seeds of their own, one after another: the first is that
        of `n` = 1, and each can be had again alone.
        """
        self._check(options)
        asked = [self._request(prompt, options) for prompt in prompts]
        requests = [_with_seed(request, i) for request in asked for i in range(n)]
        return self._worker.streams(requests, told)

    def tokens(self, prompt: Prompt, **options: Unpack[Options]) -> list[int]:
        """What the model reads when it is asked `prompt`, with what the options add to it."""
        self._check(options)
        return self._tokens(prompt, options)

    def count(self, prompt: Prompt, **options: Unpack[Options]) -> int:
        """How many tokens that is."""
        return len(self.tokens(prompt, **options))

    def embed(self, texts: Many[Prompt]) -> tuple[list[npt.NDArray[np.float32]], int]:
        """A vector for each text, where the model was made for that, and how many tokens it took.

        Raises UsageError where it was not, or a text does not fit.
        """
        self._check({})
        tokenize = self.target.vocabulary.tokenize
        prompts = [
            tokenize(text, whole=True) if isinstance(text, str) else self.tokens(text)
            for text in texts
        ]
        vectors: list[npt.NDArray[np.float32]] = []

        def embed_next() -> None:
            vectors.append(self._embedder.embed(prompts[len(vectors)]))

        for _ in prompts:  # between steps, so that answers go on
            self._worker.do(embed_next)
        return vectors, sum(map(len, prompts))

    @functools.cached_property
    def _embedder(self) -> Embedder:
        """Made when it is first used, on the engine's thread."""
        embedder = Embedder(self.target)
        self._resources.callback(embedder.close)
        return embedder

    @property
    def running(self) -> int:
        """Answers that have a slot."""
        return self._worker.running

    @property
    def unfinished(self) -> int:
        """Answers that are being made or wait."""
        return self._worker.unfinished

    def doubt(self, stream: Stream) -> Doubt | None:
        """Why the draft model is not asked to guess for an answer, where it is not."""
        return self.governor.doubt(stream.sequence, ModelDrafter.name) if self.draft else None

    def generate(self, prompt: Prompt, **options: Unpack[Options]) -> Answer:
        """The whole answer at once."""
        asked: Options = {**options, "whole": True}
        with self.stream(prompt, **asked) as stream:
            for _ in stream:
                pass
            return stream.answer

    def chat(self, messages: Many[Message], **options: Unpack[Options]) -> Answer:
        """The assistant's next message in a conversation."""
        return self.generate(messages, **options)

    def _check(self, options: Options) -> None:
        """Before anything is asked of the model, which is no more when it was closed."""
        self._worker.check()
        check(options, Options.__annotations__)

    def _tokens(self, prompt: Prompt, options: Options) -> list[int]:
        extra: dict[str, Any] = dict(options.get("template", {}))
        if _is_forced(options):  # there is no room for thoughts, so they should not be asked for
            extra.setdefault("enable_thinking", False)
        raw, functions = options.get("raw", False), options.get("tools")
        return self._prompts.tokens(prompt, functions, extra, raw=raw)

    def _request(self, prompt: Prompt, options: Options) -> Request:
        if not self.target.writes:
            raise UsageError(f"{self.target.name} writes no texts; it makes vectors of them.")
        stop = options.get("stop", ())
        stops = (stop,) if isinstance(stop, str) else tuple(stop)
        if "" in stops:
            raise UsageError("A stop string is empty; every answer would end at once.")
        speculation = options.get("speculation", "auto")
        tokens = self._tokens(prompt, options)
        calling = self._prompts.calling(options.get("tools"))
        thinks = not (options.get("raw") or _is_forced(options))
        return Request(
            prompt=tokens,
            sampling=sampling(options),
            max_tokens=options.get("max_tokens"),
            stops=stops,
            speculation=0 if speculation == "off" else speculation,
            constraint=self._constraint(options, calling),
            logprobs=options.get("logprobs"),
            echo=options.get("echo", False),
            client=options.get("client", ""),
            thinking=self._prompts.thinking(tokens) if thinks else None,
            calling=calling,
            whole=options.get("whole", False),
        )

    def _constraint(
        self, options: Options, calling: Calling | None
    ) -> Callable[[], Constraint] | None:
        """What an answer must match, if anything."""
        schema = options.get("json_schema")
        if schema is None and calling is None:
            return None
        from localspec.llama.grammar import Grammar  # most answers need no grammar

        vocabulary = self.target.vocabulary
        if calling:
            choice, one_call = options.get("tool_choice"), options.get("one_call", False)

            def compiled(calling: Calling) -> Grammar:
                special = vocabulary.special
                source = grammar.grammar(calling, choice, special, schema, one_call=one_call)
                return Grammar(source, vocabulary)

            try:
                return compiled(calling).begin
            except UsageError:  # one odd schema should not cost an agent all its tools
                return compiled(grammar.simplified(calling, Grammar.can_say)).begin
        assert schema is not None
        return Grammar.of_schema(schema, vocabulary).begin


def _is_forced(options: Options) -> bool:
    """Whether a grammar holds from the first token on."""
    return "json_schema" in options or options.get("tool_choice") not in (None, "auto")


def _with_seed(request: Request, i: int) -> Request:
    """The same request with the `i`-th seed after its own."""
    sampling = request.sampling
    return replace(request, sampling=replace(sampling, seed=(sampling.seed + i) % 2**64))


def _opens(how: Callable[_How, Loading]) -> Callable[_How, LLM]:
    """A function that takes what `how` takes, so that those words are in one place."""

    @functools.wraps(how, assigned=["__doc__"], updated=[])
    def load(*args: _How.args, **options: _How.kwargs) -> LLM:
        return LLM(how(*args, **options))

    told = inspect.signature(how).replace(return_annotation=LLM)
    load.__signature__ = told  # type: ignore[attr-defined]
    return load


load = _opens(Loading)
