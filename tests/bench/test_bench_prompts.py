"""What a benchmark asks: prompts of our own, and those of files in formats of others."""

import gzip
from pathlib import Path

import pytest

from localspec.bench import prompts
from localspec.bench.prompts import Prompt
from localspec.errors import UsageError

TASKS = {"chat", "code", "editing", "summarising", "json", "arithmetic", "prose"}


def test_our_own_prompts_cover_all_tasks_and_are_of_use() -> None:
    own = prompts.own()
    assert {prompt.task for prompt in own} == TASKS
    for task in TASKS:
        texts = [prompt.text for prompt in own if prompt.task == task]
        assert 6 <= len(texts) == len(set(texts)) <= 8
        assert all(text.strip() for text in texts)
    for prompt in own:
        if prompt.task == "summarising":
            assert 100 <= len(prompt.text.split()) <= 320


LINES = {
    "spec-bench": '{"question_id": 1, "category": "qa", "turns": ["Who?", "When?"]}',
    "humaneval": '{"task_id": "HumanEval/0", "prompt": "def f():\\n", "test": "assert f"}',
}


def test_known_formats_are_read_gzipped_or_not(tmp_path: Path) -> None:
    file = tmp_path / "prompts.jsonl"
    text = LINES["spec-bench"] + "\n\n" + LINES["humaneval"] + "\n"
    file.write_text(text, encoding="utf-8-sig")
    found = prompts.read(file)
    assert found[0] == Prompt("qa", "Who?")
    assert found[1].task == "humaneval"
    assert found[1].text.endswith("\n\ndef f():\n")
    packed = tmp_path / "prompts.jsonl.gz"
    packed.write_bytes(gzip.compress(file.read_bytes()))
    assert prompts.read(packed) == found


def test_a_line_ends_where_json_says_so(tmp_path: Path) -> None:
    file = tmp_path / "prompts.jsonl"
    line = LINES["spec-bench"].replace("Who?", "Who\u2028or\u0085what?")
    file.write_text(f"{line}\r\n \r\n{line}\r\n", encoding="utf-8", newline="")
    assert prompts.read(file) == [Prompt("qa", "Who\u2028or\u0085what?")] * 2


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"{", "line 1 is not JSON"),
        (b'{"question": "Why?"}', "line 1 is no prompt"),
        (b'{"category": "qa", "turns": []}', "line 1 is no prompt"),
        (b'{"category": "qa", "turns": [" "]}', "line 1 is no prompt"),
        (LINES["humaneval"].encode() + b"\n[1]", "line 2 is no prompt"),
        (b"", "no prompts"),
        (b"\xff\xfe", "not UTF-8"),
        (gzip.compress(b"x" * 999, mtime=0)[:-9], "damaged gzip"),
        (b"\x1f\x8bnonsense", "damaged gzip"),
    ],
)
def test_other_files_are_refused_in_a_sentence(tmp_path: Path, content: bytes, told: str) -> None:
    file = tmp_path / "prompts"
    file.write_bytes(content)
    with pytest.raises(UsageError, match=told):
        prompts.read(file)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="nowhere"):
        prompts.read(tmp_path / "nowhere")


def test_tasks_take_turns_and_are_limited() -> None:
    known = [Prompt("a", "1"), Prompt("a", "2"), Prompt("a", "3"), Prompt("b", "4")]
    assert [p.text for p in prompts.choose(known, [], None)] == ["1", "4", "2", "3"]
    assert [p.text for p in prompts.choose(known, [], 2)] == ["1", "4", "2"]
    assert [p.text for p in prompts.choose(known, ["b", "a", "b"], 1)] == ["4", "1"]


def test_an_unknown_task_gets_the_nearest_name() -> None:
    with pytest.raises(UsageError, match="did you mean 'editing'"):
        prompts.choose(prompts.own(), ["editng"], None)
    with pytest.raises(UsageError, match="limit is 0"):
        prompts.choose(prompts.own(), [], 0)
