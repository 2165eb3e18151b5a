"""Benchmarks from beginning to end: on fakes, and once on the embedded pair."""

import argparse
import json
from collections.abc import Callable
from collections.abc import Sequence as Many
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import fake_llama_server
import pytest
from fakes import END, VOCABULARY, FakeModel, FakeVocabulary, OracleDrafter, run, submit

import localspec
from localspec import models
from localspec.bench import report
from localspec.bench.benchmark import Plan, benchmark
from localspec.bench.llama_server_flags import Site
from localspec.bench.ours import Meter, Ours, questions
from localspec.bench.prompts import Prompt, own
from localspec.decoding.sampling import Sampling
from localspec.decoding.sequence import Request, Speculation
from localspec.drafters.base import Drafter
from localspec.drafters.lookup import LookupDrafter
from localspec.engine.engine import Engine
from localspec.engine.worker import Answer
from localspec.errors import LocalspecError, ModelError, UsageError
from localspec.governor.costs import Costs
from localspec.governor.governor import Governor
from localspec.governor.policy import Step
from localspec.llama.rows import Logits
from localspec.runtime import LLM
from localspec.verbs import bench

SHELL = Path(__file__).parents[2] / "models" / "shell"
PROMPTS = [Prompt("chat", "hello there"), Prompt("code", "def f():"), Prompt("chat", "and so on")]


class Talker(FakeModel):
    """Never ends an answer of its own accord."""

    def logits(self, text: Many[int], bulk: int = 0) -> Logits:
        row = super().logits(text, bulk)
        row[END] = -100
        return row


class FakeLLM:
    """As much of an LLM as a benchmark uses, over fakes and on the caller's own thread."""

    def __init__(self, file: Path, target: FakeModel, drafter: Drafter) -> None:
        file.write_bytes(b"GGUF")
        self.target = self.draft = SimpleNamespace(
            name="fake", chat_template=None, vocabulary=FakeVocabulary(), path=file
        )
        self.notes: list[str] = []
        self.context_length = target.length
        self.governor = Governor(Costs(17))
        self._engine = Engine(target, FakeVocabulary(), [drafter], self.governor)

    def tokens(self, text: str) -> list[int]:
        return [1 + ord(letter) % (VOCABULARY - 1) for letter in text]

    def generate(self, prompt: Many[int], **options: Any) -> Answer:
        sampling = Sampling(temperature=options["temperature"], seed=options["seed"])
        mode = options["speculation"]
        request = Request(prompt, sampling, options["max_tokens"], speculation=mode)
        sequence = submit(self._engine, request)
        run(self._engine)
        reason = sequence.finish_reason or "error"
        return Answer("", sequence.answer, reason, sampling.seed, sequence.statistics)

    def forget(self) -> None:
        self._engine.forget()

    def listen(self, listener: Callable[[Step], None]) -> None:
        self._engine.listen(listener)


def fake_llm(file: Path, target: FakeModel, drafter: Drafter) -> LLM:
    return cast("LLM", FakeLLM(file, target, drafter))


@pytest.fixture
def llm(tmp_path: Path) -> LLM:
    """One whose drafter is right two times, then wrong."""
    target = Talker(length=256)
    return fake_llm(tmp_path / "fake.gguf", target, OracleDrafter(target, lie=2))


def quiet(share: float, what: str) -> None:
    """Progress that nobody looks at."""


def test_prompts_that_do_not_fit_are_counted(llm: LLM) -> None:
    known = [*PROMPTS[:1], Prompt("chat", "x" * 300), Prompt("code", "y" * 230)]
    found, too_long = questions(llm, known, 26)
    assert [(q.task, q.number, len(q.tokens)) for q in found] == [("chat", 0, 11), ("code", 2, 230)]
    assert too_long == {"chat": 1}
    _, too_long = questions(llm, known, 27)
    assert too_long == {"chat": 1, "code": 1}


def test_however_it_guesses_it_says_the_same(llm: LLM) -> None:
    meter = Meter(llm)
    question, *_ = questions(llm, PROMPTS, 40)[0]
    modes: tuple[Speculation, ...] = (0, 4, "auto")
    plain, fixed, auto = (
        Ours(str(mode), llm, meter, mode, max_tokens=40, temperature=1.0).answer(question)
        for mode in modes
    )
    assert plain.tokens == fixed.tokens == auto.tokens
    assert plain.drafted == 0 < fixed.drafted
    assert fixed.statistics is not None
    assert fixed.statistics.accepted_per_position[:4] == [
        *fixed.statistics.drafted_per_position[:2],
        0,
        0,
    ]
    for one in (plain, fixed, auto):
        assert one.count == len(one.tokens) == 40
        assert one.spent is not None
        assert 0 < one.spent.target + one.spent.draft <= one.spent.total


def test_no_answer_is_remembered_in_the_next(tmp_path: Path) -> None:
    llm = fake_llm(tmp_path / "fake.gguf", Talker(length=256), LookupDrafter())
    question, *_ = questions(llm, PROMPTS, 200)[0]
    fixed = Ours("4", llm, Meter(llm), 4, max_tokens=200, temperature=1.0)
    runs = [fixed.answer(question) for _ in range(3)]
    first, *others = (one.statistics.accepted_per_position for one in runs if one.statistics)
    assert sum(first) < 100
    assert others == [first, first]


def without_repacking(site: Site) -> Site:
    return site._replace(repacking=False)


