"""Samplers over small rows, and settings of every kind."""

from collections.abc import Iterable
from typing import Any

import numpy as np
from hypothesis import strategies as st

from localspec.decoding.sampling import Sampler, Sampling
from localspec.llama.rows import Logits

OFF: dict[str, Any] = {"temperature": 1.0, "top_k": 0, "top_p": 1.0, "min_p": 0.0}
"""All filters off."""
GREEDY: dict[str, Any] = {"temperature": 0.0}


def logits(values: Iterable[float]) -> Logits:
    return np.array(list(values), dtype=np.float32)


def sampler(size: int, prompt: tuple[int, ...] = (), **settings: Any) -> Sampler:
    return Sampler(Sampling(**(OFF | settings)), prompt, size)


def reach(row: Logits, positions: int = 500, **settings: Any) -> set[int]:
    """All tokens that are picked somewhere: what the filters leave."""
    choose = sampler(len(row), **settings)
    return {choose.pick(row, position) for position in range(positions)}


samplings = st.builds(
    Sampling,
    temperature=st.sampled_from([0.0, 1e-6, 0.01, 0.3, 0.7, 1.0, 1.5, 4.0, 100.0]),
    top_k=st.one_of(st.just(0), st.integers(1, 45), st.just(10**9)),
    top_p=st.one_of(st.sampled_from([1.0, 0.0, 0.5, 0.9, 0.95, 0.99]), st.floats(0, 1)),
    min_p=st.one_of(st.just(0.0), st.sampled_from([1.0, 0.5, 0.05, 1e-9]), st.floats(0, 1)),
    seed=st.one_of(st.integers(0, 3), st.integers(0, 2**64 - 1)),
)
