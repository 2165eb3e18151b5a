"""Twins of a tiny model made on the spot: random weights, three hundred tokens, two layers."""

import os
import shutil
import string
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import gguf
import numpy as np
import pytest
from gguf_writing import finish

from localspec.bench import twins
from localspec.bench.inflate import Inflation, Tensor
from localspec.bench.shapes import SHAPES, Shape, draft_shape, shape_named
from localspec.errors import LocalspecError, ModelError, UsageError
from localspec.llama import kernels
from localspec.llama.context import Context
from localspec.llama.model import Model
from localspec.llama.rows import Run

SMALL = Shape("small", 64, 2, 4, 2, 32, 96, 324, tied=True)
WIDE = Shape("wide", 160, 5, 9, 3, 64, 128, 400, tied=True)
UNTIED = Shape("untied", 256, 3, 8, 4, 32, 96, 324 + 64)
TEXT = "the cat sat on a mat and had a good look at the moon, then it went home again. " * 3
TEMPLATE = "{% for m in messages %}{{ m.content }}{% endfor %}"


def tokens() -> tuple[list[str], list[str]]:
    """Three control tokens, printable ASCII, space and newline, and pairs of letters."""
    pairs = [(a, b) for a in "abcdeghilmnorst" for b in "abcdeghilmnorst"]
    words = [
        "<|a|>",
        "<|b|>",
        "<|end|>",
        *string.printable[:94],
        "Ġ",
        "Ċ",
        *(a + b for a, b in pairs),
    ]
    return words, [f"{a} {b}" for a, b in pairs]


def write_source(path: Path, quantization: str, tensors_a_part: int = 0) -> Path:
    kind, random = gguf.GGMLQuantizationType[quantization], np.random.default_rng(7)
    writer = gguf.GGUFWriter(path, "qwen3", split_max_tensors=tensors_a_part)
    s, (words, merges) = SMALL, tokens()
    assert len(words) == s.vocabulary
    writer.add_context_length(512)
    writer.add_embedding_length(s.width)
    writer.add_block_count(s.layers)
    writer.add_feed_forward_length(s.hidden)
    writer.add_head_count(s.heads)
    writer.add_head_count_kv(s.kv_heads)
    writer.add_key_length(s.head_size)
    writer.add_value_length(s.head_size)
    writer.add_layer_norm_rms_eps(1e-6)
    writer.add_rope_freq_base(10000.0)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("qwen2")
    writer.add_token_list(words)
    writer.add_token_types([3] * 3 + [1] * (len(words) - 3))
    writer.add_token_merges(merges)
    writer.add_eos_token_id(2)
    writer.add_add_bos_token(False)
    writer.add_chat_template(TEMPLATE)

    def matrix(name: str, rows: int, columns: int, scale: float = 1.0) -> None:
        weights = random.normal(0, scale / columns**0.5, (rows, columns)).astype(np.float32)
        writer.add_tensor(f"{name}.weight", gguf.quants.quantize(weights, kind), raw_dtype=kind)

    def norm(name: str, size: int) -> None:
        writer.add_tensor(f"{name}.weight", random.uniform(0.5, 1.5, size).astype(np.float32))

    matrix("token_embd", s.vocabulary, s.width, scale=4)
    norm("output_norm", s.width)
    for blk in (f"blk.{layer}" for layer in range(s.layers)):
        for name, size in (("attn", s.width), ("ffn", s.width)):
            norm(f"{blk}.{name}_norm", size)
        norm(f"{blk}.attn_q_norm", s.head_size)
        norm(f"{blk}.attn_k_norm", s.head_size)
        matrix(f"{blk}.attn_q", s.heads * s.head_size, s.width)
        matrix(f"{blk}.attn_k", s.kv_heads * s.head_size, s.width)
        matrix(f"{blk}.attn_v", s.kv_heads * s.head_size, s.width)
        matrix(f"{blk}.attn_output", s.width, s.heads * s.head_size)
        matrix(f"{blk}.ffn_gate", s.hidden, s.width)
        matrix(f"{blk}.ffn_up", s.hidden, s.width)
        matrix(f"{blk}.ffn_down", s.width, s.hidden)
    finish(writer)
    return path


