"""Texts without a break, which llama.cpp would die on."""

from collections.abc import Iterator

import gguf
import pytest
from gguf.scripts.gguf_new_metadata import MetadataDetails, copy_with_new_metadata
from gguf_writing import read_gguf

from localspec import models
from localspec.llama.model import Model
from localspec.llama.portions import LONGEST, portions
from localspec.llama.vocabulary import Vocabulary

MARK = "<|im_end|>"
ENDLESS = {
    "letters": "gattaca" * 5000,
    "spaces": " " * 35_000,
    "signs": "!" * 35_000,
    "code": "x.y" * 7000,
    "all of them": "gattaca " + "!" * 9000 + "\n" * 9000 + "7" * 9000,
}


def within_mark(text: str, at: int) -> bool:
    nearby = range(max(0, at - len(MARK) + 1), at)
    return any(text.startswith(MARK, start) for start in nearby)


def cut(text: str) -> list[str]:
    return list(portions(text, within_mark))


@pytest.mark.parametrize("text", ENDLESS.values(), ids=ENDLESS)
def test_no_portion_goes_on_for_longer_without_a_break(text: str) -> None:
    parts = cut(text)
    assert "".join(parts) == text
    words = [word for part in parts for word in part.split()]
    gaps = [part for part in parts if part.isspace()]
    assert max(map(len, [*words, *gaps])) <= LONGEST


def test_what_has_breaks_is_left_whole() -> None:
    text = f"{'a' * LONGEST} {'!' * LONGEST}\n" * 3
    assert cut(text) == [text]


def test_it_is_cut_after_a_word_where_there_is_one() -> None:
    first, *others = cut("word-" * 3000)
    assert first.endswith("d")
    assert all(part.startswith("-word") for part in others)


@pytest.mark.parametrize("before", range(LONGEST - len(MARK), LONGEST + 1))
def test_no_token_of_its_own_is_cut(before: int) -> None:
    text = "a" * before + MARK + "b" * LONGEST
    assert any(MARK in part for part in cut(text))


@pytest.fixture(scope="module")
def died(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Vocabulary]:
    """One that is split as that of gpt-oss, on which llama.cpp died after 25,000 characters."""
    reader = read_gguf(models.embedded("shell").draft)
    file = tmp_path_factory.mktemp("models") / "model.gguf"
    changed = {"tokenizer.ggml.pre": MetadataDetails(gguf.GGUFValueType.STRING, "gpt-4o")}
    copy_with_new_metadata(reader, gguf.GGUFWriter(file, "qwen3"), changed, [])
    with Model(file) as model:
        yield model.vocabulary


@pytest.mark.parametrize("text", [*ENDLESS.values(), "a" * 40_000 + MARK], ids=[*ENDLESS, "a mark"])
def test_llama_cpp_survives_them(died: Vocabulary, text: str) -> None:
    tokens = died.tokenize(text, control=True, whole=True)
    assert "".join(map(died.text_of, tokens)) == text
    assert (2 in tokens) == (MARK in text)


def test_the_first_and_the_last_token_of_a_whole_text_come_once() -> None:
    with Model(models.embedded("shell").target) as model:
        vocabulary = model.vocabulary
        vocabulary.adds_bos, vocabulary.bos = True, 1
        tokens = vocabulary.tokenize("a" * 3 * LONGEST, whole=True)
        assert tokens[0] == 1
        assert tokens.count(1) == 1
