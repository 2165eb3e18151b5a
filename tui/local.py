"""The backend that decodes on this computer."""

from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from localspec.engine.worker import Stream
from localspec.governor.doubt import Doubt
from localspec.loading import Loading
from localspec.runtime import LLM, Options
from localspec.tui.backend import Choices, Reply, Said, Words
from localspec.tui.figures import Figures, snapshot
from localspec.tui.thinking import Writer

__all__ = ["Local", "load"]


def load(loading: Loading) -> "Local":
    """Load a model and its draft; takes a while. Raises LocalspecError."""
    return Local(LLM(loading))


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

    def ask(self, conversation: Sequence[Words], choices: Choices) -> Reply:
        """Begin to answer; rendering the conversation happens elsewhere."""
        options: Any = dict(choices)
        begun = self._helper.submit(self._begin, conversation, options)
        return _LocalReply(self.llm, begun)

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
        self._writer: Writer | None = None
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
        return self._stream.sequence.request.sampling.seed if self._stream else None

    @property
    def figures(self) -> Figures:
        if not self._stream:
            return Figures(context_length=self._llm.context_length)
        return Figures(
            snapshot(self._stream.sequence.statistics),
            self._llm.governor.plain_rate(),
            self._llm.context_length,
        )

    @property
    def doubt(self) -> Doubt | None:
        return self._llm.doubt(self._stream) if self._stream else None

    def take(self) -> list[Said]:
        if not self._begun.done():
            return []
        try:
            stream = self._begun.result()
            if self._cancelled:
                stream.cancel()
            pieces = stream.take()
        except BaseException:
            self.ended = True
            raise
        writer = self._writer = self._writer or Writer(stream.thinking)
        said = [part for piece in pieces for part in writer.say(piece.text, piece.drafter)]
        failed = bool(pieces) and stream.sequence.finish_reason == "error"
        self.ended = stream.ended and not failed  # the next call raises why
        return said + writer.finish() if stream.ended else said

    def cancel(self) -> None:
        self._cancelled = True
        if self._stream:
            self._stream.cancel()
