"""From a target to its draft, with a target of a few thousand weights that is made on the spot."""

import json
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from toys import PROMPTS, TOKENS, TOY, decoder, silent, weights

from localspec.cli import main
from localspec.distill import distill as room
from localspec.distill import export, prompts, training
from localspec.distill.decoder import Decoder
from localspec.distill.measure import Acceptance
from localspec.distill.record import Record
from localspec.distill.shape import DecoderShape
from localspec.distill.writing import write
from localspec.errors import LocalspecError, ModelError, UsageError
from localspec.llama.model import Model
from localspec.models import embedded, matches
from localspec.models.fingerprint import fingerprint


def test_the_target_is_heard_as_it_speaks(target: Path, tmp_path: Path) -> None:
    with Record(tmp_path / "r") as record:
        write(target, PROMPTS, record, tokens=400, seconds=600, progress=silent)
        texts = record.texts()
    assert sum(len(text.said) for text in texts) >= 400
    assert {text.temperature for text in texts} >= {0.0}
    for text in (t for t in texts if t.temperature == 0):
        assert np.array_equal(text.said, text.likely[:, 0])  # greedy: always the likeliest
        assert np.exp(text.log_probabilities.astype(np.float32)).sum(1).max() < 1.01


@pytest.mark.usefixtures("ticking")
def test_answers_that_time_cuts_short_are_kept(target: Path, tmp_path: Path) -> None:
    """A large target may not end a single one in all the time there is."""
    long = "".join(chr(ord("!") + n) for n in range(90))
    with Record(tmp_path / "r") as record:
        write(target, [long], record, tokens=10**6, seconds=0.2, progress=silent)
        texts = record.texts()
        assert len(texts) == 16
        for text in texts:
            assert len(text.said) == len(text.likely) == len(text.log_probabilities) > 1
        write(target, [long], record, tokens=10**6, seconds=0.0, progress=silent)  # enough is there
    with Record(tmp_path / "none") as record, pytest.raises(ModelError, match="--minutes"):
        write(target, [long], record, tokens=10**6, seconds=0.0, progress=silent)


@pytest.mark.usefixtures("pays", "ticking")
def test_a_target_makes_its_draft(target: Path, tmp_path: Path) -> None:
    draft = tmp_path / "draft.gguf"
    stages: list[str] = []
    outcome = room.distill(
        target, draft, PROMPTS, seconds=7, progress=lambda share, what: stages.append(what)
    )
    assert outcome.before is None
    assert outcome.worth_using
    assert outcome.after.greedy > 0.3  # a token of chance: 0.01
    assert matches.best_for(target) == draft
    assert any("loss" in what for what in stages)
    with Model(target) as model, Model(draft) as made:
        assert model.vocabulary.difference(made.vocabulary) is None


