"""Figures in words, for lines and for the panel; what matters most stays where it gets narrow.

Nothing here draws.
"""

from collections.abc import Mapping
from typing import NamedTuple

from localspec.decoding.statistics import Statistics
from localspec.governor.doubt import Doubt
from localspec.tui.figures import SAMPLES, Figures, Meter, ratio

__all__ = [
    "SEPARATOR",
    "Part",
    "detail",
    "fit",
    "footnote",
    "idle",
    "live",
    "quiet",
    "seconds",
    "spark",
]

_BARS = "▁▂▃▄▅▆▇"
_ENOUGH_STEPS = 40
"""Decodes without a guess after which guessing is taken to be switched off."""


class Part(NamedTuple):
    """A figure in a line of figures. `name` is its style; low `rank`s stay where it gets narrow."""

    text: str
    rank: int
    name: str = "quiet"


SEPARATOR = " · "


def fit(parts: list[Part], width: int) -> list[Part]:
    """The most important parts that fit a line `width` cells wide, in their order."""
    chosen: list[int] = []
    left = width + len(SEPARATOR)
    for i in sorted(range(len(parts)), key=lambda i: parts[i].rank):
        left -= len(parts[i].text) + len(SEPARATOR)
        if left < 0:
            break
        chosen.append(i)
    return [parts[i] for i in sorted(chosen)]


def live(meter: Meter) -> list[Part]:
    """What the strip says of an answer on its way, or of the last one."""
    figures, s = meter.figures, meter.figures.statistics
    parts = []
    if meter.rate:
        about = "" if figures.counted else "≈ "
        parts.append(Part(f"{about}{meter.rate:.0f} tokens/s", 0, "speed"))
    parts += _gain(figures)
    if meter.drafter:
        parts.append(Part(f"guessing {meter.draft_length:.1f} by {meter.drafter}", 5))
    parts += _context(figures)
    if s.cached_tokens:
        parts.append(Part(f"{s.cached_tokens:,} cached", 7))
    return parts


def idle(figures: Figures | None, detail: str, choices: Mapping[str, object]) -> list[Part]:
    """What the strip says between answers: what will answer, and how."""
    parts = [Part(detail, 0)] if detail else []
    parts += _context(figures) if figures else []
    parts += [Part(f"{name.replace('_', ' ')} {value}", 7) for name, value in choices.items()]
    return parts


def footnote(figures: Figures, finish_reason: str | None, seed: int | None) -> list[Part]:
    """The quiet line under an answer that has ended."""
    s = figures.statistics
    parts = [Part(words, 0, "warning") for words in _endings(finish_reason)]
    if s.completion_tokens:
        plural = "s" if s.completion_tokens > 1 else ""
        parts.append(Part(f"{s.completion_tokens:,} token{plural}", 2))
    if s.tokens_per_second:
        parts.append(Part(f"{s.tokens_per_second:.0f} tokens/s", 1))
    parts += _gain(figures)
    if s.first_token_seconds:
        parts.append(Part(f"first after {seconds(s.first_token_seconds)}", 6))
    if s.cached_tokens:
        parts.append(Part(f"{s.cached_tokens:,} of {s.prompt_tokens:,} cached", 5))
    if seed is not None:
        parts.append(Part(f"seed {seed}", 7))
    return parts


def _endings(reason: str | None) -> list[str]:
    endings = {
        None: "cut off: the program ended",
        "length": "at its full length",
        "cancelled": "stopped",
        "error": "failed",
    }
    return [endings[reason]] if reason in endings else []


def _gain(figures: Figures) -> list[Part]:
    s, parts = figures.statistics, []
    if figures.speedup:
        name = "gain" if figures.speedup >= 1.05 else "quiet"
        parts.append(
            Part(f"{figures.speedup:.2f}× plain ({figures.plain_per_second:.0f})", 1, name)
        )
    if s.draft_tokens:
        parts.append(Part(f"{s.acceptance_rate:.0%} held", 3))
    if s.draft_tokens and s.steps:  # an answer may be whole with the pass that reads the prompt
        parts.append(Part(f"{s.tokens_per_step:.1f} a step", 4))
    return parts


