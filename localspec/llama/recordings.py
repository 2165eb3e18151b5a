"""Has a GPU keep what it recorded for several numbers of rows (docs/decisions/0063).

CUDA's backend records the launches of a graph's kernels, which takes two passes, and replays them.
It finds a recording by the address of a graph's first node, and that is the same for any number
of rows: each change of rows was recorded anew. Before a graph is computed, a backend may put its
nodes into another order. So those that only look at the KV cache, and compute nothing, go to the
front, and for another number of rows another one of them goes first.
"""

import ctypes
import functools
import os
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

from localspec.llama.backends import pointers
from localspec.llama.library import ggml

__all__ = ["keep", "records"]

_RECORDING = (b"CUDA", b"ROCm", b"MUSA")  # the names of CUDA's backend, for whom it is built
_GUID, _SORTS, _DEVICE = 0, 16, 17  # places of pointers in a ggml_backend
_MOST = 16  # recordings of a context
_WIDE = 32  # rows beyond which, as in prompts, a graph seldom comes back
_FIRST = 1024  # nodes among which to look for what looks at the cache
_Sort = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p)
_Shape = tuple[int, ...]


class _Kept:
    """Of one backend: whose turn it is to go first for which shape, and where to look."""

    def __init__(self) -> None:
        self.turns: OrderedDict[_Shape, int] = OrderedDict()  # the latest last
        self.looks: dict[int, list[int]] = {}  # places by the size of a graph
        self.wide = 0  # graphs that were not worth recording: each looks like none before


_kept: dict[int, _Kept] = {}


def records(device: int) -> bool:
    """Whether a device's backends record launches."""
    if os.environ.get("GGML_CUDA_GRAPH_OPT") == "1":  # it has an order of its own
        return False
    registry = ggml["ggml_backend_dev_backend_reg"](device)
    return ggml["ggml_backend_reg_name"](registry) in _RECORDING


def keep(backend: int) -> None:
    """Have a backend, by ggml's handle, keep recordings from now on; where this llama.cpp is built
    in another way than is known, nothing happens.
    """
    parts = pointers(backend)
    if parts[_GUID] != ggml["ggml_backend_guid"](backend):
        return
    if parts[_DEVICE] != ggml["ggml_backend_get_device"](backend):
        return
    _kept[backend] = _Kept()
    parts[_SORTS] = ctypes.cast(_sorting(parts[_SORTS]), ctypes.c_void_p).value


@functools.cache  # and so kept, as long as a backend may call it
def _sorting(usual: int | None) -> Any:
    """The usual function, but that afterwards the graph begins with a node of its shape's own."""
    sort: Callable[..., None] = _Sort(usual) if usual else lambda *_: None

    def sort_and_mark(backend: int, graph: int, parameters: int) -> None:
        sort(backend, graph, parameters)
        _mark(graph, _kept[backend])

    return _Sort(sort_and_mark)


def _mark(graph: int, kept: _Kept) -> None:
    """Put what only looks at the cache first, beginning with the one whose turn it is."""
    nodes, count = _nodes(graph), ggml["ggml_graph_n_nodes"](graph)
    looks = kept.looks.get(count, [])
    if not looks or not all(_only_looks(nodes[i]) for i in looks):
        looks = [i for i in range(min(count, _FIRST)) if _only_looks(nodes[i])][:_MOST]
        kept.looks[count] = looks
    if not looks:
        return
    end, first = looks[-1] + 1, len(looks)
    front, rest = [nodes[i] for i in looks], nodes[:end]
    for i in reversed(looks):
        del rest[i]
    nodes[:end] = front + rest
    if first == count or ggml["ggml_nrows"](nodes[first]) > _WIDE:
        kept.wide += 1
        ggml["ggml_set_name"](front[0], b"cache, for the %d. time" % kept.wide)
        return
    cells = ggml["ggml_get_data"](front[0]) or 0  # sequences may have caches of their own
    shape = (count, cells, *map(ggml["ggml_nbytes"], (nodes[first], nodes[count - 1])))
    turn = _turn(shape, kept.turns, first)
    nodes[:first] = front[turn:] + front[:turn]


def _nodes(graph: int) -> Any:
    """A graph's nodes as they are, to be read and written."""
    count = ggml["ggml_graph_n_nodes"](graph)
    return (ctypes.c_void_p * count).from_address(ggml["ggml_graph_nodes"](graph))


def _only_looks(node: int) -> bool:
    """Whether a node is a view of the cache itself: it computes nothing and waits for nothing."""
    name: bytes = ggml["ggml_get_name"](node)
    if not (name.startswith(b"cache_") and name.endswith(b" (view)") and name.count(b"(") == 1):
        return False
    return bool(ggml["ggml_op_desc"](node) == b"VIEW")


def _turn(shape: _Shape, turns: OrderedDict[_Shape, int], most: int) -> int:
    """The one of a shape: not 0, which graphs of many rows have. A new shape gets that of the one
    that was not seen for longest, where all are taken.
    """
    if shape not in turns:
        taken = len(turns) >= most - 1
        turns[shape] = turns.popitem(last=False)[1] if taken and turns else len(turns) + 1
    turns.move_to_end(shape)
    return turns[shape] % most
