"""The llama room with the real shell pair: model, vocabulary, context, rollback."""

import gc
import threading
import time
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from localspec import ModelError, models
from localspec.errors import DecodeError, UsageError
from localspec.llama import library
from localspec.llama.context import Context
from localspec.llama.grammar import Grammar
from localspec.llama.kernels import Way
from localspec.llama.model import Model
from localspec.llama.rows import Logits, Run

PAIR = models.embedded("shell")
SCHEMA = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}
TEXT = "How do I list files by size? Use ls with an option, and read its manual for the rest."


@pytest.fixture(scope="module")
def model() -> Iterator[Model]:
    with Model(PAIR.target) as model:
        yield model


@pytest.fixture
def context(model: Model) -> Iterator[Context]:
    with Context(model, length=256, sequences=3, batch=64, outputs=32) as context:
        yield context


def fresh(model: Model, tokens: list[int]) -> Logits:
    """The logits after `tokens`, from a cache that never held anything else."""
    with Context(model, length=256, batch=64, outputs=32) as context:
        return context.decode([Run(0, tokens, 0, 1)])[0].copy()


class TestVocabulary:
    def test_text_comes_back_as_it_went(self, model: Model) -> None:
        for text in (TEXT, "naïve Gödel, 日本語 🎉", "\n\ttabs\r\n", ""):
            pieces = map(model.vocabulary.piece, model.vocabulary.tokenize(text))
            assert b"".join(pieces).decode() == text

    def test_control_tokens_come_only_where_they_are_wanted(self, model: Model) -> None:
        words = model.vocabulary
        control = {t for t in range(words.size) if words.piece(t) == b""}
        assert not control.intersection(words.tokenize("a<|im_end|>b"))
        assert control.intersection(words.tokenize("a<|im_end|>b", control=True))
        assert "<|im_end|>" in words.control_texts

    def test_the_draft_speaks_the_same_language(self, model: Model) -> None:
        with Model(PAIR.draft) as draft:
            assert model.vocabulary.difference(draft.vocabulary) is None


class TestContext:
    def test_where_the_processor_does_the_work_nothing_is_done_meanwhile(
        self, context: Context
    ) -> None:
        done = list[int]()
        context.decode([Run(0, [1, 2], 0, 1)], lambda: done.append(1))
        assert not context.asynchronous
        assert not done

    def test_rollback_leaves_no_trace(self, model: Model, context: Context) -> None:
        tokens = model.vocabulary.tokenize(TEXT)
        context.decode([Run(0, tokens[:8], 0, 1)])
        context.decode([Run(0, [7, 8, 9], 8, 3)])
        context.truncate(0, 8)
        after = context.decode([Run(0, tokens[8:12], 8, 1)])[0]
        assert context.cached(0) == 12
        assert np.abs(after - fresh(model, tokens[:12])).max() < 0.5

    @pytest.mark.parametrize("width", [2, 3, 4, 5, 8, 16])
    def test_logits_do_not_depend_on_how_many_rows_are_decoded_together(
        self, model: Model, context: Context, width: int
    ) -> None:
        tokens = (model.vocabulary.tokenize(TEXT) * 3)[:32]
        alone = [context.decode([Run(0, [t], i, 1)])[0].copy() for i, t in enumerate(tokens)]
        together: list[Logits] = []
        for start in range(0, len(tokens), width):
            part = tokens[start : start + width]
            together += list(context.decode([Run(1, part, start, len(part))]).copy())
        assert (np.array(alone) == np.array(together)).all()

    def test_sequences_in_one_batch_do_not_see_each_other(
        self, model: Model, context: Context
    ) -> None:
        tokens = model.vocabulary.tokenize(TEXT)
        rows = context.decode([Run(0, tokens[:6], 0, 1), Run(2, tokens[6:11], 0, 1)]).copy()
        for row, part in zip(rows, (tokens[:6], tokens[6:11]), strict=True):
            assert np.abs(row - fresh(model, part)).max() < 0.5

    def test_a_copied_beginning_is_as_good_as_one_that_was_read(
        self, model: Model, context: Context
    ) -> None:
        tokens = model.vocabulary.tokenize(TEXT)
        context.decode([Run(0, tokens[:10], 0, 1)])
        context.copy(0, 1, 6)
        assert (context.cached(0), context.cached(1)) == (10, 6)
        mine = context.decode([Run(0, [5], 10, 1), Run(1, [tokens[6]], 6, 1)])[1].copy()
        assert np.abs(mine - fresh(model, tokens[:7])).max() < 0.5

    def test_a_batch_that_makes_no_sense_is_an_error_in_words(self, context: Context) -> None:
        with pytest.raises(DecodeError, match="could not evaluate 1 tokens"):
            context.decode([Run(0, [10**6], 0, 1)])


