"""In which way llama.cpp computes: alike for any number of rows, or quickly, to read prompts."""

import itertools
import threading
from collections.abc import Iterable, Iterator

import numpy as np
import pytest

from localspec import models
from localspec.llama import parameters, reference
from localspec.llama.backends import can_be_heard
from localspec.llama.context import Context
from localspec.llama.library import ggml, on_cpu, processor
from localspec.llama.model import Model
from localspec.llama.rows import Logits, Run

PAIR = models.embedded("shell")
TOKENS = [17 + 7919 * i % 9000 for i in range(720)]
ON_GPU = pytest.mark.skipif(not on_cpu(), reason="a GPU computes in its own ways")


@pytest.fixture
def quick_sums(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the processor is, keys and values are f16, as on most of them."""
    monkeypatch.setattr(parameters, "_computes_with_f16", lambda: False)


@pytest.fixture
def target() -> Iterator[Model]:
    with Model(PAIR.target) as model:
        yield model


@pytest.fixture
def context(target: Model, quick_sums: None) -> Iterator[Context]:
    with Context(target, length=768, sequences=2, batch=640, outputs=32) as context:
        yield context


def read(context: Context, chunks: Iterable[int], slot: int = 0) -> Logits:
    """The logits of the token after those that were read in such chunks."""
    context.truncate(slot, 0)
    position = 0
    for n in chunks:
        context.read(Run(slot, TOKENS[position : position + n], position, 0))
        position += n
    return context.decode([Run(slot, [TOKENS[position]], position, 1)])[0].copy()


def test_this_llama_cpp_has_the_switch() -> None:
    assert reference.available()


def test_whoever_listens_leaves_all_as_it_was(target: Model) -> None:
    can_be_heard.cache_clear()
    reference.available.cache_clear()
    assert reference.available()
    backend = ggml["ggml_backend_dev_init"](processor(), None)
    assert backend
    ggml["ggml_backend_free"](backend)


def test_contexts_made_on_several_threads_have_switches_of_their_own(target: Model) -> None:
    made = list[Context]()

    def make() -> None:
        made.append(Context(target, length=64))

    threads = [threading.Thread(target=make) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 4
    for context in made:
        context.decode([Run(0, TOKENS[:3], 0, 1)])
        context.close()


@ON_GPU
@pytest.mark.parametrize("depth", [10, 600])
def test_rows_give_what_they_give_alone_at_any_depth(context: Context, depth: int) -> None:
    context.decode([Run(0, TOKENS[:depth], 0, 0)])
    alone = [
        context.decode([Run(0, [TOKENS[n]], n, 1)])[0].copy() for n in range(depth, depth + 17)
    ]
    for width in (2, 3, 5, 8, 17):
        context.truncate(0, depth)
        rows = context.decode([Run(0, TOKENS[depth : depth + width], depth, width)])
        assert np.array_equal(rows, alone[:width])


@ON_GPU
def test_what_is_read_in_bulk_is_the_same_in_any_chunks_and_in_any_slot(context: Context) -> None:
    assert context.bulks == [64]
    whole = read(context, [640])
    for slot, chunks in enumerate(([64] * 10, [65, 511, 64])):
        assert np.array_equal(read(context, chunks, slot), whole)


@ON_GPU
def test_it_is_not_what_decoding_gives_but_near_it(context: Context) -> None:
    whole = read(context, [640])
    context.truncate(0, 0)
    context.decode([Run(0, TOKENS[:640], 0, 0)])
    decoded = context.decode([Run(0, [TOKENS[640]], 640, 1)])[0]
    difference = np.abs(decoded - whole).max()
    assert 0 < difference < 2


def test_a_context_for_few_rows_reads_nothing_in_bulk(target: Model, quick_sums: None) -> None:
    with Context(target, length=256, batch=100) as context:
        assert not context.bulks


def test_a_draft_decodes_in_the_quickest_way(quick_sums: None) -> None:
    with Model(PAIR.draft, exact=False) as draft, Context(draft, length=256) as context:
        assert not context.bulks


@pytest.mark.parametrize(
    ("computes", "head", "expected"),
    [
        (False, 64, True),
        (False, 128, True),
        (True, 128, True),
        (True, 256, True),
        (True, 64, False),
    ],
)
def test_values_are_bf16_where_sums_of_f16_would_be_slow(
    computes: bool, head: int, expected: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parameters, "_computes_with_f16", lambda: computes)
    made = parameters.parameters(
        length=64, sequences=1, batch=64, outputs=1, cache="f16", on_cpu=True, head=head
    )
    assert (made.type_k == made.type_v) == expected


def test_without_the_switch_values_are_bf16_and_nothing_is_read_in_bulk(
    target: Model, quick_sums: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reference, "available", lambda: False)
    with Context(target, length=768, batch=640, outputs=32) as context:
        assert not context.bulks
        context.decode([Run(0, TOKENS[:600], 0, 0)])
        rows = [
            context.decode([Run(0, TOKENS[600 : 600 + n], 600, n)])[0].copy()
            for n in (1, 2, 17)
            if context.truncate(0, 600) is None
        ]
    assert all(np.array_equal(a, b) for a, b in itertools.pairwise(rows))


def test_heads_are_as_wide_as_the_file_says(target: Model) -> None:
    assert target.head == 64
