"""What the work is done on, and what it costs there."""

from localspec.llama.library import devices, gpus, threads
from localspec.runtime import LLM

__all__ = ["WIDEST", "curve", "device"]

WIDEST = 17
"""Rows in the widest pass that is looked at: sixteen guesses."""


def curve(llm: LLM) -> dict[int, float]:
    """V(n) / V(1) near the beginning of a context, as far as it was measured."""
    measured = llm.governor.costs.curves[0].measured()
    if 1 not in measured:
        return {}
    return {n: seconds / measured[1] for n, seconds in measured.items() if n <= WIDEST}


def device() -> str:
    """What the work is done on, as a person would say it."""
    processors = [d.description for d in gpus()] or [
        f"{d.description}, {threads()} threads" for d in devices() if d.kind == "CPU"
    ]
    return "; ".join(dict.fromkeys(processors))
