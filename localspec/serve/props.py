"""What `/props` tells: the model, its draft, and what the governor makes of them now."""

from typing import Any

from localspec import __version__
from localspec.runtime import LLM
from localspec.serve.settings import Settings

__all__ = ["ROWS", "props"]

ROWS = (1, 2, 3, 4, 6, 8, 12, 16)
"""Numbers of rows whose cost is told, here and in the metrics."""


def props(settings: Settings, llm: LLM | None) -> dict[str, Any]:
    """Facts about the server; those of a model that is not in memory are left out."""
    facts: dict[str, Any] = {
        "version": __version__,
        "model": settings.model_name,
        "loaded": llm is not None,
        "total_slots": settings.loading.parallel,
        "waiting_slots": settings.loading.waiting,
    }
    if llm is None:
        return facts
    plain = llm.governor.plain_rate()
    base = llm.governor.costs.step(1)
    return facts | {
        "description": llm.target.description,
        "context_length": llm.context_length,
        "vocabulary_size": llm.target.vocabulary.size,
        "chat_template": llm.target.chat_template,
        "draft": llm.draft.name if llm.draft else None,
        "why": _why(llm),
        "notes": llm.notes,
        "governor": {
            "plain_tokens_per_second": round(plain, 2),
            "cost_of_rows": {str(n): _ratio(llm.governor.costs.step(n), base) for n in ROWS},
            "drafters": {
                name: {"seconds_per_guess": round(book.proposal.each, 6)}
                for name, book in sorted(llm.governor.books.items())
            },
        },
    }


def _why(llm: LLM) -> str:
    """Why this draft, or none."""
    if llm.draft:
        return f"{llm.draft.name} knows the same tokens and costs little; it guesses where it pays."
    if llm.notes:
        return llm.notes[0]
    return "No draft was named; text seen before guesses ahead where it pays."


def _ratio(part: float, whole: float) -> float | None:
    return round(part / whole, 3) if whole else None
