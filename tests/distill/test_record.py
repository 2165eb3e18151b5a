"""What a target wrote survives whatever interrupts the writing."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from localspec.distill import prompts
from localspec.distill.record import Record, Text
from localspec.errors import UsageError


def text(seed: int) -> Text:
    random = np.random.default_rng(seed)
    said = int(random.integers(1, 9))
    return Text(
        random.integers(0, 300, 5).astype(np.int32),
        random.integers(0, 300, said).astype(np.int32),
        random.integers(0, 300, (said, 4)).astype(np.int32),
        -random.random((said, 4)).astype(np.float16),
        0.5,
    )


def same(a: Text, b: Text) -> bool:
    arrays = ("prompt", "said", "likely", "log_probabilities")
    return a.temperature == b.temperature and all(
        np.array_equal(getattr(a, name), getattr(b, name)) for name in arrays
    )


def test_texts_come_back_as_they_were(tmp_path: Path) -> None:
    with Record(tmp_path / "r") as record:
        for seed in range(3):
            record.append(text(seed))
        assert all(same(a, text(i)) for i, a in enumerate(record.texts()))


@given(cut=st.integers(min_value=0, max_value=600), junk=st.binary(max_size=40))
def test_a_torn_end_costs_only_the_text_it_tears(
    tmp_path_factory: pytest.TempPathFactory, cut: int, junk: bytes
) -> None:
    path = tmp_path_factory.mktemp("record") / "r"
    with Record(path) as record:
        for seed in range(3):
            record.append(text(seed))
    data = path.read_bytes()
    path.write_bytes(data[: max(0, len(data) - cut)] + (junk if cut else b""))
    with Record(path) as record:
        kept = record.texts()
        record.append(text(9))
    assert all(same(a, text(i)) for i, a in enumerate(kept))
    with Record(path) as record:
        assert [*map(len, (t.said for t in record.texts()))] == [
            *map(len, (t.said for t in kept)),
            len(text(9).said),
        ]


def test_bad_lines_of_prompts_are_counted_and_left_out(tmp_path: Path) -> None:
    path = tmp_path / "prompts.jsonl"
    good = b'How are you?\n{"prompt": "What is 2 + 2?"}\n\n'
    bad = b'{"prompt": 3}\n{"prompt": "unfinished\n\xff\xfe\n' + b"x" * 9000
    path.write_bytes(good + bad)
    assert prompts.own(path) == (["How are you?", "What is 2 + 2?"], 4)


def test_a_line_ends_where_json_says_so(tmp_path: Path) -> None:
    path = tmp_path / "prompts.jsonl"
    path.write_bytes('{"prompt": "one\u2028two\u0085three"}\r\nplain\x0ctext\r\n'.encode())
    assert prompts.own(path) == (["one\u2028two\u0085three", "plain\x0ctext"], 0)


@pytest.mark.parametrize("content", [b"", b"\n\n", b'{"text": "x"}'])
def test_a_file_without_prompts_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "prompts"
    path.write_bytes(content)
    with pytest.raises(UsageError, match="holds no prompts"):
        prompts.own(path)


def test_there_are_prompts_for_everyone() -> None:
    assert len(prompts.seeds()) == len(set(prompts.seeds())) > 50
