"""The Python API: load a pair, ask it things.

    with localspec.load("shell") as llm:
        for piece in llm.stream("How do I list files by size?", seed=7):
            print(piece.text, end="")

Any number of threads may call an LLM; see `worker` for how they meet the one that decodes.
"""

import functools
import platform
import secrets
import time
from collections.abc import Callable, Mapping
from collections.abc import Sequence as Many
from contextlib import ExitStack
from dataclasses import fields, replace
from pathlib import Path
from typing import Any, Literal, NamedTuple, Self, TypedDict, TypeVar, Unpack, cast, get_args

import numpy as np
import numpy.typing as npt

from localspec import models
from localspec.conversation import tools
from localspec.conversation.template import ChatTemplate
from localspec.conversation.thinking import Thinking, marks_of
from localspec.decoding.sampling import Constraint, Sampling
from localspec.decoding.sequence import Request, Speculation
from localspec.drafters import drift
from localspec.drafters.base import Drafter
from localspec.drafters.grammar import GrammarDrafter
from localspec.drafters.lookup import LookupDrafter
from localspec.drafters.model import ModelDrafter
from localspec.engine.engine import Engine
from localspec.engine.worker import Answer, Stream, Worker
from localspec.errors import ModelError, UsageError
from localspec.governor import profile
from localspec.governor.costs import Costs
from localspec.governor.doubt import Doubt
from localspec.governor.governor import Governor
from localspec.governor.policy import Step
from localspec.governor.sweep import sweep
from localspec.llama.context import CacheType, Context
from localspec.llama.embedder import Embedder
from localspec.llama.library import devices, system_info
from localspec.llama.model import Model

__all__ = [
    "LLM",
    "Answer",
    "Message",
    "Options",
    "Prompt",
    "Stream",
    "default_context",
    "load",
    "sampling",
    "widths",
]

Message = Mapping[str, object]
"""`{"role": "user", "content": "…"}`; what else a model's template understands may be there too."""
Prompt = str | Many[Message] | Many[int]
"""Text to answer, a conversation to continue, or tokens to go on from."""

_Found = TypeVar("_Found")

_LONGEST_CONTEXT = 8192
_MOST_GUESSES = 16
_BATCH = 512
_SWEEP_SECONDS = 0.6
_MARK_TOKENS = 16  # that the beginning of thoughts takes at most, with white space after it


class Settings(NamedTuple):
    """How a model is loaded; see `load`."""

    context: int | None = None
    parallel: int = 1
    gpu_layers: int = -1
    cache: CacheType = "f16"
    waiting: int | None = None


def default_context(trained: int | None) -> int:
    """Tokens of context where nobody asks for more or less."""
    return min(_LONGEST_CONTEXT, trained or _LONGEST_CONTEXT)


def widths(parallel: int) -> tuple[int, int]:
    """The most rows in a decode of so many sequences, and the most of them with logits."""
    outputs = parallel * (1 + _MOST_GUESSES)
    return max(_BATCH, 2 * outputs), outputs


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
    """Functions the model may call, as OpenAI describes them; see `conversation.tools`."""
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
    if chosen.get("seed") is None:
        chosen["seed"] = secrets.randbits(63)
    return Sampling(**chosen)


