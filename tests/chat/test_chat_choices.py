"""What the pickers say of models and drafts."""

from pathlib import Path

import pytest
from scripted import ScriptedBackend, ScriptedSource, chatting, driven, on_screen, wait_until

from localspec import models
from localspec.drafters import drift
from localspec.errors import LocalspecError
from localspec.models import matches
from localspec.models.fingerprint import fingerprint
from localspec.models.matches import Match
from localspec.tui import choosing, explaining
from localspec.tui.here import Here

PAIR = models.embedded("shell")


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LOCALSPEC_HOME", str(tmp_path))
    return tmp_path


def measured(speedup: float) -> None:
    print_of = fingerprint(PAIR.draft)
    matches.keep(PAIR.target, [Match("d", str(PAIR.draft), print_of, 0.58, 2.1, speedup)])


def test_drafts_are_ranked_and_it_is_said_why(home: Path) -> None:
    broken = home / "data/models/someone/broken/broken-Q4_0.gguf"
    broken.parent.mkdir(parents=True)
    broken.write_bytes(b"GGUF")
    auto, none, own, bad = explaining.drafts("shell")
    assert (auto.name, none.name) == ("auto", "none")
    assert "made for this model" in auto.detail
    assert (own.name, own.label) == (str(PAIR.draft), "draft of shell")
    assert own.meaning.startswith("not measured; ")
    assert "localspec models pair shell" in own.detail
    assert bad.meaning.startswith("no: ")
    assert bad.detail.startswith("It cannot guess for shell: ")


def test_what_was_measured_is_told() -> None:
    measured(1.31)
    auto, _, own = explaining.drafts("shell")
    assert own.meaning == "1.31× as fast as alone, 58% held"
    assert "58% of its first guesses held and 2.1 a step" in own.detail
    assert "1.31× as fast as alone" in auto.detail
    measured(0.9)
    auto, _, own = explaining.drafts("shell")
    assert "0.90×, so it does not pay" in own.detail
    assert auto.detail.startswith("No draft that was measured pays")


def test_what_a_draft_reached_in_use_is_told() -> None:
    drift.remember(PAIR.target, PAIR.draft, {"code": drift.Count(200, 130)})
    *_, own = explaining.drafts("shell")
    assert own.detail.endswith("In use, its first guesses held in 65% of code.")


def test_a_model_is_explained() -> None:
    room, guesser = explaining.model("shell").splitlines()
    assert room.startswith("It fits: it takes ")
    assert guesser == f"{PAIR.draft.stem} guesses; it was made for this model."
    assert "There is no model 'nothing'" in explaining.model("nothing")
    assert "There is no model 'nothing'" in explaining.drafts("nothing")[0].detail


def test_what_is_no_model_is_known_before_it_is_loaded(home: Path) -> None:
    text = home / "text.gguf"
    text.write_text("hello")
    source = Here()
    for names, words in (
        (("shel", "auto"), "did you mean 'shell'"),
        (("none", "auto"), "There is no model 'none'"),
        (("a" * 300, "auto"), "There is no model 'aaa"),
        (("shell", "nosuch"), "There is no model 'nosuch'"),
        ((str(text), "auto"), "is not a GGUF file"),
        (("shell", str(home / "gone.gguf")), "There is no file"),
    ):
        with pytest.raises(LocalspecError, match=words):
            source.check(*names)
    for draft in ("auto", "none", str(PAIR.draft)):
        source.check("shell", draft)


@driven
async def test_pickers_explain_what_is_highlighted() -> None:
    async with chatting(ScriptedBackend()) as (chat, pilot):
        await pilot.press("ctrl+l")
        await wait_until(pilot, lambda: "scripted fits." in on_screen(chat))
        await pilot.press("escape")
        await wait_until(pilot, lambda: chat.loader.drafts)
        choosing.draft(chat, "")
        await wait_until(pilot, lambda: "It was measured with scripted." in on_screen(chat))
        await pilot.press("down")
        await wait_until(pilot, lambda: "It was measured" not in on_screen(chat))


class Gone(ScriptedSource):
    """Its files are deleted while a person looks."""

    def explain(self, model: str) -> str:
        raise FileNotFoundError("no such file")


@driven
async def test_what_cannot_be_explained_ends_no_chat() -> None:
    async with chatting(source=Gone(scripted=ScriptedBackend())) as (chat, pilot):
        await pilot.press("ctrl+l")
        words = "scripted cannot be looked at: no such file"
        await wait_until(pilot, lambda: words in on_screen(chat))
