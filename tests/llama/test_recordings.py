"""What a GPU recorded is found again: a graph begins with another node for another number of rows.

The processor's backend records nothing, but its graphs are put in order in the same way.
"""

import ctypes
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import pytest

from localspec import models
from localspec.llama import creation, recordings, reference
from localspec.llama.backends import pointers
from localspec.llama.context import Context
from localspec.llama.library import ggml, on_cpu, processor
from localspec.llama.model import Model
from localspec.llama.rows import Logits, Run

pytestmark = pytest.mark.skipif(not on_cpu(), reason="the graphs are those of a GPU")

TOKENS = [17 + 7919 * i % 9000 for i in range(200)]
DEPTH = 100


class Orders:
    """The nodes of graphs as they are put in order, before and after."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.seen = list[tuple[list[int], list[int]]]()
        self._mark = recordings._mark
        monkeypatch.setattr(recordings, "_mark", self._listen)

    def _listen(self, graph: int, kept: Any) -> None:
        before = self._nodes(graph)
        self._mark(graph, kept)
        self.seen.append((before, self._nodes(graph)))

    def _nodes(self, graph: int) -> list[int]:
        return list(recordings._nodes(graph))


@pytest.fixture
def target(monkeypatch: pytest.MonkeyPatch) -> Iterator[Model]:
    """One whose contexts hand their backend out to nobody else."""
    with Model(models.embedded("shell").target) as model:
        monkeypatch.setattr(reference, "available", lambda: False)
        yield model


def as_if_it_recorded(monkeypatch: pytest.MonkeyPatch) -> Orders:
    monkeypatch.setattr(recordings, "records", lambda device: device == processor())
    return Orders(monkeypatch)


def decode(context: Context, rows: int, depth: int = DEPTH) -> Logits:
    context.truncate(0, depth)
    return context.decode([Run(0, TOKENS[depth : depth + rows], depth, min(rows, 20))]).copy()


def test_the_processor_records_nothing() -> None:
    assert not recordings.records(processor())


def firsts(target: Model, monkeypatch: pytest.MonkeyPatch, widths: Iterable[int]) -> list[int]:
    """The first node of each graph, where so many rows are decoded one after the other."""
    orders = as_if_it_recorded(monkeypatch)
    with Context(target, length=512) as context:
        context.decode([Run(0, TOKENS[:DEPTH], 0, 0)])
        orders.seen.clear()
        for rows in widths:
            decode(context, rows)
    return [after[0] for _, after in orders.seen]


def test_each_number_of_rows_has_a_first_node_of_its_own(
    target: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = firsts(target, monkeypatch, (1, 3, 1, 4, 3, 17, 1))
    one, three, again, four, as_before, seventeen, last = found
    assert one == again == last
    assert three == as_before
    assert len({one, three, four, seventeen}) == 4


def test_graphs_of_many_rows_leave_the_others_their_places(
    target: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    few, *many, again = firsts(target, monkeypatch, (2, *range(40, 80), 2))
    assert few == again
    assert len({few, *many}) == 2


def test_more_numbers_of_rows_than_there_are_places_take_those_of_the_oldest(
    target: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = firsts(target, monkeypatch, (n for rows in range(2, 32) for n in (1, rows)))
    ones, others = set(found[::2]), set(found[1::2])
    assert len(ones) == 1
    assert not ones & others
    assert 8 < len(others) < 16


def test_nothing_is_lost_and_what_computes_stays_in_order(
    target: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    orders = as_if_it_recorded(monkeypatch)
    with Context(target, length=512) as context:
        context.decode([Run(0, TOKENS[:DEPTH], 0, 1)])
        decode(context, 5)
    for before, after in orders.seen:
        assert sorted(before) == sorted(after)
        moved = {node for node in before if ggml["ggml_op_desc"](node) == b"VIEW"}
        assert [n for n in before if n not in moved] == [n for n in after if n not in moved]


def test_logits_stay_as_they_are(target: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    answers = list[Logits]()
    for change in (lambda: None, lambda: as_if_it_recorded(monkeypatch)):
        change()
        with Context(target, length=512, sequences=2) as context:
            context.decode([Run(0, TOKENS[:DEPTH], 0, 1)])
            context.copy(0, 1, DEPTH // 2)
            alone = [decode(context, rows) for rows in (1, 3, 1, 17, 3, 40)]
            context.truncate(0, DEPTH)
            together = context.decode(
                [Run(0, TOKENS[:3], DEPTH, 3), Run(1, TOKENS[:2], DEPTH // 2, 2)]
            )
            answers.append(np.concatenate([*alone, together]))
    assert np.array_equal(*answers)


def test_where_backends_cannot_be_heard_of_contexts_are_made_all_the_same(
    target: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(creation, "can_be_heard", lambda: False)
    assert not firsts(target, monkeypatch, (1, 3))


def test_a_backend_that_is_built_otherwise_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    parts = (ctypes.c_void_p * 18)(*range(1, 19))
    address = ctypes.addressof(parts)
    for known in ({"guid": 1, "device": 99}, {"guid": 99, "device": 18}):
        monkeypatch.setitem(ggml, "ggml_backend_guid", lambda _, n=known["guid"]: n)
        monkeypatch.setitem(ggml, "ggml_backend_get_device", lambda _, n=known["device"]: n)
        recordings.keep(address)
        assert list(parts) == list(range(1, 19))


def test_a_backend_of_this_llama_cpp_is_built_as_is_known() -> None:
    backend = ggml["ggml_backend_dev_init"](processor(), None)
    parts = pointers(backend)
    before = [parts[i] for i in range(18)]
    recordings.keep(backend)
    changed = [i for i in range(18) if parts[i] != before[i]]
    ggml["ggml_backend_free"](backend)
    assert changed == [16]


def test_who_has_an_order_of_its_own_keeps_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(ggml, "ggml_backend_reg_name", lambda _: b"CUDA")
    assert recordings.records(processor())
    monkeypatch.setenv("GGML_CUDA_GRAPH_OPT", "1")
    assert not recordings.records(processor())
