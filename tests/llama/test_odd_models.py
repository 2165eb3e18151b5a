"""Models unlike others: with a state that cannot be rolled back, damaged within, or with marks of
their own. Each is made on the spot, mostly of the shell pair.
"""

import shutil
from collections.abc import Iterator
from pathlib import Path

import gguf
import numpy as np
import pytest
from gguf_writing import finish, read_gguf, shell_words, speak
from remade import remade

import localspec
from localspec import UsageError, models
from localspec.bench.tuning import tune
from localspec.errors import DecodeError, ModelError
from localspec.runtime import LLM
from localspec.wire.said import said

PAIR = models.embedded("shell")
QUESTION = "How do I list files by size?"
NAN = b"\x00\x7e"  # in 16 bits
CROSSWISE = (("enc", "attn"), ("dec", "attn"), ("dec", "cross_attn"))  # attention of T5

MARKS = ("<tool_call>", "</tool_call>")

# A state instead of a cache --------------------------------------------------------------------


@pytest.fixture(scope="module")
def recurrent(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny Mamba with the shell's vocabulary, of weights by chance."""
    path, chance = tmp_path_factory.mktemp("models") / "mamba.gguf", np.random.default_rng(0)
    words, width, inner, states, kernel, steps = shell_words(), 64, 128, 16, 4, 4
    writer = gguf.GGUFWriter(path, "mamba")
    writer.add_context_length(2048)
    writer.add_embedding_length(width)
    writer.add_feed_forward_length(0)
    writer.add_head_count(0)
    writer.add_block_count(1)
    writer.add_ssm_conv_kernel(kernel)
    writer.add_ssm_inner_size(inner)
    writer.add_ssm_state_size(states)
    writer.add_ssm_time_step_rank(steps)
    writer.add_layer_norm_rms_eps(1e-5)
    speak(writer, words)
    shapes: dict[str, tuple[int, ...]] = {
        "ssm_in.weight": (2 * inner, width),
        "ssm_conv1d.weight": (inner, kernel),
        "ssm_conv1d.bias": (inner,),
        "ssm_x.weight": (steps + 2 * states, inner),
        "ssm_dt.weight": (inner, steps),
        "ssm_dt.bias": (inner,),
        "ssm_out.weight": (width, inner),
    }
    tensors = {f"blk.0.{name}": chance.normal(0, 0.1, shape) for name, shape in shapes.items()}
    tensors["token_embd.weight"] = chance.normal(0, 0.1, (len(words), width))
    tensors |= dict.fromkeys(("output_norm.weight", "blk.0.attn_norm.weight"), np.ones(width))
    tensors |= {"blk.0.ssm_a": -abs(chance.normal(0, 0.1, (inner, states)))}
    tensors |= {"blk.0.ssm_d": np.ones(inner)}
    for name, values in tensors.items():
        writer.add_tensor(name, values.astype(np.float32))
    finish(writer)
    return path


def test_a_model_that_cannot_go_back_answers_plainly(recurrent: Path) -> None:
    with localspec.load(recurrent, draft=str(PAIR.target), parallel=2) as llm:
        assert "cannot be rolled back" in llm.notes[0]
        alone = llm.generate(QUESTION, raw=True, seed=1, max_tokens=12).tokens
        with llm.stream(QUESTION + " Or by date?", raw=True) as other:
            next(iter(other))
            assert llm.generate(QUESTION, raw=True, seed=1, max_tokens=12).tokens == alone
        assert llm.generate(QUESTION, raw=True, seed=1, max_tokens=12).tokens == alone


def test_there_is_nothing_to_tune_in_it(recurrent: Path) -> None:
    with pytest.raises(UsageError, match=r"nothing to tune: .* cannot be rolled back"):
        tune(str(recurrent), "none", lambda share, what: None)


def test_a_model_with_an_encoder_is_refused_for_what_it_is(tmp_path: Path) -> None:
    path, words, width = tmp_path / "t5.gguf", shell_words(), 32
    writer = gguf.GGUFWriter(path, "t5")
    writer.add_context_length(64)
    writer.add_embedding_length(width)
    writer.add_block_count(1)
    writer.add_feed_forward_length(width)
    writer.add_head_count(1)
    writer.add_layer_norm_rms_eps(1e-6)
    writer.add_relative_attn_buckets_count(32)
    speak(writer, words)
    parts = [f"{side}.blk.0.{attention}" for side, attention in CROSSWISE]
    shapes = {f"{part}_{x}.weight": (width, width) for part in parts for x in "qkvo"}
    shapes |= {f"{part}_norm.weight": (width,) for part in parts}
    for side in ("enc", "dec"):
        shapes |= {f"{side}.output_norm.weight": (width,)}
        shapes |= {f"{side}.blk.0.attn_rel_b.weight": (32, 1)}
        shapes |= {f"{side}.blk.0.ffn_{x}.weight": (width, width) for x in ("up", "down")}
        shapes |= {f"{side}.blk.0.ffn_norm.weight": (width,)}
    for name, shape in {"token_embd.weight": (len(words), width), **shapes}.items():
        writer.add_tensor(name, np.ones(shape, dtype=np.float32))
    finish(writer)
    with pytest.raises(ModelError, match=r"t5\.gguf reads with an encoder of its own"):
        localspec.load(path)


# Damage that only shows in the logits ----------------------------------------------------------


def damaged(model: Path, into: Path) -> Path:
    """A copy in which one scale of one token's row of the embedding is no number."""
    path = Path(shutil.copy(model, into))
    embedding = next(t for t in read_gguf(model).tensors if t.name == "token_embd.weight")
    with path.open("r+b") as file:
        file.seek(int(embedding.data_offset) + 300 * embedding.data.shape[1])
        file.write(NAN)
    return path


@pytest.mark.parametrize("temperature", [0.0, 0.7])
@pytest.mark.parametrize("top_p", [0.95, 1.0])
def test_logits_that_are_no_numbers_end_an_answer_with_a_reason(
    broken: LLM, temperature: float, top_p: float
) -> None:
    with pytest.raises(DecodeError, match="no numbers; its file may be damaged"):
        broken.generate(QUESTION, temperature=temperature, top_p=top_p, max_tokens=4)


@pytest.fixture(scope="module")
def broken(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LLM]:
    path = damaged(PAIR.target, tmp_path_factory.mktemp("models") / "broken.gguf")
    with localspec.load(path, draft="none") as llm:
        yield llm


def test_a_draft_whose_logits_are_no_numbers_is_left_alone(tmp_path: Path) -> None:
    assert PAIR.draft
    with localspec.load("shell", draft=str(damaged(PAIR.draft, tmp_path / "draft.gguf"))) as llm:
        for temperature in (0.0, 0.7):
            texts = {
                llm.generate(
                    QUESTION, temperature=temperature, seed=1, max_tokens=24, speculation=n
                ).text
                for n in (0, 4, "auto")
            }
            assert len(texts) == 1


# Marks of their own ----------------------------------------------------------------------------


def test_calls_are_read_where_their_marks_are_control_tokens(tmp_path: Path) -> None:
    parameters = {"properties": {"city": {"type": "string", "maxLength": 8}}, "required": ["city"]}
    tool = {"type": "function", "function": {"name": "weather", "parameters": parameters}}
    with localspec.load(remade(tmp_path / "marks.gguf", control=MARKS), draft="none") as llm:
        assert all(len(llm.target.vocabulary.tokenize(m, control=True)) == 1 for m in MARKS)
        answer = llm.generate(
            "Weather?", tools=[tool], tool_choice="weather", max_tokens=60, temperature=0
        )
    assert [call.name for call in said(answer).calls] == ["weather"]


def test_calls_are_told_where_a_template_knows_tools_and_forgets_them(tmp_path: Path) -> None:
    template = "{{ tools }}{% for m in messages %}{{ m.role }}: {{ m.content }};{% endfor %}"
    path = remade(tmp_path / "forgetful.gguf", template)
    call = {"id": "a", "function": {"name": "weather", "arguments": {"city": "Bern"}}}
    messages = [
        {"role": "assistant", "content": "", "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "a", "content": "rain"},
    ]
    with localspec.load(path, draft="none") as llm:
        tokens = llm.tokens(messages)
        told = b"".join(map(llm.target.vocabulary.piece, tokens)).decode()
    assert '{"name": "weather", "arguments": {"city": "Bern"}}' in told
    assert "tool: rain;" in told


# Sizes ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("context", "parallel"), [(2, 4), (10, 1)])
def test_a_context_may_be_as_small_as_one_likes(context: int, parallel: int) -> None:
    with localspec.load("shell", context=context, parallel=parallel) as llm:
        assert llm.generate([5] * (context - 1), max_tokens=4).tokens
