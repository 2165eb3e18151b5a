"""A model that says what a test tells it to, when it tells it to; and how tests wait for a chat."""

import asyncio
import functools
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import ExitStack, asynccontextmanager
from typing import Any, ParamSpec

from textual._context import visible_screen_stack
from textual.messages import ExitApp
from textual.pilot import Pilot

from localspec.decoding.statistics import Statistics
from localspec.errors import LocalspecError, ModelError
from localspec.governor.doubt import Doubt
from localspec.tui.app import Chat
from localspec.tui.backend import Choice, Choices, Reply, Said, Words
from localspec.tui.figures import Figures
from localspec.tui.store import Store

__all__ = [
    "HELLO",
    "ScriptedBackend",
    "ScriptedReply",
    "ScriptedSource",
    "ask",
    "begin",
    "chatting",
    "driven",
    "figures",
    "new_store",
    "on_screen",
    "settled",
    "told",
    "wait_until",
]

P = ParamSpec("P")
PATIENCE = 60.0
"""Seconds after which something is taken to hang."""
HELLO = [Said("Hello", "model"), Said(" there", "lookup"), Said("!")]


def figures(tokens: int, seconds: float = 0.0, *, guesses: bool = True, **changes: Any) -> Figures:
    """What a plausible answer of `tokens` tokens costs."""
    steps = max(1, round(tokens / 2.5)) if guesses else tokens
    drafted = 3 * steps if guesses else 0
    held = tokens - steps if guesses else 0
    s = Statistics(
        prompt_tokens=412,
        cached_tokens=380,
        completion_tokens=tokens,
        predicted_tokens=tokens,
        steps=steps,
        draft_tokens=drafted,
        accepted_tokens=held,
        drafted_by_drafter={"draft model": drafted - drafted // 4, "lookup": drafted // 4},
        accepted_by_drafter={"draft model": held - held // 4, "lookup": held // 4},
        drafted_per_position=[steps, steps, steps] if guesses else [],
        accepted_per_position=[held // 2, held // 3, held - held // 2 - held // 3],
        prompt_seconds=0.081,
        predicted_seconds=seconds or tokens / 182.5,
        draft_seconds=(seconds or tokens / 182.5) * 0.11 * guesses,
        target_seconds=(seconds or tokens / 182.5) * 0.86,
        first_token_seconds=0.094,
    )
    return Figures(s, **{"plain_per_second": 121.0, "context_length": 4096, **changes})


class ScriptedReply:
    """An answer whose parts are said by the test, or all at once as its backend's script has it."""

    def __init__(self, script: Sequence[Said] | LocalspecError | None) -> None:
        self.seed: int | None = 7
        self.finish_reason: str | None = None
        self.figures = Figures(context_length=4096)
        self.doubt: Doubt | None = None
        self.cancelled = False
        self._said: list[Said] = []
        self._failure: LocalspecError | None = None
        if isinstance(script, LocalspecError):
            self.fail(script)
        elif script is not None:
            self.say(*script)
            self.end()

    def say(self, *parts: Said | str) -> None:
        self._said += [part if isinstance(part, Said) else Said(part) for part in parts]
        tokens = self.figures.statistics.completion_tokens + len(parts)
        self.figures = figures(tokens)

    def end(self, reason: str = "stop") -> None:
        self.finish_reason = reason

    def fail(self, error: LocalspecError) -> None:
        self._failure = error

    def cancel(self) -> None:
        self.cancelled = True
        self.finish_reason = "cancelled"

    @property
    def ended(self) -> bool:
        return self.finish_reason is not None and not self._said

    def take(self) -> list[Said]:
        said, self._said = self._said, []
        if self._failure and not said:
            self.finish_reason = "error"
            raise self._failure
        return said


class ScriptedBackend:
    """Answers with its scripts in turn; where one is None, the test speaks through `replies`."""

    detail = "guessed by a script"

    def __init__(
        self,
        *scripts: Sequence[Said] | LocalspecError | None,
        name: str = "scripted-8b-q4",
        notes: Sequence[str] = (),
    ) -> None:
        self.name, self.notes = name, notes
        self.scripts = list(scripts)
        self.asked: list[tuple[list[Words], dict[str, Any]]] = []
        self.replies: list[ScriptedReply] = []
        self.closed = False

    def ask(self, conversation: Sequence[Words], choices: Choices) -> Reply:
        self.asked.append((list(conversation), dict(choices)))
        reply = ScriptedReply(self.scripts.pop(0) if self.scripts else None)
        self.replies.append(reply)
        return reply

    def close(self) -> None:
        self.closed = True


class ScriptedSource:
    """Opens the backends it is given by name; others do not exist."""

    default = "scripted"
    promise = "Everything stays in this test."

    def __init__(self, **backends: ScriptedBackend) -> None:
        self.backends = backends
        self.opened: list[tuple[str, str]] = []

    def check(self, model: str, draft: str) -> None:
        if model not in self.backends:
            raise ModelError(f"There is no model {model!r}; give the path of a GGUF file.")

    def open(self, model: str, draft: str) -> ScriptedBackend:
        self.opened.append((model, draft))
        self.check(model, draft)
        return self.backends[model]

    def models(self) -> list[Choice]:
        return [Choice(name, "made for tests") for name in self.backends]

    def drafts(self, model: str) -> list[Choice]:
        auto = Choice("auto", "the draft made for it", f"It was measured with {model}.")
        return [auto, Choice("none", "no draft model")]

    def explain(self, model: str) -> str:
        return f"{model} fits."


async def wait_until(
    pilot: Pilot[Any], condition: Callable[[], object], what: str = "", patience: float = PATIENCE
) -> None:
    """Let the app work until `condition` holds."""
    end = asyncio.get_running_loop().time() + patience
    while not condition():
        assert asyncio.get_running_loop().time() < end, f"it does not come about: {what}"
        await pilot.pause(0.02)


@asynccontextmanager
async def chatting(
    backend: ScriptedBackend | None = None,
    *,
    store: Store | None = None,
    size: tuple[int, int] = (100, 30),
    source: ScriptedSource | None = None,
    model: str = "scripted",
    loaded: bool = True,
    **options: Any,
) -> AsyncIterator[tuple[Chat, Pilot[None]]]:
    """A chat with a scripted model; its store ends with the test that made it."""
    source = source or ScriptedSource(scripted=backend or ScriptedBackend())
    chat = Chat(store or new_store(), source, model=model, **options)
    async with chat.run_test(size=size, notifications=True) as pilot:
        if loaded:
            await wait_until(pilot, lambda: chat.session.backend, "a model")
        yield chat, pilot
        chat.post_message(ExitApp())  # else it is taken apart while it draws, as no person can
        assert chat._task
        await asyncio.wait_for(chat._task, PATIENCE)


_ENDING = ExitStack()


def new_store() -> Store:
    """A store in memory that ends with the test that is driven."""
    return _ENDING.enter_context(Store(None))


def driven(test: Callable[P, Awaitable[None]]) -> Callable[P, None]:
    """A test that is a coroutine."""

    @functools.wraps(test)
    def run(*arguments: P.args, **named: P.kwargs) -> None:
        async def go() -> None:
            with _ENDING:
                await test(*arguments, **named)

        asyncio.run(go())

    return run


async def ask(chat: Chat, pilot: Pilot[None], text: str, *, answered: bool = True) -> None:
    """Type and send, and let the answer come."""
    before = len(chat.session.tree.messages)
    chat.prompt.put(text)
    await pilot.press("enter")
    await wait_until(pilot, lambda: not chat.prompt.text, f"{text} is sent")
    if answered:
        await wait_until(pilot, lambda: len(chat.session.tree.messages) >= before + 2)
        await wait_until(pilot, lambda: chat.conversation.running is None, f"the answer to {text}")
        await pilot.pause()


async def begin(
    chat: Chat, pilot: Pilot[None], backend: ScriptedBackend, text: str
) -> ScriptedReply:
    """Ask, and get the reply that the test has to speak through."""
    await ask(chat, pilot, text, answered=False)
    await wait_until(pilot, lambda: backend.replies, f"{text} reaches the model")
    return backend.replies[-1]


def told(chat: Chat) -> str:
    """What a person reads, wherever lines are broken."""
    return " ".join(on_screen(chat).split())


async def settled(chat: Chat, pilot: Pilot[None]) -> list[str]:
    """The lines that are not empty, once two looks find the same."""
    before, lines = None, _lines(chat)
    while lines != before:
        await pilot.pause(0.1)
        before, lines = lines, _lines(chat)
    return lines


def _lines(chat: Chat) -> list[str]:
    return [line.strip() for line in on_screen(chat).splitlines() if line.strip()]


def on_screen(chat: Chat) -> str:
    """What a person sees. Looking draws, and it is kept: so it is with what lies behind a sheet."""
    visible_screen_stack.set(chat._background_screens)
    strips = chat.screen._compositor.render_strips()
    return "\n".join("".join(segment.text for segment in strip) for strip in strips)