def test_a_benchmark_reports_all_that_took_part(
    llm: LLM, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("localspec.bench.peers.surviving", without_repacking)
    monkeypatch.setattr("localspec.bench.llama_server._POLL_SECONDS", 0.01)
    server = fake_llama_server.install(tmp_path, monkeypatch)
    plan = Plan(max_tokens=16, every=True, rounds=2, peer=server)
    document = report.document(benchmark(llm, PROMPTS, plan, quiet))
    assert document["complete"]
    assert [task["task"] for task in document["tasks"]] == ["chat", "code"]
    assert any("--no-repack" in note for note in document["notes"])
    for task in document["tasks"]:
        assert task["outputs_equal"]
        assert task["fixed"].keys() == {str(n) for n in range(1, 9)}
        assert task["by_drafter"].keys() <= {"oracle"}
    peer = document["tasks"][1]["peers"]["llama-server"]  # its prompt has 8 tokens
    assert (peer["plain_per_second"], peer["default_per_second"]) == (18, 19)
    assert peer["per_second"].keys() >= {"plain", "default", "n_max 15, p_min 0.8", "ngram-simple"}


def test_a_server_that_does_not_start_is_left_out_or_fatal(
    llm: LLM, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("localspec.bench.peers.surviving", lambda site: site)
    plan = Plan(max_tokens=16, rounds=1, peer=fake_llama_server.install(tmp_path, monkeypatch))
    monkeypatch.setenv("FAKE", "dies drafting")
    result = benchmark(llm, PROMPTS, plan, quiet)
    assert any("does not fit" in note for note in result.notes)
    assert all(task.peers.keys() == {"plain"} for task in result.tasks)
    monkeypatch.setenv("FAKE", "dies")
    with pytest.raises(LocalspecError, match="no such tensor"):
        benchmark(llm, PROMPTS, plan, quiet)


def test_servers_of_a_model_in_parts_need_memory_for_all_of_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("localspec.bench.peers.surviving", lambda site: site)
    monkeypatch.setattr("localspec.cgroups.memory_free", lambda: 9 << 30)
    target = Talker(length=256)
    llm = fake_llm(tmp_path / "fake-00001-of-00002.gguf", target, OracleDrafter(target))
    with (tmp_path / "fake-00002-of-00002.gguf").open("wb") as part:
        part.truncate(3 << 30)
    plan = Plan(max_tokens=16, rounds=1, peer=fake_llama_server.install(tmp_path, monkeypatch))
    result = benchmark(llm, PROMPTS[:1], plan, quiet)
    assert any(note.startswith("Memory holds 1 llama-servers") for note in result.notes)


def stopping(reason: BaseException, at: float) -> Callable[[float, str], None]:
    """Progress during which something happens."""

    def progress(share: float, what: str) -> None:
        if share >= at:
            raise reason

    return progress


@pytest.mark.parametrize("reason", [KeyboardInterrupt(), LocalspecError("The server died.")])
def test_what_was_measured_before_a_stop_is_kept(llm: LLM, reason: BaseException) -> None:
    result = benchmark(llm, PROMPTS, Plan(max_tokens=16, rounds=2), stopping(reason, 0.5))
    assert result.stopped is reason
    assert [task.task for task in result.tasks] == ["chat", "code"]
    assert not report.document(result)["complete"]
    with pytest.raises(type(reason)):
        benchmark(llm, PROMPTS, Plan(max_tokens=16), stopping(reason, 0.0))


@pytest.mark.parametrize(
    ("plan", "told"),
    [
        (Plan(max_tokens=15), "max_tokens is 15"),
        (Plan(temperature=-1), "temperature is -1"),
        (Plan(max_tokens=250), "No prompt fits"),
    ],
)
def test_plans_that_make_no_sense_are_refused(llm: LLM, plan: Plan, told: str) -> None:
    with pytest.raises(UsageError, match=told):
        benchmark(llm, PROMPTS, plan, quiet)


# The embedded pair ------------------------------------------------------------------------------


def options(**changes: Any) -> argparse.Namespace:
    """What the command line gives for `bench`, kept small."""
    given: dict[str, Any] = {
        "model": "shell",
        "draft": "auto",
        "prompts": None,
        "tasks": "code",
        "limit": 1,
        "max_tokens": 16,
        "temperature": 0.0,
        "all": False,
        "shape": None,
        "plot": None,
        "quantization": "Q4_0",
        "peer": None,
        "against": None,
        "json": True,
        "verbose": False,
    }
    return argparse.Namespace(**{**given, **changes})


@pytest.mark.parametrize("peer", ["PATH", "ollama=/bin/ollama", "llama-server="])
def test_only_llama_server_is_a_peer(peer: str) -> None:
    with pytest.raises(UsageError, match="llama-server=PATH"):
        bench.run(options(peer=peer))


@pytest.mark.skipif(not list(SHELL.glob("*.gguf")), reason="the embedded pair is not there")
def test_the_embedded_pair_is_benchmarked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LOCALSPEC_HOME", str(tmp_path))
    draft = str(models.embedded("shell").draft)
    assert bench.run(options(against=draft)) == 0
    document = json.loads(capsys.readouterr().out)
    (task,) = document["tasks"]
    assert (task["task"], task["prompts"]) == ("code", 1)
    assert document["against"] == Path(draft).name
    assert task["outputs_equal"], "with either draft"
    assert task["against"]["speedup"] > 0 < task["against"]["tokens_per_step"]
    assert task["plain_per_second"] > 0 < task["auto_per_second"]
    assert document["curve"]["1"] == 1
    with localspec.load("shell") as llm:
        _, too_long = questions(llm, own(), 128)
    assert not too_long


@pytest.mark.skipif(not list(SHELL.glob("*.gguf")), reason="the embedded pair is not there")
def test_what_is_wrong_with_the_other_draft_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOCALSPEC_HOME", str(tmp_path))
    damaged = tmp_path / "draft.gguf"
    damaged.write_bytes(b"GGUF and no more")
    with pytest.raises(ModelError, match="draft"):
        bench.run(options(against=str(damaged)))
