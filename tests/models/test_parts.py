"""A model in parts is one model: to pair, to tell apart, to find in a folder."""

from pathlib import Path

import pytest
from gguf_bytes import ARCHITECTURE, ARRAY, STRING, UINT32, array, entry, gguf, tensor, text

from localspec.errors import ModelError
from localspec.models import matches, pairs
from localspec.models.description import describe
from localspec.models.files import size_of
from localspec.models.fingerprint import fingerprint

WORDS = array(STRING, 40, b"".join(text(f"w{i}") for i in range(40)))
VOCABULARY = entry("tokenizer.ggml.tokens", ARRAY, WORDS)


def write(path: Path, size: int, *more: bytes, name: str = "a", filled: bytes = b"\0") -> Path:
    fields = [ARCHITECTURE, *more]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gguf(fields, [tensor(name, (size,))]) + filled * (4 * size))
    return path


def write_parts(folder: Path, *sizes: int) -> Path:
    """A model whose parts have so many weights each; the first one has the vocabulary."""
    for i, size in enumerate(sizes):
        numbers = [
            entry(key, UINT32, value.to_bytes(4, "little"))
            for key, value in (("split.no", i), ("split.count", len(sizes)))
        ]
        place = folder / f"big-Q8_0-{i + 1:05}-of-{len(sizes):05}.gguf"
        write(place, size, *([] if i else [VOCABULARY]), *numbers, name=f"t{i}")
    return folder / f"big-Q8_0-00001-of-{len(sizes):05}.gguf"


def test_all_parts_count_where_a_draft_is_judged(tmp_path: Path) -> None:
    target = write_parts(tmp_path, 64, 1600, 1600)
    write(tmp_path / "small.gguf", 128, VOCABULARY)
    small = next(c for c in pairs.candidates(target) if c.name == "small.gguf")
    assert (small.objection, small.merits) == (None, "same vocabulary, 26 times smaller")


def test_a_draft_in_parts_is_one_candidate_of_all_its_size(tmp_path: Path) -> None:
    target = write(tmp_path / "target.gguf", 6400, VOCABULARY)
    first = write_parts(tmp_path, 64, 1600)
    (found,) = (c for c in pairs.candidates(target) if c.name.startswith("big"))
    assert (found.path, found.size, found.objection) == (first, describe(first).size, None)
    target = write(tmp_path / "target.gguf", 1600, VOCABULARY)
    (found,) = (c for c in pairs.candidates(target) if c.name.startswith("big"))
    assert found.objection == "it is no smaller than the target"


def test_all_parts_are_weighed_where_room_is_reckoned(tmp_path: Path) -> None:
    first = write_parts(tmp_path, 64, 1600)
    assert size_of(first) == sum(part.stat().st_size for part in tmp_path.iterdir())


def test_a_target_whose_parts_are_missing_cannot_be_paired(tmp_path: Path) -> None:
    target = write_parts(tmp_path, 64, 1600)
    target.with_name("big-Q8_0-00002-of-00002.gguf").unlink()
    with pytest.raises(ModelError, match="lacks 1 of its parts"):
        pairs.candidates(target)


def test_models_whose_first_parts_are_alike_are_told_apart(tmp_path: Path) -> None:
    one, two = write_parts(tmp_path / "one", 64, 1600), write_parts(tmp_path / "two", 64, 1600)
    assert fingerprint(one) == fingerprint(two)
    second = two.with_name("big-Q8_0-00002-of-00002.gguf")
    second.write_bytes(second.read_bytes()[:-100] + b"x" * 100)
    assert fingerprint(one) != fingerprint(two)
    draft = write(tmp_path / "draft.gguf", 32)
    matches.keep(one, [matches.Match("d", str(draft), fingerprint(draft), 0.5, 2.0, 1.5)])
    assert (matches.best_for(one), matches.best_for(two)) == (draft, None)


def test_a_part_that_no_disk_can_hold_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="cannot be read: File name too long"):
        fingerprint(tmp_path / f"{'a' * 300}-00001-of-00002.gguf")


def test_what_is_known_of_single_files_stays_known(tmp_path: Path) -> None:
    """Fingerprints are names of files that earlier versions wrote."""
    for name in ("one.gguf", "one-00001-of-00002.gguf"):  # of which there is no second part
        path = tmp_path / name
        path.write_bytes(bytes(range(256)) * 20_000)
        assert fingerprint(path) == "b8f29fa94091984217841666a83566c9"
