"""The audit finds what it looks for: fakes that round, lie or favour, and a pair that does not."""

import argparse
import math
import os
import signal
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest
from fakes import (
    END,
    PROMPT,
    FakeModel,
    FakeVocabulary,
    OracleDrafter,
    RandomDrafter,
    engine,
    working,
)

import localspec
from localspec.audit import chances, texts, verdict, widths
from localspec.audit.audit import Audit, audit
from localspec.bench.contest import Question
from localspec.decoding.draft import Draft
from localspec.decoding.sampling import Sampling
from localspec.decoding.sequence import Request, Sequence
from localspec.drafters.base import Drafter
from localspec.engine.worker import Answer
from localspec.llama.rows import Logits, Run, nothing
from localspec.verbs import audit as verb

QUESTION = Question("chat", 0, tuple(PROMPT))
ENDS = {FakeVocabulary().text_of(END).encode()}


@contextmanager
def asking(target: FakeModel, drafter: Drafter) -> Iterator[texts.Ask]:
    """What stands for `LLM.generate`, with fakes behind it."""
    worker = working(engine(target, [drafter]))

    def ask(
        prompt: Iterable[int],
        *,
        max_tokens: int,
        speculation: Any,
        logprobs: int | None = None,
        **sampling: Any,
    ) -> Answer:
        request = Request(
            list(prompt), Sampling(**sampling), max_tokens, (), speculation, logprobs=logprobs
        )
        with worker.stream(request) as stream:
            for _ in stream:
                pass
            return stream.answer

    try:
        yield ask
    finally:
        worker.close()


@pytest.fixture
def believing(monkeypatch: pytest.MonkeyPatch) -> None:
    """An engine that takes every guess for right."""

    def believe(sequence: Sequence, draft: Draft, rows: Logits) -> int:
        for i, token in enumerate(draft.tokens):
            sequence.commit(token, draft.drafter, rows[i])
            if sequence.finish_reason:
                return i + 1
        token = sequence.sampler.pick(rows[len(draft)], len(sequence))
        sequence.commit(token, None, rows[len(draft)])
        return len(draft)

    monkeypatch.setattr("localspec.engine.engine.verify", believe)


def quiet(*_: object) -> None:
    """Progress that nobody watches."""


# Logits ----------------------------------------------------------------------------------------


class Rounding(FakeModel):
    """Rounds in another way from three rows on."""

    def decode(self, runs: Iterable[Run], meanwhile: Callable[[], None] = nothing) -> Logits:
        runs = list(runs)
        rounded = np.float32(0.25 if sum(len(run.tokens) for run in runs) >= 3 else 0)
        return super().decode(runs) + rounded


def test_equal_logits_are_one_class_and_the_cache_is_left_empty() -> None:
    target = FakeModel(length=700)
    found = widths.compare(target, PROMPT, quiet)
    assert (found.classes, found.difference) == ((widths.WIDTHS,), 0)
    assert target.cache == [[]]


def test_widths_that_round_alike_stand_together() -> None:
    found = widths.compare(Rounding(), PROMPT, quiet)
    assert found.classes == (widths.WIDTHS[:2], widths.WIDTHS[2:])
    assert found.difference == pytest.approx(0.25)


@pytest.mark.skipif(os.name == "nt", reason="signals are sent otherwise there")
def test_ctrl_c_does_not_wait_for_all_widths() -> None:
    looked = []

    def progress(_: float, what: str) -> None:
        if what.startswith("comparing logits"):
            looked.append(what)
        if len(looked) == 1:
            signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        audit(lambda draft: localspec.load("shell", draft=draft), "none", progress, tokens=8)
    assert len(looked) < len(widths.WIDTHS)


# Texts -----------------------------------------------------------------------------------------


def test_an_engine_that_keeps_its_word_says_the_same_at_every_length() -> None:
    target = FakeModel()
    with asking(target, OracleDrafter(target, lie=2)) as ask:
        found = list(texts.compare(ask, QUESTION, "oracle", 20))
    assert len(found) == len(texts.LENGTHS) * len(texts.TEMPERATURES)
    assert {text.fork for text in found} == {None}
    assert all(text.held for text in found)


@pytest.mark.usefixtures("believing")
def test_a_wrong_token_is_found_where_it_stands() -> None:
    target = FakeModel()
    with asking(target, OracleDrafter(target, lie=2)) as ask:
        found = list(texts.compare(ask, QUESTION, "oracle", 20))
    forks = {text.speculation: text.fork for text in found if not text.temperature}
    assert (forks[1], forks[2]) == (None, None), "its first two guesses are right"
    assert forks[4] == forks[8] == 2, "two right guesses, and a lie"
    assert not Audit(texts=found).exact


def test_a_text_that_ends_early_forks_at_its_end() -> None:
    assert texts.fork([1, 2], [1, 2, 3]) == 2


# Frequencies -----------------------------------------------------------------------------------


def counted() -> Audit:
    with asking(FakeModel(), RandomDrafter()) as ask:
        chance = chances.test(ask, QUESTION, 1500, ENDS, quiet)
    assert chance.samples > 100
    assert chance.kinds > 2
    return Audit(chances=[chance])


def test_tokens_come_as_often_as_the_model_says() -> None:
    assert not counted().strayed


@pytest.mark.usefixtures("believing")
def test_a_guess_that_is_taken_too_often_is_found() -> None:
    assert counted().strayed


@pytest.mark.parametrize(
    ("x", "freedom", "p"),
    [(0, 1, 1), (0, 4, 1), (3.8415, 1, 0.05), (5.9915, 2, 0.05), (7.8147, 3, 0.05),
     (18.307, 10, 0.05), (29.588, 10, 0.001), (24.996, 15, 0.05)],
)  # fmt: skip
def test_chi_square_is_as_in_the_tables(x: float, freedom: int, p: float) -> None:
    assert math.isclose(chances.survival(x, freedom), p, rel_tol=1e-3)


# The whole -------------------------------------------------------------------------------------


def test_the_shell_pair_is_exact() -> None:
    def load(draft: str) -> localspec.LLM:
        return localspec.load("shell", draft=draft, context=256)

    found = audit(load, "auto", quiet, tokens=6, draws=12, tasks=("chat",))
    assert found.exact
    assert {text.drafter for text in found.texts} == {found.draft, "text already seen"}
    assert sum(text.held for text in found.texts)
    document = verdict.document(found)
    assert (document["exact"], document["model"]) == (True, found.model)


@pytest.mark.parametrize(
    ("found", "code", "words"),
    [
        (Audit("m", "d", widths.Widths(((1, 2, 3),), 0)), 0, "Guessing changes nothing"),
        (Audit("m", "d", widths.Widths(((1,), (2, 3)), 0.5)), 1, "1; 2-3 tokens"),
        (Audit("m", "d", None, [texts.Text("chat", 0, "d", 4, 9, 3, 5)]), 1, "please report"),
        (Audit("m", "d", None, [], [chances.Chance("chat", 90, 3, 1e-9)]), 1, "please report"),
    ],
)
def test_the_verdict_says_what_to_do_and_is_the_exit_code(
    found: Audit,
    code: int,
    words: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    told: Callable[..., Audit] = lambda *_: found  # noqa: E731
    monkeypatch.setattr(verb, "audit", told)
    options = argparse.Namespace(verbose=False, json=False, model="m", draft="auto")
    assert verb.run(options) == code
    lines = capsys.readouterr().out
    assert words in " ".join(lines.split())
    assert max(map(len, lines.splitlines())) <= 80
