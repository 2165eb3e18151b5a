"""The header reader: what it reads is what is there, and no file harms whoever reads it."""

import os
import random
import struct
import subprocess
import sys
import time
import tracemalloc
from contextlib import suppress
from pathlib import Path
from typing import Any

import gguf
import gguf_bytes as hostile
import numpy as np
import pytest
from gguf_bytes import ARCHITECTURE, ARRAY, FLOAT32, STRING, UINT32, UINT64, entry, tensor, text
from gguf_writing import finish
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from localspec.errors import ModelError
from localspec.models import embedded
from localspec.models.header import Header, Strings
from localspec.models.reader import read_header

PAIR = embedded("shell")
HUGE = 2**63 - 1
PATIENCE = 5.0
"""Seconds of computing and, below, bytes that no file may cost."""
MEMORY = 200 << 20


def write(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


def check_agrees(header: Header) -> None:
    """Against the reader of the gguf package, key by key and tensor by tensor."""
    reader = gguf.GGUFReader(header.path)
    theirs = {key: f for key, f in reader.fields.items() if not key.startswith("GGUF.")}
    assert list(header.fields) == list(theirs)
    for key, field in header.fields.items():
        assert field.kind == theirs[key].types[-1].name
        expected = theirs[key].contents() if len(theirs[key].data) else []
        value: Any = field.value
        assert (list(value) if field.is_array else value) == expected
    assert [
        (t.name, list(t.shape), t.kind, t.offset, t.size) for t in header.tensors
    ] == [
        (t.name, t.shape.tolist(), t.tensor_type.name, t.data_offset, t.n_bytes)
        for t in reader.tensors
    ]  # fmt: skip


@pytest.mark.parametrize("path", PAIR, ids=["target", "draft"])
def test_it_reads_what_the_gguf_package_reads(path: Path) -> None:
    check_agrees(read_header(path))


keys = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=40)
scalars = st.one_of(
    st.tuples(st.just("UINT32"), st.integers(0, 2**32 - 1)),
    st.tuples(st.just("INT32"), st.integers(-(2**31), 2**31 - 1)),
    st.tuples(st.just("UINT64"), st.integers(0, 2**64 - 1)),
    st.tuples(st.just("INT8"), st.integers(-128, 127)),
    st.tuples(st.just("FLOAT32"), st.floats(width=32, allow_nan=False)),
    st.tuples(st.just("FLOAT64"), st.floats(allow_nan=False)),
    st.tuples(st.just("BOOL"), st.booleans()),
    st.tuples(st.just("STRING"), st.text(min_size=1, max_size=30)),
)
arrays = st.one_of(
    st.tuples(st.just("STRING"), st.lists(st.text(min_size=1, max_size=9), min_size=1, max_size=9)),
    st.tuples(st.just("INT32"), st.lists(st.integers(-9, 9), min_size=1, max_size=9)),
    st.tuples(st.just("FLOAT32"), st.lists(st.floats(width=32, allow_nan=False), min_size=1)),
)


@given(
    st.dictionaries(keys, scalars, max_size=6),
    st.dictionaries(keys.map(lambda key: f"many.{key}"), arrays, max_size=4),
    st.lists(st.integers(1, 70), max_size=5),
    st.sampled_from([32, 64, 256]),
)
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_it_reads_what_the_gguf_package_writes(
    tmp_path: Path, one: Any, many: Any, sizes: list[int], alignment: int
) -> None:
    path = tmp_path / "written.gguf"
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_custom_alignment(alignment)
    for key, (kind, value) in one.items():
        writer.add_key_value(key, value, gguf.GGUFValueType[kind])
    for key, (kind, value) in many.items():
        writer.add_key_value(key, value, gguf.GGUFValueType.ARRAY, gguf.GGUFValueType[kind])
    for i, size in enumerate(sizes):
        writer.add_tensor(f"blk.{i}.weight", np.ones((2, size), dtype=np.float32))
    finish(writer)
    check_agrees(read_header(path))


