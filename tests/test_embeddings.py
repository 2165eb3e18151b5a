"""Texts as vectors: by a model that was made for it, and not by one that was not."""

from pathlib import Path

import gguf
import numpy as np
import pytest
from gguf.scripts.gguf_new_metadata import MetadataDetails, copy_with_new_metadata

import localspec
from localspec import UsageError, models

DRAFT = models.embedded("shell").draft


@pytest.fixture(scope="module")
def embedding_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shell's draft, said to pool the mean of its states."""
    path = tmp_path_factory.mktemp("models") / "embedding.gguf"
    reader = gguf.GGUFReader(DRAFT)
    writer = gguf.GGUFWriter(path, "qwen3")
    pooling = MetadataDetails(gguf.GGUFValueType.UINT32, gguf.PoolingType.MEAN)
    copy_with_new_metadata(reader, writer, {"qwen3.pooling_type": pooling}, [])
    return path


def test_vectors_have_length_one_and_know_their_text(embedding_model: Path) -> None:
    with localspec.load(embedding_model, draft="none") as llm:
        texts = ["ls lists files", "ls lists files", [5, 6, 7], "def f(x): return x"]
        vectors, tokens = llm.embed(texts)
        assert tokens > 10
        for vector in vectors:
            assert vector.shape == (llm.target.embedding_length,)
            assert np.linalg.norm(vector) == pytest.approx(1, abs=1e-5)
        assert vectors[0] == pytest.approx(vectors[1])
        assert float(vectors[0] @ vectors[3]) < 0.9999
        with pytest.raises(UsageError, match="cannot be embedded"):
            llm.embed(["word " * 5000])
        assert llm.generate("Hello", max_tokens=3, temperature=0).tokens, "it still speaks"


def test_other_models_say_that_they_cannot() -> None:
    with localspec.load(DRAFT, draft="none") as llm, pytest.raises(UsageError, match="made for"):
        llm.embed(["x"])
