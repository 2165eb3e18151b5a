"""Input of every kind, and of every unkind: whatever is in a file, a bad line costs one line."""

import gzip
import io
import json
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from localspec import UsageError
from localspec.batch import source
from localspec.batch.source import Record, records, zstd

LINES = b'{"prompt": "one"}\n\n{"prompt": "two"}\r\n{"prompt": "three"}'
THREE = [(1, "one"), (3, "two"), (4, "three")]


def read(path: Path, data: bytes) -> list[Record]:
    path.write_bytes(data)
    return list(records(str(path)))


def prompts(found: list[Record]) -> list[tuple[int, object]]:
    return [(record.number, record.fields["prompt"]) for record in found]


@pytest.mark.parametrize(
    ("name", "pack"),
    [
        ("in.jsonl", bytes),
        ("in", bytes),
        ("in.jsonl.gz", gzip.compress),
        ("in.GZ", lambda data: gzip.compress(data[:20]) + gzip.compress(data[20:])),
        ("in.jsonl.zst", zstd.compress),
        ("in.zst", lambda data: zstd.compress(data[:9]) + zstd.compress(data[9:])),
    ],
)
def test_lines_plain_and_packed(tmp_path: Path, name: str, pack: object) -> None:
    assert callable(pack)
    assert prompts(read(tmp_path / name, pack(LINES))) == THREE


def test_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(LINES)))
    assert prompts(list(records("-"))) == THREE


def test_a_byte_order_mark_is_no_part_of_the_first_line(tmp_path: Path) -> None:
    assert prompts(read(tmp_path / "in.jsonl", b"\xef\xbb\xbf" + LINES)) == THREE
    (row,) = read(tmp_path / "in.csv", b"\xef\xbb\xbfprompt\none\n")
    assert row.fields == {"prompt": "one"}


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (b"{", "not JSON (Expecting property name"),
        (b"\x00\x01\x02", "not JSON"),
        (b'{"prompt": "caf\xe9"}', "not UTF-8 text (byte 16)"),
        (b'["a"]', "not a JSON object"),
        (b"7", "not a JSON object"),
        (b'{"a": NaN}', "NaN is no number"),
        (b'{"a": ' + b"9" * 5000 + b"}", "not JSON (Exceeds the limit"),
        (b'{"a": ' + b"[" * 200_000, "nested too deeply"),
        (b'{"a": "' + b"x" * source.LONGEST + b'"}', "longer than 16 MiB"),
    ],
    ids=range(9),
)
def test_a_bad_line_is_one_record_with_a_fault(tmp_path: Path, line: bytes, words: str) -> None:
    before, bad, after = read(tmp_path / "in.jsonl", b'{"a": 1}\n' + line + b'\n{"a": 2}\n')
    assert (before.fields, after.fields) == ({"a": 1}, {"a": 2})
    assert (bad.number, bad.fields) == (2, {})
    assert words in bad.fault
    assert bad.digest


@given(st.lists(st.binary(max_size=40).map(lambda line: line.replace(b"\n", b"")), max_size=8))
def test_every_line_is_a_record_whatever_it_holds(lines: list[bytes]) -> None:
    file = io.BytesIO(b"\n".join([*lines, b'{"the": "end"}']))
    found = list(source._lines(file))
    first = lines[0].removeprefix(b"\xef\xbb\xbf") if lines else b""
    kept = [n for n, line in enumerate([first, *lines[1:]], start=1) if line.strip()]
    assert [record.number for record in found] == [*kept, len(lines) + 1]
    assert found[-1].fields == {"the": "end"}


def test_tables(tmp_path: Path) -> None:
    (row,) = read(tmp_path / "a.csv", b'text,custom_id\n"two\nlines, one ""row""",7\n')
    assert row == Record(2, {"text": 'two\nlines, one "row"', "custom_id": "7"})
    (row,) = read(tmp_path / "a.tsv.gz", gzip.compress("text\tid\nzwölf\t7\n".encode()))
    assert row.fields == {"text": "zwölf", "id": "7"}
    assert source.is_table("a.tsv.gz")
    assert not source.is_table("a.csv.jsonl")


def test_bad_rows_cost_themselves_only(tmp_path: Path) -> None:
    long = b"x" * (source.LONGEST + 5)
    found = read(tmp_path / "a.csv", b"a,b\n1\n1,2,3\n" + long + b',9\n"x"y,2\n5,6\n7,"open\n8,9\n')
    faults = {record.number: record.fault for record in found}
    assert faults[2] == "has 1 fields, and the header 2"
    assert faults[3] == "has 3 fields, and the header 2"
    assert "longer than 16 MiB" in faults[4]
    assert "not a row of a table" in faults[5]
    assert faults[6] == ""
    assert "unexpected end of data" in faults[7]


def test_a_header_that_names_a_column_twice_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="two columns called 'a'"):
        read(tmp_path / "a.csv", b"a,b,a\n1,2,3\n")
    assert read(tmp_path / "a.csv", b"") == []


@pytest.mark.parametrize("suffix", ["gz", "zst"])
def test_a_damaged_archive_is_an_error_that_says_where(tmp_path: Path, suffix: str) -> None:
    data = b"".join(json.dumps({"prompt": str(n) * 9}).encode() + b"\n" for n in range(20_000))
    packed = gzip.compress(data) if suffix == "gz" else zstd.compress(data)
    with pytest.raises(UsageError, match=r"damaged after line [1-9]"):
        read(tmp_path / f"in.{suffix}", packed[: len(packed) // 2])
    with pytest.raises(UsageError, match="damaged after line 0"):
        read(tmp_path / f"in.{suffix}", b"plain text")


def test_a_file_that_cannot_be_read_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read: No such file"):
        list(records(str(tmp_path / "none.jsonl")))
    with pytest.raises(UsageError, match="cannot be read: Is a directory"):
        list(records(str(tmp_path)))