def test_the_parts_of_a_model() -> None:
    header = read_header(PAIR.target)
    assert header.architecture == "qwen3"
    assert header.integer(header.own("block_count")) == 12
    assert header.integer("tokenizer.ggml.add_bos_token") is None
    assert header.text("general.file_type") is None
    tokens = header.strings("tokenizer.ggml.tokens")
    assert tokens is not None
    assert (len(tokens), tokens[-1], len(tokens[:3])) == (16384, list(tokens)[-1], 3)
    with pytest.raises(IndexError):
        tokens[16384]
    assert 64e6 < header.parameters < 66e6


def test_no_more_of_a_file_is_read_than_its_header_takes(tmp_path: Path) -> None:
    """As `models list` reads hundreds of them."""
    path = tmp_path / "model.gguf"
    path.write_bytes(hostile.gguf([ARCHITECTURE], [tensor("a")], weights=128))
    os.truncate(path, 64 << 20)
    read_header(path)
    tracemalloc.start()
    read_header(path)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 4 << 20


def array_of(*texts: str) -> Strings:
    data = b"".join(text(t) for t in texts)
    ends = np.cumsum([8 + len(t.encode()) for t in texts])
    return Strings(data, ends.astype(np.uint64))


@given(st.lists(st.text(max_size=4), max_size=6), st.lists(st.text(max_size=4), max_size=6))
def test_the_first_difference_of_two_arrays(ours: list[str], theirs: list[str]) -> None:
    pairs = enumerate(zip(ours, theirs, strict=False))
    expected = next((i for i, (a, b) in pairs if a != b), None)
    assert array_of(*ours).first_difference(array_of(*theirs)) == expected


# What files may not do --------------------------------------------------------------------------

