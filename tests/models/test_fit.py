"""Memory: what loading takes by reckoning, by rehearsal, and in truth."""

import json
import re
from pathlib import Path

import gguf_bytes
import pytest
from command import Done
from command import localspec as command
from gguf_bytes import ARCHITECTURE, tensor
from hypothesis import given
from hypothesis import strategies as st

import localspec
from localspec import console, models
from localspec.arguments.serve import PARALLEL
from localspec.errors import ModelError
from localspec.llama.cache import CacheType
from localspec.llama.context import Context
from localspec.llama.library import forget_log, log_lines
from localspec.llama.model import Model
from localspec.llama.rehearsal import Scene, rehearse
from localspec.models.fit import (
    Machine,
    Need,
    Plan,
    Weights,
    contexts,
    need,
    suggestion,
    weights_of,
)
from localspec.models.reader import read_header

PAIR = models.embedded("shell")
GB = 10**9


# Reckoning --------------------------------------------------------------------------------------


def test_weights_split_as_llama_cpp_splits_them() -> None:
    weights = Weights(host=10, layers=(1, 2, 3), output=5, shared=0)
    assert [weights.on_gpu(n) for n in range(5)] == [0, 3, 5, 6, 11]  # the last layers go first
    assert {weights.total(n) for n in range(5)} == {21}
    tied = Weights(host=10, layers=(1, 2, 3), output=1, shared=10)
    assert (tied.on_gpu(3), tied.on_gpu(4), tied.total(4)) == (6, 17, 27)  # a copy
    assert (tied.total(0), tied._replace(repacked=True).total(0)) == (17, 27)


def test_weights_of_a_file(tmp_path: Path) -> None:
    names = (
        "token_embd.weight",
        "blk.0.a.weight",
        "blk.10.a.weight",
        "blk.2.a.weight",
        "output_norm.weight",
    )
    tensors = [
        tensor(name, (32 * (i + 1),), offset=128 * sum(range(i + 1)))
        for i, name in enumerate(names)
    ]
    path = tmp_path / "a.gguf"
    path.write_bytes(gguf_bytes.gguf([ARCHITECTURE], tensors, weights=128 * 15))
    assert weights_of([read_header(path)]) == (128, (256, 512, 384), 640, 128, False)
    assert sum(weights_of([read_header(PAIR.target)]).layers) < PAIR.target.stat().st_size


def test_needs_go_where_their_layers_go() -> None:
    weights = Weights(host=10, layers=(20, 20), output=5, shared=0)
    assert need(weights, 0, cache=8, host=3, gpu=0) == (55, 8, 3, 0)
    assert need(weights, 1, cache=8, host=3, gpu=2) == (55, 8, 5, 20 + 4 + 2)
    assert need(weights, 3, cache=8, host=3, gpu=2).gpu == 45 + 8 + 2


def test_contexts_worth_a_look() -> None:
    assert contexts(40960, 8192) == [2048, 4096, 8192, 16384, 32768, 40960]
    assert contexts(1024, 1024) == [1024]


def plan(context: int, cache: CacheType, layers: int, host: int, gpu: int = 0) -> Plan:
    return Plan(context, cache, layers, {"target": Need(host + gpu, 0, 0, gpu)}, program=0)


def test_the_suggestion_is_the_best_that_fits() -> None:
    machine = Machine(host=16 * GB, gpu=8 * GB)
    plans = [
        plan(8192, "f16", 33, 1 * GB, 9 * GB),  # too much for the GPU
        plan(8192, "q8_0", 33, 1 * GB, 7 * GB),
        plan(8192, "f16", 28, 3 * GB, 7 * GB),
        plan(32768, "q8_0", 33, 1 * GB, int(7.5 * GB)),
        plan(2048, "f16", 33, 1 * GB, 6 * GB),
    ]
    best = suggestion(plans, machine, 8192)
    assert best is plans[3]  # all layers, the default context and more
    assert suggestion(plans, Machine(host=16 * GB), 8192) is None
    assert suggestion(plans, Machine(16 * GB, 7 * GB), 8192) is plans[4]


@given(st.integers(0, 64 * GB), st.integers(0, 64 * GB), st.integers(0, 64 * GB))
def test_what_shares_its_memory_has_no_more_of_it(host: int, gpu: int, free: int) -> None:
    found = plan(8192, "f16", 33, host, gpu)
    if found.fits(Machine(free, free, unified=True)):
        assert found.fits(Machine(free, free))
        assert host + gpu <= free