def in_full(path: Path) -> Path:
    """The same model with its quantized weights written out as F32: no rounding of activations."""
    reader, out = gguf.GGUFReader(path), path.with_suffix(".f32.gguf")
    writer = gguf.GGUFWriter(out, "qwen3")
    for key, field in reader.fields.items():
        if not key.startswith("GGUF.") and key != "general.architecture":
            subtype = field.types[-1] if len(field.types) > 1 else None
            writer.add_key_value(key, field.contents(), field.types[0], subtype)
    for tensor in reader.tensors:
        weights = gguf.quants.dequantize(tensor.data, tensor.tensor_type)
        writer.add_tensor(tensor.name, np.array(weights))
    finish(writer)
    return out


@pytest.fixture(scope="module", autouse=True)
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LOCALSPEC_HOME", str(folder))
        patch.setattr("localspec.llama.parameters.threads", lambda: 1)  # so tiny: threads only wait
        yield folder


@pytest.fixture(scope="module")
def sources(home: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("sources")
    made = {q: write_source(folder / f"small-{q}.gguf", q) for q in ("Q8_0", "Q4_0", "BF16")}
    kernels.way(made["Q4_0"])  # tried once: not with a file that has nothing to repack
    return made


@pytest.mark.parametrize("shape", [WIDE, UNTIED], ids=lambda shape: shape.name)
@pytest.mark.parametrize("quantization", ["Q4_0", "Q8_0"])
def test_a_twin_computes_what_its_source_does(
    shape: Shape, quantization: twins.Quantization, sources: dict[str, Path], tmp_path: Path
) -> None:
    source = sources[quantization]
    twin = twins.build(shape, quantization, source, tmp_path)
    found = twins.check(in_full(twin), in_full(source), TEXT)
    assert found.tokens > 100
    assert found.same_argmax > 0.99
    assert found.max_difference < 0.1  # the cache's rounding is left: keys or values are bf16
    assert found.added_probability == 0


@pytest.mark.parametrize("of", ["Q8_0", "BF16"])
def test_a_twin_as_it_is_run_says_nearly_the_same(of: str, sources: dict[str, Path]) -> None:
    found = twins.check(twins.build(WIDE, "Q8_0", sources[of]), sources[of], TEXT)
    assert found.same_argmax > 0.9
    assert found.mean_difference < 0.2


def test_a_twin_has_the_dimensions_and_the_words_it_should(sources: dict[str, Path]) -> None:
    source = sources["Q8_0"]
    with Model(twins.build(WIDE, "Q8_0", source)) as twin, Model(source) as small:
        assert twin.parameters == WIDE.parameters
        assert (twin.layers, twin.embedding_length) == (WIDE.layers, WIDE.width)
        assert twin.vocabulary.size == WIDE.vocabulary
        assert twin.vocabulary.difference(small.vocabulary) is None
        assert twin.vocabulary.end_tokens == small.vocabulary.end_tokens
        assert twin.chat_template == small.chat_template == TEMPLATE
        assert twin.context_length == small.context_length
        assert twin.vocabulary.text_of(SMALL.vocabulary) == f"<|dummy{SMALL.vocabulary}|>"


@pytest.mark.parametrize("shape", [WIDE, UNTIED], ids=lambda shape: shape.name)
def test_added_tokens_are_below_all_others(shape: Shape, sources: dict[str, Path]) -> None:
    with Model(twins.build(shape, "Q4_0", sources["BF16"])) as twin:
        prompt = twin.vocabulary.tokenize(TEXT)[:64]
        with Context(twin, length=64) as context:
            logits = context.decode([Run(0, prompt, 0, len(prompt))])
            known, added = np.split(logits, [SMALL.vocabulary], axis=1)
            assert (added.max(axis=1) < known.min(axis=1)).all()


def test_a_pair_shares_a_vocabulary(sources: dict[str, Path]) -> None:
    assert draft_shape(SHAPES["qwen3-4b"]).vocabulary == SHAPES["qwen3-4b"].vocabulary
    slim = replace(UNTIED, name="slim", width=96, layers=2, vocabulary=WIDE.vocabulary)
    target = twins.build(WIDE, "Q4_0", sources["Q4_0"])
    draft = twins.build(slim, "Q4_0", sources["BF16"])
    with Model(target) as one, Model(draft) as other:
        assert one.vocabulary.size == other.vocabulary.size
        assert one.vocabulary.difference(other.vocabulary) is None


def test_a_twin_is_made_once(
    sources: dict[str, Path], home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = twins.build(WIDE, "Q8_0", sources["Q8_0"])
    assert first.parent == home / "cache" / "twins"
    monkeypatch.setattr(twins, "Source", None)
    assert twins.build(WIDE, "Q8_0", sources["Q8_0"]) == first


def test_a_source_in_parts_is_read_whole(sources: dict[str, Path], tmp_path: Path) -> None:
    write_source(tmp_path / "source.gguf", "Q8_0", tensors_a_part=9)
    *_, last = parts = sorted(tmp_path.glob("source-*-of-00003.gguf"))
    twin = twins.build(WIDE, "Q8_0", parts[0])
    of_one = twins.build(WIDE, "Q8_0", sources["Q8_0"])
    ours, theirs = (gguf.GGUFReader(path) for path in (twin, of_one))
    for a, b in zip(ours.tensors, theirs.tensors, strict=True):
        assert a.name == b.name
        assert np.array_equal(a.data, b.data)
    assert not any(key.startswith("split.") for key in ours.fields)
    last.write_bytes(last.read_bytes()[:-1] + b"x")
    assert twins.build(WIDE, "Q8_0", parts[0]) != twin
    last.unlink()
    with pytest.raises(ModelError, match="lacks 1 of its parts"):
        twins.build(WIDE, "Q8_0", parts[0])


def test_what_differs_has_files_of_its_own(sources: dict[str, Path], tmp_path: Path) -> None:
    wider = replace(WIDE, width=192)
    paths = {
        twins.build(WIDE, "Q8_0", sources["Q8_0"], tmp_path),
        twins.build(wider, "Q8_0", sources["Q8_0"], tmp_path),
        twins.build(WIDE, "Q4_0", sources["Q8_0"], tmp_path),
        twins.build(WIDE, "Q8_0", sources["BF16"], tmp_path),
    }
    assert len(paths) == 4
    assert set(tmp_path.iterdir()) == paths


def test_the_same_twin_is_the_same_file(sources: dict[str, Path], tmp_path: Path) -> None:
    one = twins.build(WIDE, "Q4_0", sources["BF16"], tmp_path / "one")
    other = twins.build(WIDE, "Q4_0", sources["BF16"], tmp_path / "other")
    assert one.read_bytes() == other.read_bytes()


def test_a_full_disk_is_noticed_first(
    sources: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=1000))
    with pytest.raises(LocalspecError, match="of disk space"):
        twins.build(WIDE, "Q4_0", sources["Q8_0"], tmp_path)
    assert not list(tmp_path.iterdir())


def test_full_memory_is_noticed_first(
    sources: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("localspec.cgroups.memory_free", lambda: 1000)
    with pytest.raises(LocalspecError, match="of memory"):
        twins.build(WIDE, "Q4_0", sources["Q8_0"], tmp_path)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("failure", "seen"),
    [(OSError(28, "No space left on device"), LocalspecError), (KeyboardInterrupt(),) * 2],
    ids=["error", "interrupt"],
)
def test_a_twin_that_fails_half_way_leaves_nothing(
    failure: BaseException,
    seen: Any,
    sources: dict[str, Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail() -> Any:
        assert list(tmp_path.iterdir())  # some of it is written
        raise failure

    whole = Inflation.tensors

    def tensors(self: Inflation) -> Iterator[Tensor]:
        *first, last = whole(self)
        yield from (*first, last._replace(make=fail))

    monkeypatch.setattr(Inflation, "tensors", tensors)
    with pytest.raises(seen if isinstance(seen, type) else type(seen)):
        twins.build(WIDE, "Q4_0", sources["Q8_0"], tmp_path)
    assert not list(tmp_path.iterdir())


def test_what_a_killed_process_left_is_removed(sources: dict[str, Path], tmp_path: Path) -> None:
    old, new = tmp_path / "old.part", tmp_path / "new.part"
    for path in (old, new):
        path.touch()
    os.utime(old, (0, 0))
    twin = twins.build(WIDE, "Q4_0", sources["Q8_0"], tmp_path)
    assert set(tmp_path.iterdir()) == {new, twin}


def test_an_unknown_shape_is_answered_with_the_nearest() -> None:
    with pytest.raises(UsageError, match=r"did you mean 'llama-3\.1-8b'"):
        shape_named("llama3.1-8b")
    assert shape_named("Qwen3-0.6B") is SHAPES["qwen3-0.6b"]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"width": 64}, "width of at least 96"),
        ({"layers": 1}, "layers"),
        ({"head_size": 48}, "does not divide"),
        ({"heads": 4, "kv_heads": 4}, "query heads to a key head"),
        ({"hidden": 64}, "hidden units"),
        ({"vocabulary": 300}, "vocabulary"),
        ({"width": 100}, "multiples of 32"),
    ],
)
def test_a_shape_too_small_is_refused_with_the_reason(
    change: dict[str, int], reason: str, sources: dict[str, Path], tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match=reason):
        twins.build(replace(WIDE, **change), "Q4_0", sources["Q8_0"], tmp_path)  # type: ignore[arg-type]
    assert not list(tmp_path.iterdir())