@pytest.mark.usefixtures("pays", "ticking", "untaught")
def test_a_former_draft_of_another_shape_is_measured_and_its_weights_are_not_read(
    target: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    former = tmp_path / "former.gguf"
    long = replace(TOY, context=1 << 20)  # a row of logits for each place would take terabytes
    export.write(former, "former", weights(decoder(2)), long, target, "q8_0")
    monkeypatch.setattr(export, "read", lambda path: pytest.fail(f"{path} is read"))
    outcome = room.distill(
        target, tmp_path / "draft.gguf", PROMPTS, seconds=7, former=former, progress=silent
    )
    assert outcome.before is not None
    assert outcome.before.tokens == outcome.after.tokens


@pytest.mark.usefixtures("pays", "ticking", "untaught")
@pytest.mark.parametrize("better", [True, False])
def test_a_draft_is_replaced_by_a_better_one_only(
    target: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, better: bool
) -> None:
    draft = tmp_path / "draft.gguf"
    export.write(draft, "former", weights(decoder(2)), TOY, target, "q8_0")
    matches.keep(target, [matches.Match("d", str(draft), fingerprint(draft), 0.5, 2.0, 1.5)])
    former = draft.read_bytes()
    monkeypatch.setattr(
        room,
        "acceptance",
        lambda path, texts: Acceptance(0.5 if (path == draft) != better else 0.4, 0.5, 9),
    )
    outcome = room.distill(target, draft, PROMPTS, seconds=7, former=draft, progress=silent)
    assert outcome.worth_using == better
    assert (draft.read_bytes() == former) != better
    assert matches.best_for(target) == draft
    assert sorted(path.name for path in tmp_path.iterdir()) == ["draft.gguf", "home"]


@pytest.mark.usefixtures("pays", "ticking", "untaught")
def test_what_auto_takes_from_now_on_is_looked_up(
    target: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["distill", str(target), "-o", str(tmp_path / "draft.gguf"), "--minutes", "0.1"]
    assert main([*command, "--draft", "none"]) == 0
    assert "--draft auto takes it from now on" in capsys.readouterr().out.replace("\n", " ")
    other = tmp_path / "other.gguf"
    export.write(other, "other", weights(decoder(2)), TOY, target, "q8_0")
    matches.keep(target, [matches.Match("o", str(other), fingerprint(other), 0.5, 2.0, 5.0)])
    assert main([*command, "--draft", "none"]) == 0
    assert "auto goes on as before" in capsys.readouterr().out.replace("\n", " ")


@pytest.mark.usefixtures("ticking")
def test_a_former_draft_of_the_same_shape_is_where_learning_begins(
    target: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    former, shape = (
        tmp_path / "former.gguf",
        DecoderShape(len(TOKENS), *room._SIZES["tiny"], context=64),
    )
    export.write(former, "former", weights(Decoder(shape)), shape, target, "q8_0")
    begun: list[set[str]] = []

    def train(*_: object, start: dict[str, np.ndarray], **__: object) -> None:
        begun.append(set(start))
        raise KeyboardInterrupt

    monkeypatch.setattr(training, "train", train)
    with pytest.raises(KeyboardInterrupt):
        room.distill(target, former, PROMPTS, seconds=7, former=former, progress=silent)
    assert begun == [set(weights(Decoder(shape)))]


def test_what_was_written_survives_a_kill(target: Path, home: Path) -> None:
    code = f"from localspec.cli import main; main(['distill', {str(target)!r}, '--minutes', '5'])"
    process = subprocess.Popen([sys.executable, "-c", code])
    try:
        deadline = time.monotonic() + 300
        while not (found := list(home.glob("cache/distill/*/written.bin"))) or (
            found[0].stat().st_size < 50_000
        ):
            assert time.monotonic() < deadline
            assert process.poll() is None
            time.sleep(0.05)
    finally:
        process.kill()
        process.wait()
    with Record(found[0]) as record:
        kept = record.texts()
        assert kept
        write(target, prompts.seeds(), record, tokens=1, seconds=600, progress=silent)
        assert len(record.texts()) == len(kept)  # nothing is written twice
        said = sum(len(text.said) for text in kept)
        write(target, prompts.seeds(), record, tokens=said + 50, seconds=600, progress=silent)
        assert len(record.texts()) > len(kept)


def test_without_torch_it_says_what_to_install(
    target: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "localspec.distill.training", None)
    monkeypatch.delattr("localspec.distill.training")
    assert main(["distill", str(target)]) == 1
    assert "pip install 'localspec[distill]'" in capsys.readouterr().err


def test_a_home_that_cannot_be_written_is_one_sentence(
    target: Path, home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    home.write_text("a file where a folder should be")
    assert main(["distill", str(target), "-o", str(tmp_path / "draft.gguf")]) == 1
    error = capsys.readouterr().err
    assert error.startswith(f"localspec: {home}")
    assert error.endswith("cannot be used (Not a directory); see localspec doctor.\n")


def test_a_full_disk_is_seen_before_the_work(
    target: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = type("Usage", (), {"free": 1 << 20})
    monkeypatch.setattr(room.shutil, "disk_usage", lambda path: usage)
    with pytest.raises(LocalspecError, match="make room"):
        room.distill(target, tmp_path / "d.gguf", PROMPTS, seconds=1, progress=silent)


@pytest.mark.usefixtures("unwritten")
def test_a_former_draft_that_is_none_is_refused_before_the_work(
    target: Path, tmp_path: Path
) -> None:
    """Here, and not once the target has written and a decoder has learnt."""
    former = tmp_path / "former.gguf"
    former.write_text("no model")
    draft = tmp_path / "draft.gguf"
    with pytest.raises(ModelError, match="is not a GGUF file"):
        room.distill(target, draft, PROMPTS, seconds=1, former=former, progress=silent)
    other = embedded("shell").draft
    with pytest.raises(UsageError, match=r"token 0 is .*--draft none"):
        room.distill(target, draft, PROMPTS, seconds=1, former=other, progress=silent)
    with pytest.raises(ModelError, match="is not a GGUF file"):
        room.distill(former, draft, PROMPTS, seconds=1, progress=silent)


def test_a_draft_that_could_not_be_written_is_refused_before_the_work(
    target: Path, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("no folder")
    stages: list[str] = []

    def hear(share: float, what: str) -> None:
        stages.append(what)

    for draft, words in (
        (tmp_path, "is a folder"),
        (tmp_path / "file" / "draft.gguf", "cannot be written"),
        (target, "would replace its target"),
    ):
        with pytest.raises(UsageError, match=words):
            room.distill(target, draft, PROMPTS, seconds=1, progress=hear)
    assert stages == []


@pytest.mark.usefixtures("pays", "ticking", "untaught")
def test_the_verb_tells_what_came_of_it(
    target: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = tmp_path / "prompts.txt"
    asked.write_text("\n".join([*PROMPTS, "{broken"]))
    draft = tmp_path / "verb.gguf"
    command = ["distill", str(target), "-o", str(draft), "--prompts", str(asked)]
    assert main([*command, "--minutes", "0.1", "--json"]) == 0
    out, err = capsys.readouterr()
    document = json.loads(out)
    assert draft.exists()
    assert document["worth_using"] is True
    assert 0 <= document["after"]["greedy"] <= 1
    assert "1 lines" in err