number = struct.pack("<I", 1)
HOSTILE = {
    "not a GGUF file": (b"GGML" + bytes(60), "not a GGUF file"),
    "empty": (b"", "ends within"),
    "a few letters": (b"hi", "not a GGUF file"),
    "nothing": (b"", "ends within"),
    "only a magic number": (b"GGUF", "ends within"),
    "old": (hostile.gguf(version=1), "version 1"),
    "the other byte order": (b"GGUF" + struct.pack(">IQQ", 3, 0, 0), "byte order"),
    "2^63 elements in 49 bytes": (
        hostile.gguf([entry("a", ARRAY, hostile.array(UINT32, HUGE, b""))])[:49],
        "ends within 'a'",
    ),
    "2^63 texts": (
        hostile.gguf([entry("a", ARRAY, hostile.array(STRING, HUGE, b""))]),
        "ends within 'a'",
    ),
    "a count that overflows": (
        hostile.gguf([entry("a", ARRAY, hostile.array(UINT64, 2**61, b""))], weights=64),
        "ends within 'a'",
    ),
    "2^64 keys": (hostile.gguf(counts=(0, 2**64 - 1)), "claims to hold"),
    "2^63 tensors": (hostile.gguf(counts=(2**63, 0)), "claims to hold"),
    "more keys than bytes": (hostile.gguf(counts=(0, 60000)), "ends within keys"),
    "a text of 2^64 bytes": (
        hostile.gguf([entry("a", STRING, struct.pack("<Q", 2**64 - 1))]),
        "ends within 'a'",
    ),
    "a text in an array that ends nowhere": (
        hostile.gguf(
            [entry("a", ARRAY, hostile.array(STRING, 2, struct.pack("<QQ", 2**64 - 1, 1)))]
        ),
        "ends within 'a'",
    ),
    "arrays in arrays": (
        hostile.gguf([entry("a", ARRAY, struct.pack("<IQIQ", ARRAY, 1, ARRAY, 1))]),
        "array of arrays",
    ),
    "a type that does not exist": (hostile.gguf([entry("a", 77, number)]), "type 77"),
    "a key twice": (hostile.gguf([entry("a", UINT32, number)] * 2), "'a' is there twice"),
    "a key that is not UTF-8": (hostile.gguf([entry(b"\xff\xfe", UINT32, number)]), "not UTF-8"),
    "a key without end": (hostile.gguf([entry(b"a" * 70000, UINT32, number)]), "70000 bytes"),
    "an alignment of zero": (
        hostile.gguf([entry("general.alignment", UINT32, bytes(4))]),
        "aligned to 0",
    ),
    "an alignment that is no power of two": (
        hostile.gguf([entry("general.alignment", UINT32, struct.pack("<I", 33))]),
        "power of two",
    ),
    "an alignment that is a text": (
        hostile.gguf([entry("general.alignment", STRING, text("32"))]),
        "no number",
    ),
    "a misaligned tensor": (
        hostile.gguf([], [tensor("a"), tensor("b", offset=129)], weights=512),
        "begins at 129 instead of 128",
    ),
    "tensors over each other": (
        hostile.gguf([], [tensor("a"), tensor("b", offset=0)], weights=512),
        "begins at 0 instead of 128",
    ),
    "a tensor past the end": (hostile.gguf([], [tensor("a")], weights=127), "ends before"),
    "a tensor twice": (
        hostile.gguf([], [tensor("a"), tensor("a", offset=128)], weights=256),
        "same name",
    ),
    "no dimensions": (hostile.gguf([], [tensor("a", ())], weights=128), "0 dimensions"),
    "five dimensions": (hostile.gguf([], [tensor("a", [1] * 5)], weights=128), "5 dimensions"),
    "2^32 dimensions": (
        hostile.gguf([], [text("a") + struct.pack("<I", 2**32 - 1)]),
        "dimensions",
    ),
    "a dimension of zero": (hostile.gguf([], [tensor("a", (32, 0))], weights=128), "shape"),
    "dimensions that overflow": (
        hostile.gguf([], [tensor("a", (2**32, 2**32))], weights=128),
        "ends before",
    ),
    "half a block": (hostile.gguf([], [tensor("a", (31,), 2)], weights=128), "shape"),
    "a type of tensor that does not exist": (
        hostile.gguf([], [tensor("a", kind=999)], weights=128),
        "type 999",
    ),
    "a long name": (hostile.gguf([], [tensor("a" * 64)], weights=128), "64 bytes"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_file_that_is_not_whole_is_refused_at_once(tmp_path: Path, name: str) -> None:
    data, reason = HOSTILE[name]
    path = write(tmp_path / "hostile.gguf", data)
    start = time.process_time()
    with pytest.raises(ModelError) as error:
        read_header(path)
    assert time.process_time() - start < PATIENCE
    assert reason in str(error.value)
    assert str(path) in str(error.value)


def test_texts_that_are_not_utf8_do_not_stop_the_reader(tmp_path: Path) -> None:
    tokens = hostile.array(STRING, 2, text(b"\xff") + text("b"))
    data = hostile.gguf([entry("name", STRING, text(b"caf\xe9")), entry("t", ARRAY, tokens)])
    header = read_header(write(tmp_path / "a.gguf", data))
    assert header.text("name") == "caf\N{REPLACEMENT CHARACTER}"
    found = header.strings("t")
    assert found is not None
    assert (list(found), found.raw(0)) == (["\N{REPLACEMENT CHARACTER}", "b"], b"\xff")


def test_things_that_are_no_files_are_refused(tmp_path: Path) -> None:
    for path, reason in (
        (tmp_path, "is a folder"),
        (tmp_path / "none.gguf", "no file"),
        (Path("/dev/zero"), "is not a file"),
    ):
        if path.exists() or reason == "no file":
            with pytest.raises(ModelError, match=reason):
                read_header(path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are none")
def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.gguf")
    with pytest.raises(ModelError, match="is not a file"):
        read_header(tmp_path / "pipe.gguf")


def small_file() -> bytes:
    vocabulary = hostile.array(STRING, 40, b"".join(text(f"token {i}") for i in range(40)))
    scores = hostile.array(FLOAT32, 40, bytes(160))
    fields = [ARCHITECTURE, entry("tokens", ARRAY, vocabulary), entry("scores", ARRAY, scores)]
    tensors = [tensor("a", (32, 2)), tensor("b", (64,), hostile.Q4_0, 256)]
    return hostile.gguf(fields, tensors, weights=256 + 64)


WHOLE = small_file()
EDGES = (0, 1, 7, 255, 2**31 - 1, 2**31, 2**32 - 1, 2**32, 2**61, HUGE, 2**63, 2**64 - 1)
"""Numbers at which counts, lengths and offsets tend to go wrong."""


@st.composite
def mutations(draw: st.DrawFn) -> bytes:
    data = bytearray(WHOLE)
    for _ in range(draw(st.integers(1, 4))):
        place = draw(st.integers(0, len(data) - 1))
        match draw(st.integers(0, 3)):
            case 0:
                data[place] = draw(st.integers(0, 255))
            case 1:
                data[place : place + 8] = struct.pack("<Q", draw(st.sampled_from(EDGES)))
            case 2:
                del data[place : place + draw(st.integers(1, 40))]
            case _:
                data[place:place] = draw(st.binary(min_size=1, max_size=16))
        if not data:
            break
    return bytes(data)


@given(mutations())
@settings(max_examples=600, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_mutated_file_is_read_or_refused(tmp_path: Path, data: bytes) -> None:
    path = write(tmp_path / "mutated.gguf", data)
    start = time.process_time()
    with suppress(ModelError):
        header = read_header(path)  # whatever was read lies within the file
        assert all(t.offset + t.size <= len(data) for t in header.tensors)
        assert all(len(list(f.value)) < len(data) for f in header.fields.values() if f.is_array)
    assert time.process_time() - start < PATIENCE


def greedy_files() -> list[bytes]:
    """Files of the greatest size and count that a reader may meet, allowed or nearly."""
    most = 1 << 21
    empty_texts = hostile.array(STRING, most, bytes(8 * most))
    keys = [entry(f"key {i:05}", STRING, text("x")) for i in range(1 << 16)]
    return [
        hostile.gguf([entry("a", ARRAY, empty_texts)]),
        hostile.gguf([entry("a", ARRAY, empty_texts), entry("b", ARRAY, empty_texts)]),
        hostile.gguf([entry("a", ARRAY, hostile.array(FLOAT32, 7 << 20, bytes(28 << 20)))]),
        hostile.gguf([entry("a", STRING, text(bytes(40 << 20)))]),
        hostile.gguf(keys),
        hostile.gguf([], [tensor(f"t {i}", (1,), offset=32 * i) for i in range(30000)]),
    ]


def mutants(seed: int, count: int) -> list[bytes]:
    """Heavier mutations of a real header: words overwritten, cut, doubled."""
    whole, dice = bytearray(PAIR.draft.read_bytes()[:1_000_000]), random.Random(seed)
    found = []
    for _ in range(count):
        data = whole.copy()
        place = dice.randrange(24, 600_000 if dice.random() < 0.5 else 2000)
        data[place : place + 8] = struct.pack("<Q", dice.choice(EDGES))
        found.append(
            bytes(data[: dice.randrange(place, len(data))] if dice.random() < 0.3 else data)
        )
    return found


@pytest.mark.skipif(sys.platform != "linux", reason="memory is counted otherwise there")
@pytest.mark.parametrize("kind", ["greedy", "mutant"])
def test_no_file_takes_much_time_or_memory(tmp_path: Path, kind: str) -> None:
    """In a process of its own, which reports what it took."""
    files = greedy_files() if kind == "greedy" else mutants(7, 100)
    paths = [write(tmp_path / f"{i}.gguf", data) for i, data in enumerate(files)]
    code = (
        "import sys, time; from pathlib import Path; import localspec\n"
        "from localspec.errors import ModelError\n"
        "from localspec.models.reader import read_header\n"
        "for path in sys.argv[1:]:\n"
        "    start = time.process_time()\n"
        "    try: read_header(Path(path))\n"
        "    except ModelError: pass\n"
        "    print(time.process_time() - start)\n"
        "status = Path('/proc/self/status').read_text()\n"
        "print(status.partition('VmHWM:')[2].split()[0])"
    )
    run = subprocess.run(
        [sys.executable, "-c", code, *map(str, paths)], capture_output=True, text=True, check=True
    )
    *seconds, kilobytes = map(float, run.stdout.split())
    assert len(seconds) == len(files)
    assert max(seconds) < PATIENCE
    assert kilobytes * 1024 < MEMORY
