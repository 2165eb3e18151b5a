"""Drafts: which fit, why others do not, what they are worth, what is remembered of that."""

import json
from pathlib import Path

import gguf_bytes
import pytest
from command import localspec
from gguf_bytes import ARRAY, STRING, UINT32, array, entry, tensor, text
from hypothesis import given
from hypothesis import strategies as st

from localspec import models
from localspec.bench import pairing, tuning
from localspec.bench.pairing import Guess, forecast
from localspec.errors import ModelError
from localspec.models import matches, pairs, shelf
from localspec.models.fingerprint import fingerprint
from localspec.models.reader import read_header
from localspec.verbs.models import pair

PAIR = models.embedded("shell")
WORDS = tuple(f"w{i}" for i in range(40))


def write(path: Path, words: tuple[str, ...] = WORDS, *, size: int = 32, **ids: int) -> Path:
    """A file with a vocabulary and `size` weights."""
    tokens = array(STRING, len(words), b"".join(map(text, words)))
    fields = [
        gguf_bytes.ARCHITECTURE,
        entry("tokenizer.ggml.tokens", ARRAY, tokens),
        *(
            entry(f"tokenizer.ggml.{name}_token_id", UINT32, token.to_bytes(4, "little"))
            for name, token in ids.items()
        ),
    ]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gguf_bytes.gguf(fields, [tensor("a", (size,))], weights=4 * size))
    return path


# Judging by headers -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "options", "reason"),
    [
        (WORDS, {}, None),
        (WORDS[:30], {}, None),  # fewer tokens, but all the same
        (("w0", "other", *WORDS[2:]), {}, "token 1 is 'other' in it and 'w1' in the target"),
        (WORDS[:10], {}, "it knows 10 tokens, and the target 40"),
        (WORDS, {"size": 3200}, "no smaller than the target"),
        (WORDS, {"size": 1920}, "only 1.7 times smaller"),
        (WORDS, {"eos": 3}, "ends answers with token 3, and the target with None"),
    ],
)
def test_what_speaks_against_a_draft(
    tmp_path: Path, words: tuple[str, ...], options: dict[str, int], reason: str | None
) -> None:
    target = read_header(write(tmp_path / "target.gguf", size=3200))
    found = pairs.objection(target, read_header(write(tmp_path / "draft.gguf", words, **options)))
    assert found is None if reason is None else reason in str(found)


def test_candidates_come_from_everywhere_the_fit_ones_first(tmp_path: Path) -> None:
    target = write(tmp_path / "target.gguf", size=3200)
    write(tmp_path / "small.gguf")
    (tmp_path / "broken.gguf").write_bytes(b"GGUF")
    write(shelf.folder("user/repo") / "m-Q8_0.gguf", size=64)
    named = write(tmp_path / "elsewhere" / "named.gguf", size=96)
    found = pairs.candidates(target, [("named", named)])
    assert [c.name for c in found] == [
        "small.gguf", "user/repo:Q8_0", "named", "broken.gguf", "draft of shell",
    ]  # fmt: skip
    assert [c.objection is None for c in found] == [True] * 3 + [False] * 2
    assert found[0].merits == "same vocabulary, 100 times smaller"
    with pytest.raises(ModelError):
        pairs.candidates(tmp_path / "none.gguf")


def test_drafts_that_were_made_or_named_once_are_candidates_too(tmp_path: Path) -> None:
    target = write(tmp_path / "target.gguf", size=3200)
    made = write(pairs.made_here() / "target-draft.gguf")
    named = write(tmp_path / "elsewhere" / "named.gguf", size=64)
    matches.keep(target, [result(named, 1.5)])
    found = [c for c in pairs.candidates(target) if c.objection is None]
    assert [c.path for c in found] == [made, named]
    named.unlink()
    assert named not in [c.path for c in pairs.candidates(target)]


def test_a_candidate_can_be_loaded_from_any_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = write(tmp_path / "there" / "target.gguf", size=3200)
    write(tmp_path / "there" / "small.gguf")
    write(shelf.folder("user/repo") / "m-Q8_0.gguf", size=64)
    monkeypatch.chdir(tmp_path)
    for candidate in pairs.candidates(Path("there/target.gguf")):
        assert models.resolve(str(target), candidate.argument)[1] == candidate.path


# What is remembered -----------------------------------------------------------------------------


def result(path: Path, speedup: float) -> matches.Match:
    return matches.Match(path.stem, str(path), fingerprint(path), 0.5, 2.0, speedup)


def test_the_fastest_draft_is_taken_where_it_pays(tmp_path: Path) -> None:
    target = write(tmp_path / "target.gguf", size=3200)
    slow, fast = write(tmp_path / "slow.gguf"), write(tmp_path / "fast.gguf", size=64)
    assert matches.best_for(target) is None
    assert matches.best_for(target, slow) == slow  # it was made for it
    matches.keep(target, [result(slow, 1.2)])
    matches.keep(target, [result(fast, 1.5)])
    assert [r.speedup for r in matches.remembered(target)] == [1.5, 1.2]
    assert models.resolve(str(target))[1] == fast
    matches.keep(target, [result(fast, 0.9), result(slow, 0.8)])
    assert matches.best_for(target, slow) is None


def test_a_draft_that_does_not_pay_speaks_against_no_other(tmp_path: Path) -> None:
    target = write(tmp_path / "target.gguf", size=3200)
    slow, own = write(tmp_path / "slow.gguf"), write(tmp_path / "own.gguf", size=64)
    matches.keep(target, [result(slow, 0.8)])
    assert matches.best_for(target, own) == own
    assert matches.best_for(target, slow) is None
    matches.keep(PAIR.target, [result(slow, 0.8)])
    assert models.resolve("shell")[1] == PAIR.draft