def _context(figures: Figures) -> list[Part]:
    if not figures.context_length:
        return []
    share = figures.context_share
    return [Part(f"context {share:.0%}", 6, "warning" if share > 0.85 else "quiet")]


def spark(history: list[float], width: int = SAMPLES) -> str:
    """Speeds as a row of bars, from nothing to the highest of them."""
    latest = history[-width:]
    top = max(latest, default=0.0)
    return "".join(_BARS[min(6, int(7 * value / top))] if top else _BARS[0] for value in latest)


def seconds(value: float) -> str:
    """A time a person can grasp."""
    return f"{value * 1000:.0f} ms" if value < 1 else f"{value:.1f} s"


def quiet(meter: Meter, doubt: Doubt | None, *, forbidden: bool = False) -> list[Part]:
    """What the strip says where nothing is guessed, and has not been for a while; else nothing.

    `doubt` is what speaks against the draft, None where there is none; `forbidden` where a person
    has switched guessing off.
    """
    if meter.idle_steps < _ENOUGH_STEPS:
        return []
    if forbidden:
        reason = "switched off by you"
    elif doubt is None:
        reason = "nothing here was seen before"
    elif doubt.expected is None:
        reason = "the draft is not worth asking yet"
    elif doubt.expected < doubt.needed:
        reason = f"{doubt.expected:.0%} would hold, {doubt.needed:.0%} needed"
    else:
        reason = "it would gain too little here"
    speed = [part._replace(rank=1) for part in live(meter)[:1]]
    return [*speed, Part(f"not guessing: {reason}", 0), *_context(meter.figures)]


def detail(figures: Figures) -> list[tuple[str, list[tuple[str, str]]]]:
    """Everything, for the panel: sections of names and values."""
    s = figures.statistics
    sections = [
        (
            "Speed",
            [
                ("answer", _or_dash(s.tokens_per_second, "{:.1f} tokens/s")),
                ("plain", _or_dash(figures.plain_per_second, "{:.1f} tokens/s")),
                ("speed-up", _or_dash(figures.speedup, "{:.2f}×")),
                ("a step", _or_dash(s.tokens_per_step, "{:.2f} tokens")),
            ],
        ),
        (
            "Time",
            [
                ("first token", seconds(s.first_token_seconds)),
                ("reading", seconds(s.prompt_seconds)),
                ("writing", seconds(s.predicted_seconds)),
                *_shares(s),
            ],
        ),
        (
            "Tokens",
            [
                ("prompt", f"{s.prompt_tokens:,}"),
                ("cached", f"{s.cached_tokens:,}"),
                ("answer", f"{s.completion_tokens:,}"),
                ("context", _or_dash(figures.context_length, "{:,}")),
            ],
        ),
    ]
    if s.draft_tokens:
        by_drafter = [
            (name, f"{s.accepted_by_drafter.get(name, 0):,} of {n:,} held")
            for name, n in s.drafted_by_drafter.items()
        ]
        sections.append(("Guesses", by_drafter))
        sections.append(("Held, by position", _positions(s)))
    return sections


def _shares(s: Statistics) -> list[tuple[str, str]]:
    """Where the time of writing goes; nothing where a server does not tell."""
    if not s.target_seconds:
        return []
    own = max(0.0, s.predicted_seconds - s.target_seconds - s.draft_seconds)
    return [
        (f"  {name}", f"{ratio(part, s.predicted_seconds):.0%}")
        for name, part in (
            ("guesses", s.draft_seconds),
            ("target", s.target_seconds),
            ("loop", own),
        )
    ]


def _positions(s: Statistics) -> list[tuple[str, str]]:
    rows = []
    for i, drafted in enumerate(s.drafted_per_position[:8]):
        held = s.accepted_per_position[i] if i < len(s.accepted_per_position) else 0
        share = ratio(held, drafted)
        rows.append((str(i + 1), f"{'━' * round(share * 10):<10} {share:.0%}"))
    return rows


def _or_dash(value: float, form: str) -> str:
    return form.format(value) if value else "-"
