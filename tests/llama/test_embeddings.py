"""Texts as vectors: by a model that was made for it, and not by one that was not."""

from pathlib import Path

import gguf
import numpy as np
import openai
import pytest
from gguf.scripts.gguf_new_metadata import MetadataDetails, copy_with_new_metadata
from gguf_writing import finish, read_gguf
from servers import Kept, serving

import localspec
from localspec import UsageError, models

DRAFT = models.embedded("shell").draft


@pytest.fixture(scope="module")
def embedding_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shell's draft, said to pool the mean of its states."""
    path = tmp_path_factory.mktemp("models") / "embedding.gguf"
    reader = read_gguf(DRAFT)
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


def encoder(path: Path, pooling: gguf.PoolingType | None) -> Path:
    """A tiny BERT, of weights by chance."""
    chance, width, length = np.random.default_rng(0), 32, 64
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "\u2581hello", "\u2581world", "\u2581a"]
    writer = gguf.GGUFWriter(path, "bert")
    writer.add_context_length(length)
    writer.add_embedding_length(width)
    writer.add_feed_forward_length(2 * width)
    writer.add_block_count(1)
    writer.add_head_count(2)
    writer.add_layer_norm_eps(1e-12)
    writer.add_causal_attention(False)
    if pooling is not None:
        writer.add_pooling_type(pooling)
    writer.add_tokenizer_model("bert")
    writer.add_tokenizer_pre("default")
    writer.add_token_list(words)
    writer.add_token_types([3] * 4 + [1] * 3)
    writer.add_token_type_count(2)
    writer.add_unk_token_id(1)
    writer.add_bos_token_id(2)
    writer.add_eos_token_id(3)
    writer.add_sep_token_id(3)
    writer.add_pad_token_id(0)
    shapes = {"token_embd": (len(words), width), "token_types": (2, width)}
    shapes |= {"position_embd": (length, width), "token_embd_norm": (width,)}
    shapes |= {f"blk.0.attn_{name}": (width, width) for name in ("q", "k", "v", "output")}
    shapes |= {f"blk.0.{name}_output_norm": (width,) for name in ("attn", "layer")}
    shapes |= {"blk.0.ffn_up": (2 * width, width), "blk.0.ffn_down": (width, 2 * width)}
    for name, shape in shapes.items():
        weights = chance.normal(0, 0.3, shape).astype(np.float32)
        writer.add_tensor(f"{name}.weight", weights)
        if "norm" in name or name.startswith("blk"):
            writer.add_tensor(f"{name}.bias", np.zeros(shape[0], np.float32))
    finish(writer)
    return path


@pytest.mark.parametrize("pooling", [gguf.PoolingType.MEAN, gguf.PoolingType.CLS, None])
def test_an_encoder_makes_vectors_and_writes_nothing(
    tmp_path: Path, pooling: gguf.PoolingType | None
) -> None:
    path = encoder(tmp_path / "encoder.gguf", pooling)
    with (
        localspec.load(path) as llm,
        serving(lambda: Kept(llm)) as url,
        openai.OpenAI(base_url=f"{url}/v1", api_key="x", max_retries=0) as client,
    ):
        (text, tokens), _ = llm.embed(["hello world", [2, 4, 5, 3]])
        assert text == pytest.approx(tokens), "with what the model wants around a text"
        asked = ["hello world", "world", "a"]
        floats = client.embeddings.create(model="", input=asked, encoding_format="float")
        assert floats.data[0].embedding == pytest.approx(text.tolist(), abs=1e-6)
        assert floats.usage.prompt_tokens == 4 + 3 + 3
        packed = client.embeddings.create(model="", input=asked)  # the client asks for base64
        for one, other in zip(floats.data, packed.data, strict=True):
            assert one.embedding == pytest.approx(other.embedding)
        short = client.embeddings.create(model="", input="a", dimensions=8).data[0].embedding
        assert len(short) == 8
        assert np.linalg.norm(short) == pytest.approx(1)
        for wrong in ("hello " * 100, ["a"] * 257, [99], []):
            with pytest.raises(openai.BadRequestError):
                client.embeddings.create(model="", input=wrong)
        with pytest.raises(openai.BadRequestError, match="writes no texts"):
            client.completions.create(model="", prompt="hello")
        client.close()


def test_a_model_that_ranks_makes_no_vectors(tmp_path: Path) -> None:
    path = encoder(tmp_path / "ranker.gguf", gguf.PoolingType.RANK)
    with localspec.load(path) as llm, pytest.raises(UsageError, match="made for"):
        llm.embed(["hello"])