def test_sources_that_cannot_be_used_are_refused(tmp_path: Path, sources: dict[str, Path]) -> None:
    with pytest.raises(ModelError, match="There is no file"):
        twins.build(WIDE, "Q4_0", tmp_path / "none.gguf")
    text, cut = tmp_path / "text.gguf", tmp_path / "cut.gguf"
    text.write_text("no model at all")
    cut.write_bytes(sources["Q8_0"].read_bytes()[:5000])
    for path, reason in ((text, "not a GGUF file"), (cut, "damaged")):
        with pytest.raises(ModelError, match=reason):
            twins.build(WIDE, "Q4_0", path)
    other = tmp_path / "other.gguf"
    finish(gguf.GGUFWriter(other, "llama"))
    with pytest.raises(ModelError, match="is a llama model"):
        twins.build(WIDE, "Q4_0", other)


def test_a_source_with_tensors_of_its_own_is_refused(
    sources: dict[str, Path], tmp_path: Path
) -> None:
    strange = tmp_path / "strange.gguf"
    data = sources["Q8_0"].read_bytes()
    strange.write_bytes(data.replace(b"blk.1.ffn_up.weight", b"blk.1.ffn_up.wobble"))
    with pytest.raises(ModelError, match="ffn_up"):
        twins.build(WIDE, "Q4_0", strange)


def test_a_source_with_settings_of_its_own_is_refused(
    sources: dict[str, Path], tmp_path: Path
) -> None:
    strange, folder = tmp_path / "strange.gguf", tmp_path / "twins"
    data = sources["Q8_0"].read_bytes()
    strange.write_bytes(data.replace(b"qwen3.rope.freq_base", b"qwen3.rope.freq_bend"))
    with pytest.raises(ModelError, match="freq_bend"):
        twins.build(WIDE, "Q4_0", strange, folder)
    assert not list(folder.iterdir())


def test_a_quantization_twins_do_not_have_is_refused(sources: dict[str, Path]) -> None:
    with pytest.raises(UsageError, match="Q4_0 and Q8_0"):
        twins.build(WIDE, "Q6_K", sources["Q8_0"])  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("name", "parameters"),
    [("qwen3-0.6b", 596_049_920), ("qwen3-8b", 8_190_735_360), ("c500", 593_166_592)],
)
def test_shapes_have_the_parameters_of_what_they_are_named_after(
    name: str, parameters: int
) -> None:
    assert SHAPES[name].parameters == parameters