class LLM:
    """A loaded target with its drafters, answering on a thread of its own.

    Made by `load`. `notes` are sentences worth telling a person, e.g. why a draft is not used.
    """

    def __init__(self, paths: tuple[Path, Path | None], settings: Settings) -> None:
        start = time.perf_counter()
        self.notes: list[str] = []
        self._paths, self._settings = paths, settings
        most = None if settings.waiting is None else settings.parallel + settings.waiting
        self._worker = Worker(self._build, most)
        self.load_seconds = time.perf_counter() - start

    def _build(self, resources: ExitStack) -> Engine:
        """Models, caches and what is known of their speed; on the thread that will use them."""
        (target_path, draft_path), settings = self._paths, self._settings
        self._resources = resources
        self.target = resources.enter_context(Model(target_path, gpu_layers=settings.gpu_layers))
        self.draft: Model | None = None
        self._template = self._chat_template()
        self._marks = marks_of(self.target.chat_template) if self._template else ()
        thoughts = (text for marks in self._marks for text in marks.tokens)
        self.target.vocabulary.show((*thoughts, *tools.MARKS))
        self.context_length = min(
            settings.context or _LONGEST_CONTEXT, self.target.context_length or _LONGEST_CONTEXT
        )
        cache = resources.enter_context(Context(self.target, **self._sizes(self.target)))
        self._context = cache
        drafters: list[Drafter] = []
        if draft_path:
            draft = resources.enter_context(Model(draft_path, gpu_layers=settings.gpu_layers))
            objection = _objection(self.target, draft, cache)
            if objection:
                self.notes.append(f"{objection} Going on without a draft.")
            else:
                own = resources.enter_context(Context(draft, **self._sizes(draft)))
                drafters.append(ModelDrafter(own))
                self.draft = draft
        if cache.can_truncate:
            drafters += [LookupDrafter(), GrammarDrafter()]
        self.governor = Governor(
            Costs(cache.outputs), own_cells=cache.own_cells, asynchronous=cache.asynchronous
        )
        self._profile = _profile(self.target, self.draft, cache, settings.gpu_layers)
        if not profile.load(self.governor, self._profile):
            sweep(cache, self.governor.costs, budget=_SWEEP_SECONDS)
        resources.callback(self.remember)
        vocabulary, costs = self.target.vocabulary, self.governor.costs
        engine = Engine(cache, vocabulary, drafters, self.governor, costs)
        if self.draft:
            diary = drift.Diary(vocabulary)
            engine.listen(diary.observe)
            resources.callback(drift.remember, target_path, self.draft.path, diary.counts)
        return engine

    def _chat_template(self) -> ChatTemplate | None:
        source = self.target.chat_template
        try:
            return None if source is None else ChatTemplate(source, self.target.vocabulary)
        except ModelError as error:  # raw text can still be continued
            self.notes.append(str(error))
            return None

    def _sizes(self, model: Model) -> dict[str, Any]:
        parallel = self._settings.parallel
        batch, outputs = widths(parallel)
        return {
            "length": min(self.context_length, model.context_length or self.context_length),
            "sequences": parallel,
            "batch": batch,
            "outputs": outputs,
            "cache": self._settings.cache,
        }

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End all answers, stop the thread, give the memory back."""
        self._worker.close()

    def remember(self) -> bool:
        """Keep what is known of speeds, as `close` does; False where it cannot be written."""
        return profile.save(self.governor, self._profile)

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
        self._worker.forget(lambda: found.append(look(self._context)))
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
        asked = [self._request(prompt, options) for prompt in prompts]
        requests = [_with_seed(request, i) for request in asked for i in range(n)]
        return self._worker.streams(requests, told)

    def count(self, prompt: Prompt, **options: Unpack[Options]) -> int:
        """How many tokens `prompt` comes to, with what the options add to it."""
        return len(self._tokens(prompt, options))

    def embed(self, texts: Many[Prompt]) -> tuple[list[npt.NDArray[np.float32]], int]:
        """A vector for each text, where the model was made for that, and how many tokens it took.

        Raises UsageError where it was not, or a text does not fit.
        """
        tokenize = self.target.vocabulary.tokenize
        prompts = [
            tokenize(text, whole=True) if isinstance(text, str) else self._tokens(text, {})
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

    def _request(self, prompt: Prompt, options: Options) -> Request:
        if not self.target.writes:
            raise UsageError(f"{self.target.name} writes no texts; it makes vectors of them.")
        stop = options.get("stop", ())
        stops = (stop,) if isinstance(stop, str) else tuple(stop)
        if "" in stops:
            raise UsageError("A stop string is empty; every answer would end at once.")
        speculation = options.get("speculation", "auto")
        tokens = self._tokens(prompt, options)
        return Request(
            prompt=tokens,
            sampling=sampling(options),
            max_tokens=options.get("max_tokens"),
            stops=stops,
            speculation=0 if speculation == "off" else speculation,
            constraint=self._constraint(options),
            logprobs=options.get("logprobs"),
            echo=options.get("echo", False),
            client=options.get("client", ""),
            thinking=self._thinking(tokens, options),
            whole=options.get("whole", False),
        )

    def _thinking(self, prompt: list[int], options: Options) -> Thinking | None:
        """How the model will mark its thoughts, where it can have any."""
        if not self._marks or options.get("raw") or _is_forced(options):
            return None
        end = "".join(map(self.target.vocabulary.text_of, prompt[-_MARK_TOKENS:]))
        return Thinking.after(end, self._marks)

    def _constraint(self, options: Options) -> Callable[[], Constraint] | None:
        """What an answer must match, if anything."""
        schema, offered = options.get("json_schema"), options.get("tools")
        if schema is None and not offered:
            return None
        from localspec.llama.grammar import Grammar  # most answers need no grammar

        vocabulary = self.target.vocabulary
        if offered:
            marks = {m for m in tools.MARKS if len(vocabulary.tokenize(m, control=True)) == 1}
            choice, one_call = options.get("tool_choice"), options.get("one_call", False)
            source = tools.grammar(offered, choice, marks, schema, one_call=one_call)
            return Grammar(source, vocabulary).begin
        assert schema is not None
        return Grammar.of_schema(schema, vocabulary).begin

    def _tokens(self, prompt: Prompt, options: Options) -> list[int]:
        """A prompt in tokens. What a person wrote never becomes a control token."""
        if isinstance(prompt, str):
            if not options.get("raw") and self._template:
                return self._render([{"role": "user", "content": prompt}], options)
            vocabulary = self.target.vocabulary
            begin = [vocabulary.bos] if vocabulary.adds_bos else []
            return begin + vocabulary.tokenize(prompt)
        if all(isinstance(part, int) for part in prompt):
            return self._checked(cast("Many[int]", prompt))
        return self._render(cast("Many[Message]", prompt), options)

    def _render(self, messages: Many[Message], options: Options) -> list[int]:
        if self._template is None:
            raise UsageError(f"{self.target.name} has no usable chat template; ask with raw text.")
        offered = options.get("tools")
        extra: dict[str, Any] = dict(options.get("template", {}))
        if _is_forced(options):  # there is no room for thoughts, so they should not be asked for
            extra.setdefault("enable_thinking", False)
        if not self._template.knows_tools:
            messages, offered = tools.spelled_out(messages, offered or ()), None
        elif not self._template.knows_calls:
            messages = tools.with_written_calls(messages)
        if self._template.wants_short_ids:
            messages = tools.with_short_ids(messages)
        return self._template.render(messages, tools=offered, **extra)

    def _checked(self, tokens: Many[int]) -> list[int]:
        size = self.target.vocabulary.size
        wrong = next((token for token in tokens if not 0 <= token < size), None)
        if wrong is not None:
            raise UsageError(f"There is no token {wrong}; {self.target.name} has {size}.")
        return list(tokens)


def _is_forced(options: Options) -> bool:
    """Whether a grammar holds from the first token on."""
    return "json_schema" in options or options.get("tool_choice") not in (None, "auto")


def _with_seed(request: Request, i: int) -> Request:
    """The same request with the `i`-th seed after its own."""
    sampling = request.sampling
    return replace(request, sampling=replace(sampling, seed=(sampling.seed + i) % 2**64))


def load(
    model: str | Path = "shell",
    *,
    draft: str | Path = "auto",
    context: int | None = None,
    parallel: int = 1,
    gpu_layers: int = -1,
    cache: CacheType = "f16",
    waiting: int | None = None,
) -> LLM:
    """Load a target and its draft.

    `model` is an embedded name, one that was pulled (an alias, `user/repo[:quant]`), or a path;
    `draft` the same, "auto" (the one made for the model or found best by `localspec models pair`,
    if any) or "none". `context` is the most tokens of prompt and answer together, by default what
    the model was trained on, at most 8192. `parallel` answers can be decoded at once.
    `gpu_layers` is how many layers go to a GPU (-1: all), `cache` how keys and values are kept:
    "q8_0" takes half the memory of "f16", and rounds more. `localspec models fit` says what fits.
    `waiting` is how many more requests may wait for their turn, by default any number.

    Raises ModelError where a file cannot be used, UsageError where a name is unknown.
    """
    for name, value in (("context", context), ("parallel", parallel)):
        if value is not None and value < 1:
            raise UsageError(f"{name} is {value}; it must be at least 1.")
    if cache not in get_args(CacheType):
        raise UsageError(f"cache is {cache!r}; it must be {' or '.join(get_args(CacheType))}.")
    paths = models.resolve(str(model), str(draft))
    models.usage.used(paths[0])
    return LLM(paths, Settings(context, parallel, gpu_layers, cache, waiting))


def _objection(target: Model, draft: Model, cache: Context) -> str | None:
    """Why `draft` cannot guess for `target`, as a sentence."""
    if not cache.can_truncate:
        return f"The cache of {target.name} cannot be rolled back over a wrong guess."
    difference = target.vocabulary.difference(draft.vocabulary)
    return difference and f"{draft.name} cannot draft for {target.name}: {difference}."


def _profile(target: Model, draft: Model | None, cache: Context, gpu_layers: int) -> Path:
    """Where costs are kept for just this combination of files, build and computer."""
    files = [(m.path.name, m.path.stat().st_size) for m in (target, draft) if m]
    computer = (platform.node(), system_info(), [device.description for device in devices()])
    sizes = (cache.threads, cache.sequences, gpu_layers)
    return profile.path_for(files, *computer, *sizes)
