"""How weights are kept: a target's so that rows round alike, however many are evaluated at once."""

import json
from pathlib import Path
from typing import Any
from unittest.mock import ANY

import gguf
import numpy as np
import pytest
from gguf_writing import finish, shell_words, speak

import localspec
from localspec import folders, models
from localspec.audit import widths
from localspec.llama import kernels
from localspec.llama.library import lib, start, system_info
from localspec.llama.trial import Outcome, attempt
from localspec.runtime import Options

_Q4_K_M = 15  # llama_ftype
PAIR = models.embedded("shell")
TEXT = list(range(100, 140))
AVX2 = pytest.mark.skipif(
    "AVX2 = 1" not in system_info(), reason="other processors round otherwise"
)


@pytest.fixture(scope="module")
def k_quants(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny Llama of weights by chance, kept as Q4_K and Q6_K."""
    return tiny(tmp_path_factory.mktemp("models"))


@pytest.fixture(scope="module")
def mixture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same with eight experts, of which each token goes to two."""
    return tiny(tmp_path_factory.mktemp("models"), experts=8)


def tiny(folder: Path, experts: int = 0) -> Path:
    chance, words, width, heads = np.random.default_rng(0), shell_words(), 256, 4
    writer = gguf.GGUFWriter(folder / "f32.gguf", "llama")
    writer.add_context_length(1024)
    writer.add_embedding_length(width)
    writer.add_block_count(1)
    writer.add_feed_forward_length(width)
    writer.add_head_count(heads)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_dimension_count(width // heads)
    writer.add_vocab_size(len(words))
    square, parts = (width, width), ("ffn_gate", "ffn_up", "ffn_down")
    shapes = dict.fromkeys(("attn_q", "attn_k", "attn_v", "attn_output"), square)
    if experts:
        writer.add_expert_count(experts)
        writer.add_expert_used_count(2)
        shapes |= {f"{name}_exps": (experts, *square) for name in parts}
        shapes["ffn_gate_inp"] = (experts, width)
    else:
        shapes |= dict.fromkeys(parts, square)
    speak(writer, words)
    tensors = {f"blk.0.{name}.weight": chance.normal(0, 0.1, of) for name, of in shapes.items()}
    tensors["token_embd.weight"] = chance.normal(0, 0.1, (len(words), width))
    norms = ("output_norm.weight", "blk.0.attn_norm.weight", "blk.0.ffn_norm.weight")
    tensors |= dict.fromkeys(norms, np.ones(width))
    for name, values in tensors.items():
        writer.add_tensor(name, values.astype(np.float32))
    finish(writer)
    start()
    how = lib.llama_model_quantize_default_params()
    how.ftype = _Q4_K_M
    path = folder / "q4_k_m.gguf"
    assert lib.llama_model_quantize(str(folder / "f32.gguf").encode(), str(path).encode(), how) == 0
    return path


@AVX2
def test_rows_of_a_target_round_alike_at_all_widths_that_it_gets(k_quants: Path) -> None:
    with localspec.load(k_quants, draft="none") as llm:
        found = llm.examine(lambda target: widths.compare(target, TEXT, lambda share, what: None))
    assert found.classes == (widths.WIDTHS,)


@AVX2
def test_company_and_guesses_change_no_answer(k_quants: Path) -> None:
    prompts = [[1 + (7 * i + n) % 40 for i in range(n)] for n in (5, 30, 70, 150)]
    with localspec.load(k_quants, draft="none", parallel=3) as llm:
        how: Options = {"max_tokens": 20, "temperature": 0.0}
        alone = [llm.generate(prompt, speculation=0, **how).tokens for prompt in prompts]
        llm.forget()
        together = llm.streams(prompts, speculation=9, **how)
        for stream in together:
            for _ in stream:
                pass
        assert [stream.answer.tokens for stream in together] == alone
        assert sum(stream.answer.statistics.draft_tokens for stream in together)


@AVX2
def test_a_draft_is_kept_in_the_quickest_way(k_quants: Path) -> None:
    if "AMX_INT8 = 1" in system_info() and not kernels.amx_crashes(k_quants):
        pytest.skip("AMX rounds alike at all widths")
    assert kernels.way(k_quants, exact=False) == kernels.Way(repack=True, even=3)
    assert kernels.way(k_quants) == kernels.Way(repack=False, bulk=8)


def test_a_mixture_of_experts_is_kept_in_the_quickest_way_as_no_other_is_exact(
    mixture: Path,
) -> None:
    way = kernels.way(mixture)
    assert (way.repack, way.even) == (True, None)
    with localspec.load(mixture, draft="none") as llm:
        assert llm.generate([5, 6, 7], max_tokens=5).statistics.completion_tokens


def test_weights_are_kept_for_other_kernels_where_those_for_amx_are_left_out(
    k_quants: Path,
) -> None:
    outcome = attempt(k_quants, size=1 << 20, repack=True, amx=False)
    assert (outcome.kind, outcome.even) == ("works", 3 if "AVX2 = 1" in system_info() else ANY)


@pytest.fixture
def dying(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[dict[str, Any]]:
    """How models are tried with a build that dies of AMX, on a computer that knows nothing yet."""
    tries: list[dict[str, Any]] = []

    def attempt(model: Path, **options: Any) -> Outcome:
        tries.append(options)
        dies = options["repack"] and options["amx"]
        return Outcome("crashed", "SIGSEGV") if dies else Outcome("works")

    monkeypatch.setenv("LOCALSPEC_HOME", str(tmp_path))
    monkeypatch.setattr(kernels, "attempt", attempt)
    monkeypatch.setattr(kernels, "system_info", lambda: "AMX_INT8 = 1")
    monkeypatch.setattr(kernels, "leave_out", lambda: tries.append({"left out": True}))
    return tries


def test_a_build_that_dies_of_amx_does_without_and_is_not_asked_again(
    k_quants: Path, dying: list[dict[str, Any]]
) -> None:
    assert kernels.way(k_quants) == kernels.Way(repack=True)
    assert [(of.get("repack"), of.get("amx")) for of in dying[:2]] == [(True, True), (True, False)]
    assert dying[2:] == [{"left out": True}]
    assert kernels.amx_crashes(k_quants)
    kernels.way(PAIR.draft)
    assert [of.get("amx") for of in dying[3:]] == [False, None]


def test_a_build_that_dies_of_amx_is_found_out_each_time_where_nothing_can_be_kept(
    k_quants: Path, dying: list[dict[str, Any]], tmp_path: Path
) -> None:
    (tmp_path / "cache").write_text("a file where a folder should be")
    assert kernels.amx_crashes(k_quants)
    assert kernels.way(k_quants) == kernels.Way(repack=True)
    assert dying[-1] == {"left out": True}


@pytest.mark.parametrize("kept", [True, [[True]], "yes", None, [[True, None], 3]])
def test_what_another_version_kept_is_found_out_anew(
    k_quants: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kept: object
) -> None:
    expected = kernels.way(k_quants)
    record = json.loads((folders.cache() / "kernels.json").read_text())
    monkeypatch.setenv("LOCALSPEC_HOME", str(tmp_path))
    folders.write_atomically(
        folders.cache() / "kernels.json", json.dumps(dict.fromkeys(record, kept))
    )
    assert kernels.way(k_quants) == expected
