"""Input as a stream of records: JSON lines, CSV or TSV, plain or compressed as .gz or .zst.

A record that cannot be read is a record with a `fault`, so that one bad line costs one line. Only
a file that cannot be read as a whole (missing, a damaged archive) is an error. Memory does not
grow with the file, nor with a line: what is longer than `LONGEST` is skipped and is a fault.
"""

import csv
import gzip
import io
import itertools
import json
import sys
import zlib
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO, NamedTuple, NoReturn, Self

from localspec.errors import UsageError

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

__all__ = ["LONGEST", "STDIN", "Record", "is_table", "records"]

STDIN = "-"
LONGEST = 16 << 20
"""Bytes a line may have."""

_DELIMITERS = {".csv": ",", ".tsv": "\t"}
_TOO_LONG = f"is longer than {LONGEST >> 20} MiB"
_BOM = b"\xef\xbb\xbf"
_DAMAGED = (gzip.BadGzipFile, zlib.error, zstd.ZstdError, EOFError)


class Record(NamedTuple):
    """One line or row. `fields` is empty where `fault` says why it cannot be used.

    `number` counts lines from 1; in a table, rows, the header being the first. `digest` tells
    unreadable lines apart.
    """

    number: int
    fields: dict[str, object]
    fault: str = ""
    digest: str = ""


def records(source: str) -> Iterator[Record]:
    """The records of a file by its name, or of standard input for `-`.

    Raises UsageError where the file cannot be opened or is damaged.
    """
    kind, packing = _suffixes(source)
    delimiter = _DELIMITERS.get(kind)
    number = 0
    try:
        with _opened(source, packing) as file:
            found = _rows(file, delimiter) if delimiter else _lines(file)
            for record in found:
                number = record.number
                yield record
    except _DAMAGED:
        raise UsageError(
            f"The input {source} is damaged after line {number}; fetch or pack it again."
        ) from None
    except OSError as error:
        raise UsageError(f"The input {source} cannot be read: {error.strerror}.") from None


def is_table(source: str) -> bool:
    """Whether the records of a file are rows with named columns."""
    return _suffixes(source)[0] in _DELIMITERS


def _suffixes(source: str) -> tuple[str, str]:
    """What kind of file it is, and how it is packed: ".csv" and ".gz"."""
    path = Path(source.lower())
    if path.suffix in (".gz", ".zst"):
        return Path(path.stem).suffix, path.suffix
    return path.suffix, ""


@contextmanager
def _opened(source: str, packing: str) -> Iterator[BinaryIO]:
    with ExitStack() as files:
        if source == STDIN:
            yield sys.stdin.buffer
            return
        file: BinaryIO = files.enter_context(Path(source).open("rb"))
        if packing == ".gz":
            file = files.enter_context(io.BufferedReader(gzip.GzipFile(fileobj=file)))
        elif packing == ".zst":
            file = files.enter_context(io.BufferedReader(zstd.ZstdFile(file)))
        yield file


def _lines(file: BinaryIO) -> Iterator[Record]:
    for number, (line, whole) in enumerate(_bounded(file), start=1):
        if not whole:
            yield Record(number, {}, _TOO_LONG, sha256(line).hexdigest())
        elif line.strip():
            yield _parsed(number, line)


def _bounded(file: BinaryIO) -> Iterator[tuple[bytes, bool]]:
    """Lines, and whether that is all of them: of one that is too long comes its beginning."""
    first = True
    while line := file.readline(LONGEST + 1):
        rest = line
        while len(rest) >= LONGEST and not rest.endswith(b"\n"):
            rest = file.readline(LONGEST)
        yield line.removeprefix(_BOM) if first else line, rest is line
        first = False


def _parsed(number: int, line: bytes) -> Record:
    try:
        fields = json.loads(line.decode("utf-8"), parse_constant=_no_number)
        if isinstance(fields, dict):
            return Record(number, fields)
        fault = "is not a JSON object"
    except UnicodeDecodeError as error:
        fault = f"is not UTF-8 text (byte {error.start + 1})"
    except json.JSONDecodeError as error:
        fault = f"is not JSON ({error.msg} at column {error.colno})"
    except ValueError as error:
        fault = f"is not JSON ({error})"
    except RecursionError:
        fault = "is nested too deeply"
    return Record(number, {}, fault, sha256(line).hexdigest())


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number")


def _rows(file: BinaryIO, delimiter: str) -> Iterator[Record]:
    csv.field_size_limit(LONGEST)
    reader = csv.reader(_Text(file), delimiter=delimiter, strict=True)
    try:
        header = next(reader, [])
    except csv.Error as error:
        raise UsageError(f"The table's header cannot be read: {error}.") from None
    twice = [name for name, count in Counter(header).items() if count > 1]
    if twice:
        raise UsageError(f"The table has two columns called {twice[0]!r}; rename one.")
    for number in itertools.count(2):
        try:
            row = next(reader, None)
        except csv.Error as error:
            yield Record(number, {}, f"is not a row of a table ({error})", str(reader.line_num))
            continue
        if row is None:
            return
        if len(row) == len(header):
            yield Record(number, dict(zip(header, row, strict=True)))
        elif row:
            fault = f"has {len(row)} fields, and the header {len(header)}"
            yield Record(number, {}, fault, sha256(repr(row).encode()).hexdigest())


class _Text:
    """Lines as text for the csv module; goes on after a line that is too long."""

    def __init__(self, file: BinaryIO) -> None:
        self._lines = _bounded(file)

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> str:
        line, whole = next(self._lines)
        if not whole:
            raise csv.Error(_TOO_LONG)
        return line.decode("utf-8", "surrogateescape")
