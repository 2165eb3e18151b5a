"""The backend that decodes on this computer."""

from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from localspec.tui.backend import Choices, Reply, Said, Words
from localspec.tui.figures import Figures, snapshot

import localspec
from localspec.runtime import LLM, Options
from localspec.worker import Stream

__all__ = ["Local", "load"]


def load(model: str, draft: str, **how: Any) -> "Local":
    """Load a model and its draft; takes a while. Raises LocalspecError."""
    return Local(localspec.load(model, draft=draft, **how))


class Local:
    """A loaded model as a backend."""

    def __init__(self, llm: LLM) -> None:
        self.llm = llm
        self._helper = ThreadPoolExecutor(1, "localspec-asking")

    @property
    def name(self) -> str:
        """The target's name."""
        return self.llm.target.name

    @property
    def detail(self) -> str:
        """Who guesses."""
        return f"guessed by {self.llm.draft.name}" if self.llm.draft else "no draft model"

    @property
    def notes(self) -> Sequence[str]:
        """What loading had to say."""
        return self.llm.notes

    @property
    def price(self) -> float:
        """What looking at one guess costs, in plain steps."""
        plain = self.llm.governor.costs.step(1)
        return self.llm.governor.costs.step(2) / plain - 1 if plain else 0.0

    def ask(self, conversation: Sequence[Words], choices: Choices) -> Reply:
        """Begin to answer; rendering the conversation happens elsewhere."""
        options: Any = dict(choices)
        return _LocalReply(self.llm, self._helper.submit(self._begin, conversation, options))

    def _begin(self, conversation: Sequence[Words], options: Options) -> Stream:
        return self.llm.stream(conversation, **options)

    def close(self) -> None:
        """Give the memory back."""
        self._helper.shutdown()
        self.llm.close()


class _LocalReply:
    """A stream that may not have begun yet."""

    def __init__(self, llm: LLM, begun: Future[Stream]) -> None:
        self._llm, self._begun = llm, begun
        self._cancelled = False
        self.ended = False

    @property
    def _stream(self) -> Stream | None:
        if not self._begun.done() or self._begun.exception():
            return None
        return self._begun.result()

    @property
    def finish_reason(self) -> str | None:
        if not self.ended:
            return None
        return self._stream.answer.finish_reason if self._stream else "error"

    @property
    def seed(self) -> int | None:
        return self._stream.answer.seed if self._stream else None

    @property
    def figures(self) -> Figures:
        if not self._stream:
            return Figures(context_length=self._llm.context_length)
        return Figures(
            snapshot(self._stream.answer.statistics),
            self._llm.governor.plain_rate(),
            self._llm.context_length,
        )

    def take(self) -> list[Said]:
        if not self._begun.done():
            return []
        try:
            stream = self._begun.result()
            if self._cancelled:
                stream.cancel()
            said = [Said(piece.text, piece.drafter) for piece in stream.take()]
        except BaseException:
            self.ended = True
            raise
        failed = bool(said) and stream.answer.finish_reason == "error"
        self.ended = stream.ended and not failed  # the next call raises why
        return said

    def cancel(self) -> None:
        self._cancelled = True
        if self._stream:
            self._stream.cancel()