def test_what_is_remembered_belongs_to_contents(tmp_path: Path, home: Path) -> None:
    target, draft = write(tmp_path / "target.gguf", size=3200), write(tmp_path / "draft.gguf")
    matches.keep(target, [result(draft, 1.5)])
    assert matches.best_for(target.rename(tmp_path / "renamed.gguf")) == draft
    write(draft, size=96)  # another file under the same name
    assert matches.best_for(tmp_path / "renamed.gguf") is None
    for record in (home / "state" / "pairs").iterdir():
        record.write_text('{"version": 1, "drafts": [{"name": 1}]}')
    assert matches.remembered(tmp_path / "renamed.gguf") == []


def test_a_file_that_takes_the_place_of_another_is_remembered_instead(tmp_path: Path) -> None:
    target, draft = write(tmp_path / "target.gguf"), write(tmp_path / "draft.gguf")
    matches.keep(target, [result(draft, 1.5)])
    matches.keep(target, [result(write(draft, size=64), 1.2)])
    assert [match.speedup for match in matches.remembered(target)] == [1.2]


def test_a_draft_of_the_catalogue_is_taken_until_it_was_found_not_to_pay(home: Path) -> None:
    name = "Meta-Llama-3.1-8B-Instruct-Q4_K_M.gguf"
    repository = "bartowski/Meta-Llama-3.1-8B-Instruct-GGUF"
    target = write(shelf.folder(repository) / name, size=3200)
    shelf.record(target, shelf.Origin(repository, "c", "s", "2026"))
    assert matches.best_for(target) is None
    assert next(s.model for s in matches.suggestions(target)) == "llama-3.2-1b"
    folder = shelf.folder("bartowski/Llama-3.2-1B-Instruct-GGUF")
    draft = write(folder / "Llama-3.2-1B-Instruct-Q4_K_M.gguf")
    assert matches.best_for(target) == draft
    assert [s.kind for s in matches.suggestions(target)] == ["EAGLE-3"]
    other = write(folder / "other.gguf", size=64)
    matches.keep(target, [result(other, 0.9)])
    assert matches.best_for(target) == draft  # it was not the one that was measured
    matches.keep(target, [result(draft, 0.9)])
    assert matches.best_for(target) is None


# What guesses are worth -------------------------------------------------------------------------

FREE = dict.fromkeys(range(1, 6), 1.0)
DEAR = {n: float(n) for n in range(1, 6)}


def test_guesses_that_always_hold_and_cost_nothing_are_all_looked_at() -> None:
    guesses = [Guess((0.99, 0.99, 0.99, 0.99), 4)] * 50
    length, speedup = forecast(guesses, FREE, 0.0)
    assert (length, speedup) == (4.0, 5.0)


def test_guesses_that_never_hold_are_given_up() -> None:
    length, speedup = forecast([Guess((0.9, 0.9), 0)] * 200, DEAR, 0.1)
    assert length < 0.1
    assert speedup <= 1.0
    assert forecast([], DEAR, 0.1) == (0.0, 1.0)


def test_confidence_tells_which_guesses_to_look_at() -> None:
    sure, unsure = Guess((0.95, 0.95), 2), Guess((0.1, 0.1), 0)
    curve = {1: 1.0, 2: 1.3, 3: 1.6}
    mixed = forecast([sure, unsure] * 100, curve, 0.02)
    assert mixed[0] == pytest.approx(1.0, abs=0.1)  # two of the sure ones, none of the others
    assert 1.4 < mixed[1] < 2.0


guesses = st.builds(
    lambda confidences, held: Guess(tuple(confidences), min(held, len(confidences))),
    st.lists(st.floats(0.01, 1.0), min_size=1, max_size=4),
    st.integers(0, 4),
)


@given(st.lists(guesses, min_size=1, max_size=30), st.floats(0, 1))
def test_no_forecast_promises_more_than_held(found: list[Guess], cost: float) -> None:
    _, speedup = forecast(found, FREE, cost)
    tokens = sum(1 + guess.held for guess in found)
    assert 0 < speedup <= tokens / len(found) + 1e-9


# The real pair ----------------------------------------------------------------------------------


def test_the_embedded_draft_is_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("_LEAST_SECONDS", "_ROUGH_SECONDS", "_DIVE_SECONDS"):
        monkeypatch.setattr(tuning, name, 0.2)
    monkeypatch.setattr(pairing, "_ANSWER_SECONDS", 0.3)
    shares: list[float] = []
    (found,) = pairing.measure(PAIR.target, [PAIR.draft], lambda share, what: shares.append(share))
    assert found.objection == ""
    assert 0.1 < found.held < 1
    assert found.seconds > 0
    assert 0 < found.speedup < 5
    assert shares == sorted(shares)


def test_a_quick_look_measures_nothing(home: Path) -> None:
    done = localspec("models", "pair", "shell", "--quick", "--json")
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    (candidate,) = document["candidates"]
    assert (candidate["name"], candidate["objection"]) == ("draft of shell", None)
    assert document["best"] is candidate["expected_speedup"] is None
    assert not (home / "state" / "pairs").exists()


@pytest.mark.parametrize("writable", [True, False])
def test_what_is_promised_for_later_was_kept(
    home: Path, monkeypatch: pytest.MonkeyPatch, writable: bool
) -> None:
    found = pairing.Measured(PAIR.draft, held=0.8, seconds=0.001, length=3, speedup=1.5)
    monkeypatch.setattr(pair, "measure", lambda *_: [found])
    if not writable:
        home.mkdir()
        (home / "state").write_text("a file where a folder should be")
    done = localspec("models", "pair", "shell")
    assert ("from now on" in done.stdout) == writable
    assert ("could not be remembered" in done.stderr) != writable
