"""What an answer cost and what speculation gave it: whole, and as of the last two seconds."""

from collections import deque
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any, Self

from localspec.decoding.statistics import Statistics

__all__ = ["SAMPLES", "Figures", "Meter", "ratio", "snapshot"]

_WINDOW_SECONDS = 2.0
_SAMPLE_SECONDS = 0.5
SAMPLES = 24
_KNOWN = {f.name for f in fields(Statistics)}


@dataclass(frozen=True)
class Figures:
    """Statistics, and what they must be read beside; 0 where something is not known.

    `counted` is False while tokens are estimated from what a server has sent so far.
    """

    statistics: Statistics = field(default_factory=Statistics)
    plain_per_second: float = 0.0
    context_length: int = 0
    counted: bool = True

    @property
    def speedup(self) -> float:
        """How many times as fast as plain decoding; 0 where that is not known."""
        return ratio(self.statistics.tokens_per_second, self.plain_per_second)

    @property
    def context_share(self) -> float:
        """How much of the context is full."""
        s = self.statistics
        return min(1.0, ratio(s.prompt_tokens + s.completion_tokens, self.context_length))

    def as_json(self) -> dict[str, Any]:
        """For keeping."""
        return {**asdict(self), "statistics": asdict(self.statistics)}

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> Self:
        """From what `as_json` gave, perhaps in another version: what is unknown is left out."""
        statistics = {k: v for k, v in kept.get("statistics", {}).items() if k in _KNOWN}
        own = {f.name for f in fields(cls)} - {"statistics"}
        return cls(Statistics(**statistics), **{k: v for k, v in kept.items() if k in own})


def snapshot(statistics: Statistics) -> Statistics:
    """A copy of statistics that another thread goes on counting in."""
    return replace(
        statistics,
        drafted_by_drafter=dict(statistics.drafted_by_drafter),
        accepted_by_drafter=dict(statistics.accepted_by_drafter),
        drafted_per_position=list(statistics.drafted_per_position),
        accepted_per_position=list(statistics.accepted_per_position),
    )


class Meter:
    """An answer on its way, as of the last two seconds by the engine's own clock."""

    def __init__(self) -> None:
        self.figures = Figures()
        self.history: list[float] = []
        self._window: deque[Statistics] = deque([Statistics()])
        self._sampled = 0.0
        self._guessed_at = 0

    def observe(self, figures: Figures) -> None:
        """The figures of the moment."""
        self.figures = figures
        now = figures.statistics
        if now.draft_tokens > self._window[-1].draft_tokens:
            self._guessed_at = now.steps
        self._window.append(now)
        while self._window[1].predicted_seconds <= now.predicted_seconds - _WINDOW_SECONDS:
            self._window.popleft()
        if now.predicted_seconds >= self._sampled + _SAMPLE_SECONDS:
            self._sampled = now.predicted_seconds
            self.history = [*self.history, self.rate][-SAMPLES:]

    @property
    def rate(self) -> float:
        """Tokens per second."""
        return ratio(self._since("predicted_tokens"), self._since("predicted_seconds"))

    @property
    def draft_length(self) -> float:
        """Mean length of guesses, over all decodes."""
        return ratio(self._since("draft_tokens"), self._since("steps"))

    @property
    def drafter(self) -> str | None:
        """Who made most of the guesses."""
        before, now = self._window[0].drafted_by_drafter, self._window[-1].drafted_by_drafter
        made = {name: n - before.get(name, 0) for name, n in now.items()}
        return max(made, key=made.__getitem__) if any(made.values()) else None

    @property
    def idle_steps(self) -> int:
        """Decodes since the last one with a guess."""
        return self.figures.statistics.steps - self._guessed_at

    def _since(self, name: str) -> float:
        return float(getattr(self._window[-1], name) - getattr(self._window[0], name))


def ratio(part: float, whole: float) -> float:
    """A share; 0 of nothing."""
    return part / whole if whole else 0.0