# Rehearsal and truth ----------------------------------------------------------------------------


def said(pattern: str) -> int:
    """Bytes that llama.cpp says it allocated."""
    sizes = re.findall(pattern + r" += +([\d.]+) MiB", "\n".join(log_lines()))
    return int(sum(map(float, sizes)) * (1 << 20))


@pytest.mark.parametrize("path", PAIR, ids=["target", "draft"])
@pytest.mark.parametrize(
    ("length", "sequences", "cache"),
    [(256, 1, "f16"), (1024, 1, "f16"), (1024, 1, "q8_0"), (1024, 4, "f16")],
)
def test_a_rehearsal_is_within_a_tenth_of_the_truth(
    path: Path, length: int, sequences: int, cache: CacheType
) -> None:
    (take,) = rehearse(path, [Scene(length, 512, 17, sequences, cache)])
    assert take is not None
    forget_log()
    with Model(path) as model:
        weights = said("model buffer size")
        with Context(model, length=length, sequences=sequences, batch=512, outputs=17, cache=cache):
            truth = said("KV buffer size"), said("(?:compute|output) buffer size")
    assert take.cache == pytest.approx(truth[0], rel=0.1)
    assert take.compute_host + take.compute_gpu == pytest.approx(truth[1], rel=0.1)
    assert weights_of([read_header(path)]).total(0) == pytest.approx(weights, rel=0.1)


def test_a_file_that_cannot_be_rehearsed_says_why(tmp_path: Path) -> None:
    path = tmp_path / "a.gguf"
    path.write_bytes(gguf_bytes.gguf([ARCHITECTURE], [tensor("a")], weights=128))
    with pytest.raises(ModelError, match="cannot load"):
        rehearse(path, [Scene(256, 512, 17)])


def run(*arguments: str) -> Done:
    return command("models", "fit", *arguments)


def test_signs_in_colour_take_no_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(console, "_styled", lambda text, code: f"\x1b[{code}m{text}\x1b[0m")
    lines = run("shell").stdout.splitlines()
    (first,) = (line for line in lines if "It fits" in line)
    assert 70 < len(re.sub(r"\x1b\[\d+m", "", first)) <= 80


def test_fit_explains_itself() -> None:
    done = run("shell", "--json")
    document = json.loads(done.stdout)
    assert (done.returncode, document["suggestion"]["fits"]) == (0, True)
    assert set(document["suggestion"]["needs"]) == {"target", "draft"}
    page = run("shell").stdout
    for word in ("weights", "KV cache", "computing", "the program", "It fits"):
        assert word in page
    alone = json.loads(run("shell", "--draft", "none", "--json", "--context", "512").stdout)
    assert set(alone["suggestion"]["needs"]) == {"target"}
    assert {found["context"] for found in alone["plans"]} == {512}
    assert "must be at least 1" in run("shell", "--context", "0").stderr


def test_a_context_that_no_model_has_is_not_shortened_in_silence() -> None:
    done = run("shell", "--json", "--context", "100000000")
    (length,) = {found["context"] for found in json.loads(done.stdout)["plans"]}
    assert done.stderr == f"localspec: shell takes {length} tokens at most, so that is looked at.\n"


def test_several_answers_take_a_context_each_as_serve_loads_them() -> None:
    document = json.loads(run("shell", "--parallel", "4", "--json").stdout)
    plan = next(p for p in document["plans"] if p["cache"] == "f16")
    forget_log()
    with localspec.load("shell", parallel=PARALLEL) as llm:
        assert (plan["parallel"], plan["context"]) == (PARALLEL, llm.context_length)
        truth = said("KV buffer size")
    reckoned = sum(need["cache"] for need in plan["needs"].values())
    assert reckoned == pytest.approx(truth, rel=0.1)


def test_advice_is_for_the_verbs_that_it_holds_for() -> None:
    one, four = run("shell").stdout, run("shell", "--parallel", "4").stdout
    assert "serve makes 4 answers at a time" in " ".join(one.split())
    assert "Say to serve or batch: --parallel 4 --context 1024." in " ".join(four.split())
    assert "context 1024, 4 times" in four