class TestBadFiles:
    def test_what_is_no_model_is_refused_in_a_sentence(self, tmp_path: Path) -> None:
        (tmp_path / "text.gguf").write_text("hello")
        (tmp_path / "short.gguf").write_bytes(PAIR.draft.read_bytes()[:100_000])
        for path, words in (
            (tmp_path / "none.gguf", "no file"),
            (tmp_path, "a folder"),
            (tmp_path / "text.gguf", "not a GGUF file"),
            (tmp_path / "short.gguf", "is a damaged GGUF file"),
        ):
            with pytest.raises(ModelError, match=words) as raised:
                Model(path)
            assert "\n" not in str(raised.value)


def test_each_failure_has_its_own_reason(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("localspec.llama.kernels.way", lambda *_, **__: Way(repack=True))
    text, cut = tmp_path / "text.gguf", tmp_path / "cut.gguf"
    text.write_bytes(b"no model at all")
    cut.write_bytes(PAIR.draft.read_bytes()[:1_000_000])
    for path, words in ((text, "text.gguf"), (cut, "corrupted or incomplete")):
        with pytest.raises(ModelError, match=words):
            Model(path)


class TestGrammar:
    def test_guesses_taken_back_leave_the_match_where_it_was(self, model: Model) -> None:
        words = model.vocabulary
        match = Grammar.of_schema(SCHEMA, words).begin()
        for token in words.tokenize('{"n": 1'):
            match.push(token)
        before = match.allowed().copy()
        end = next(iter(words.end_tokens))
        for guesses in ([words.tokenize("}")[0], end, end], [words.tokenize("x")[0]], [end]):
            for token in guesses:
                match.push(token)
            for _ in guesses:
                match.pop()
            assert (match.allowed() == before).all()


def test_a_closed_model_is_not_asked() -> None:
    with Model(PAIR.draft) as model:
        vocabulary = model.vocabulary
    for use in (lambda: model.layers, lambda: vocabulary.tokenize("x")):
        with pytest.raises(ModelError, match="closed; load it again"):
            use()


def test_a_model_that_is_closed_stays_until_the_last_call_has_returned(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tokenize, free = library.lib.llama_tokenize, library.lib.llama_model_free
    done: list[str] = []

    def slowly(*asked: Any) -> int:
        asking.set()
        assert closed.wait(10)
        tokens: int = 0 if done else tokenize(*asked)
        done.append("tokenized")
        return tokens

    def freely(model: int) -> None:
        done.append("freed")
        free(model)

    monkeypatch.setattr(library.lib, "llama_model_free", freely)
    asking, closed = threading.Event(), threading.Event()
    model = Model(PAIR.draft)
    monkeypatch.setattr(library.lib, "llama_tokenize", slowly)
    asker = threading.Thread(target=model.vocabulary.tokenize, args=["x"])
    asker.start()
    assert asking.wait(10)
    model.close()
    closed.set()
    asker.join()
    assert done == ["tokenized", "freed"]


def test_nothing_that_grammars_needed_outlives_a_model() -> None:
    with Model(PAIR.draft) as model:
        Grammar.of_schema(SCHEMA, model.vocabulary)
        vocabulary = weakref.ref(model.vocabulary)
    del model
    gc.collect()
    assert vocabulary() is None


def test_what_only_helps_the_processor_is_no_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    found = [*library.devices(), library.Device("BLAS", "OpenBLAS", "accelerator", 0)]
    monkeypatch.setattr(library, "devices", lambda: found)
    with Model(PAIR.draft) as helped:
        assert helped.on_cpu


def test_half_a_character_is_refused(model: Model) -> None:
    with pytest.raises(UsageError, match="not Unicode"):
        model.vocabulary.tokenize("\ud83d")


def test_a_model_that_cannot_end_an_answer_keeps_to_no_schema(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with Model(PAIR.draft) as model:
        monkeypatch.setitem(model.vocabulary.__dict__, "end_tokens", frozenset())
        with pytest.raises(UsageError, match="no token that ends an answer"):
            Grammar.of_schema({"type": "boolean"}, model.vocabulary)


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "string", "pattern": "^(a|b|ab)*" + "(x+x+)+" * 20 + "$"},
        {"type": "string", "pattern": "(.{0,900}){9}z"},
        {"$defs": {"a": {"anyOf": [{"$ref": "#/$defs/a"}] * 50}}, "$ref": "#/$defs/a"},
        {"type": "array", "minItems": 9_999_999, "items": {"type": "integer"}},
        {"type": "object", "properties": {f"p{i}": {"type": "number"} for i in range(3000)}},
        {"enum": [f"{i}" for i in range(9000)]},
        {"type": "object", "patternProperties": {".*.*.*x{1,500}": {}}},
    ],
)
def test_a_grammar_that_explodes_is_refused_or_ends(model: Model, schema: Any) -> None:
    words, start = model.vocabulary, time.thread_time()
    try:
        match = Grammar.of_schema(schema, words).begin()
    except UsageError:
        return
    for _ in range(20):
        allowed = np.flatnonzero(match.allowed())
        if not len(allowed):
            break
        match.push(int(allowed[len(allowed) // 2]))
        match.forced()
    assert time.thread_time() - start < 5, "a stranger's schema cannot hold the engine for long"
