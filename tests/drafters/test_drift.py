"""What a draft reached is kept, and a fall is told."""

from pathlib import Path

import numpy as np
import pytest
from fakes import FakeVocabulary

from localspec.decoding.draft import Draft
from localspec.decoding.sampling import Sampling
from localspec.decoding.sequence import Request, Sequence
from localspec.drafters import drift
from localspec.drafters.drift import Count, Diary
from localspec.drafters.model import ModelDrafter
from localspec.governor.policy import Outcome, Step


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOCALSPEC_HOME", str(tmp_path / "home"))


def file(folder: Path, name: str) -> Path:
    path = folder / name
    path.write_bytes(name.encode() * 1000)
    return path


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("It was a dark and stormy night, and nobody went out.", "prose"),
        ("for i in range(3):\n    print(i)", "code"),
        ("Use this:\n```sh\nls\n```", "code"),
        ("17 + 25 is 42, and 42 + 8 is 50", "numbers"),
        ("", "prose"),
    ],
)
def test_kinds_of_text(text: str, kind: str) -> None:
    assert drift.kind_of(text) == kind


def test_a_diary_counts_first_guesses_of_the_draft_model() -> None:
    vocabulary = FakeVocabulary()
    diary = Diary(vocabulary)
    sequence = Sequence(Request([1, 2], Sampling()), vocabulary, 50)
    step = Step(prefilling=False)
    row = np.zeros(4, dtype=np.float32)
    for drafter, held in ((ModelDrafter.name, 2), (ModelDrafter.name, 0), ("lookup", 3)):
        step.outcomes.append(Outcome(sequence, Draft(drafter, [1, 2, 3]), held, row))
    diary.observe(step)
    assert diary.counts == {}  # the answer is not over
    sequence.finish("length")
    diary.observe(Step(prefilling=False))
    assert list(diary.counts.values()) == [Count(2, 1)]


def test_a_draft_that_fell_below_what_it_reached_is_told(tmp_path: Path) -> None:
    target, tuned, draft = (file(tmp_path, n) for n in ("old.gguf", "tuned.gguf", "draft.gguf"))
    drift.remember(target, draft, {"code": Count(500, 400)})
    assert drift.sentence(target, draft) == "in use, its first guesses held in 80% of code"
    assert drift.sentence(tuned, draft) is None
    drift.remember(tuned, draft, {"code": Count(500, 250)})
    words = drift.sentence(tuned, draft)
    assert words is not None
    assert "with old it reached 80% of code" in words
    assert "localspec distill" in words


def test_chance_is_not_taken_for_a_fall(tmp_path: Path) -> None:
    target, tuned, draft = (file(tmp_path, n) for n in ("old.gguf", "tuned.gguf", "draft.gguf"))
    drift.remember(target, draft, {"prose": Count(120, 66)})
    drift.remember(tuned, draft, {"prose": Count(120, 53)})
    words = drift.sentence(tuned, draft)
    assert words is not None
    assert "old" not in words


def test_old_counts_fade(tmp_path: Path) -> None:
    target, draft = file(tmp_path, "t.gguf"), file(tmp_path, "d.gguf")
    for held in (40_000, 0, 0):
        drift.remember(target, draft, {"prose": Count(40_000, held)})
    (record,) = drift.records(draft).values()
    assert record.kinds["prose"].guessed == pytest.approx(20_000)
    assert record.kinds["prose"].share < 0.2


@pytest.mark.parametrize(
    "content", ["", "{", "[]", '{"version": 1}', '{"version": 9, "targets": {}}']
)
def test_a_damaged_record_is_no_record(tmp_path: Path, content: str) -> None:
    target, draft = file(tmp_path, "t.gguf"), file(tmp_path, "d.gguf")
    drift.remember(target, draft, {"prose": Count(200, 100)})
    path = next((tmp_path / "home" / "state" / "acceptance").iterdir())
    path.write_text(content)
    assert drift.sentence(target, draft) is None
    drift.remember(target, draft, {"prose": Count(200, 100)})
    assert drift.sentence(target, draft) is not None
