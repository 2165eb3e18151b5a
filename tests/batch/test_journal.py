"""The journal gives back what was put into it, whatever happened in between."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from localspec.batch.journal import Entry, Journal, JournalError

entries = st.lists(
    st.builds(
        Entry,
        identity=st.text("0123456789abcdef", min_size=48, max_size=48),
        failed=st.booleans(),
        line=st.text(max_size=60).map(lambda text: text.replace("\n", "").encode()),
    ),
    max_size=6,
)


def write(path: Path, written: list[Entry]) -> list[int]:
    """Make a journal; returns where each record ends."""
    ends = []
    with Journal(path) as journal:
        list(journal.recover())
        for entry in written:
            journal.append(entry)
            ends.append(path.stat().st_size)
    return ends


def recovered(path: Path) -> list[Entry]:
    with Journal(path) as journal:
        found = list(journal.recover())
        assert [journal.read(place) for _, place in found] == [entry.line for entry, _ in found]
        return [entry for entry, _ in found]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("journal")


@given(entries, entries)
def test_what_was_written_comes_back(folder: Path, first: list[Entry], later: list[Entry]) -> None:
    path = folder / "a"
    path.unlink(missing_ok=True)
    write(path, first)
    write(path, later)
    assert recovered(path) == first + later


@given(entries, st.data())
def test_torn_anywhere_whole_records_stay(
    folder: Path, written: list[Entry], data: st.DataObject
) -> None:
    path = folder / "b"
    path.unlink(missing_ok=True)
    ends = write(path, written)
    whole = path.read_bytes() if ends else b""
    at = data.draw(st.integers(0, len(whole)))
    junk = data.draw(st.sampled_from([b"", b"\0" * 30, b"\0\n\n", b"\0abc\ndef"]))
    started = at > len(b"localspec batch journal 1")
    path.write_bytes(whole[:at] + (junk if started else b""))
    kept = written[: sum(end <= at for end in ends)]
    assert recovered(path) == kept
    write(path, written)
    assert recovered(path) == kept + written


@given(entries.filter(bool), st.data())
def test_a_damaged_record_costs_itself_only(
    folder: Path, written: list[Entry], data: st.DataObject
) -> None:
    path = folder / "c"
    path.unlink(missing_ok=True)
    ends = [*write(path, written), 0]
    spoiled = data.draw(st.integers(0, len(written) - 1))
    whole = bytearray(path.read_bytes())
    at = data.draw(st.integers(ends[spoiled - 1] or 26, ends[spoiled] - 1))
    whole[at] ^= data.draw(st.integers(1, 255))
    path.write_bytes(whole)
    left = recovered(path)
    if at == ends[spoiled] - 1 and spoiled + 1 < len(written):  # its newline: two become one
        assert left == written[:spoiled] + written[spoiled + 2 :]
    else:
        assert left == written[:spoiled] + written[spoiled + 1 :]


def test_damage_is_counted(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    ends = write(path, [Entry("0" * 48, False, b"%d" % n) for n in range(3)])
    whole = bytearray(path.read_bytes())
    whole[ends[0] + 3] ^= 1
    path.write_bytes(whole)
    with Journal(path) as journal:
        assert len(list(journal.recover())) == 2
        assert journal.damaged == 1


def test_a_file_of_someone_else_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    path.write_text("dear diary\n")
    with pytest.raises(JournalError, match="no journal of localspec"):
        Journal(path)
    assert path.read_text() == "dear diary\n"


def test_a_journal_without_records_leaves_nothing_behind(tmp_path: Path) -> None:
    write(tmp_path / "journal", [])
    assert not list(tmp_path.iterdir())


def test_the_lock_is_exclusive_and_ends_with_its_process(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    code = (
        "import sys; from pathlib import Path; from localspec.batch.journal import Journal\n"
        "journal = Journal(Path(sys.argv[1])); print('mine', flush=True); sys.stdin.read()"
    )
    command = [sys.executable, "-c", code, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout
        assert other.stdout.readline() == b"mine" + os.linesep.encode()
        with pytest.raises(JournalError, match="Another run is writing"):
            Journal(path)
        other.kill()
        other.wait()
    write(path, [])


def test_a_journal_that_was_finished_and_removed_meanwhile_is_begun_anew(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    first = Journal(path)
    first.remove()
    write(path, [Entry("0" * 48, False, b"x")])
    assert len(recovered(path)) == 1


@pytest.mark.skipif(os.name == "nt", reason="no limits on files there")
def test_a_full_disk_is_one_sentence_and_leaves_no_half_record(tmp_path: Path) -> None:
    import resource

    path = tmp_path / "journal"
    kept = Entry("0" * 48, False, b"kept")
    unlimited = resource.getrlimit(resource.RLIMIT_FSIZE)
    with Journal(path) as journal:
        journal.append(kept)
        resource.setrlimit(resource.RLIMIT_FSIZE, (200, unlimited[1]))
        try:
            with pytest.raises(JournalError, match="File too large; what it holds is safe"):
                journal.append(Entry("1" * 48, False, b"lost" * 99))
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, unlimited)
        assert b"lost" not in path.read_bytes()
        journal.append(kept)
    assert recovered(path) == [kept, kept]
