"""Names: what they mean, which are refused, and where models are looked for."""

import json
import os
from pathlib import Path

import gguf_bytes
import pytest
from gguf_bytes import ARCHITECTURE, tensor
from hypothesis import given
from hypothesis import strategies as st

from localspec import models
from localspec.errors import ModelError, UsageError
from localspec.models import catalogue, shelf, usage
from localspec.models.description import describe
from localspec.models.naming import (
    Reference,
    is_safe,
    labels,
    parse,
    part_of,
    quantization_in,
)
from localspec.models.resolve import find

MODEL = gguf_bytes.gguf([ARCHITECTURE], [tensor("a")], weights=128)


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")


def put(repository: str, *names: str) -> Path:
    """Files on the shelf, as if they had been pulled; the first of them."""
    for name in names:
        path = shelf.folder(repository) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(MODEL)
        shelf.record(path, shelf.Origin(repository, "c" * 40, "0" * 64, "2026-11-25T00:00:00"))
    return shelf.folder(repository) / names[0]


# Names alone ------------------------------------------------------------------------------------


def test_references() -> None:
    assert parse("user/repo") == Reference("user/repo")
    assert parse("user/repo:Q8_0") == Reference("user/repo", "Q8_0")
    assert str(Reference("user/repo", "Q8_0")) == "user/repo:Q8_0"


@pytest.mark.parametrize(
    "name",
    [
        "", "repo", "/repo", "user/", "../repo", "user/..", "a/b/c", "user/re po", "user/repo:",
        "user/repo:a/b", "user/re..po", "user\\repo", "user/repo\n", "user/\0", "con/repo",
        "user/NUL", "user/repo.", "~/repo", "user/repo:Q4:Q5", "ü/repo",
    ],
)  # fmt: skip
def test_what_is_no_reference(name: str) -> None:
    assert parse(name) is None


@given(
    st.text(max_size=30) | st.lists(st.sampled_from(["..", ".", "a", "", "b.gguf"])).map("/".join)
)
def test_a_safe_path_stays_in_its_folder(path: str) -> None:
    if is_safe(path):
        folder = Path("/data/models")
        inside = Path(os.path.normpath(folder / path))
        assert folder in inside.parents


@pytest.mark.parametrize(
    ("name", "quantization"),
    [
        ("Meta-Llama-3.1-8B-Instruct-Q4_K_M.gguf", "Q4_K_M"),
        ("qwen2.5-0.5b-instruct-q4_k_m.gguf", "Q4_K_M"),
        ("model.Q8_0.gguf", "Q8_0"),
        ("BF16/model-BF16-00001-of-00002.gguf", "BF16"),
        ("UD-Q4_K_XL/model-UD-Q4_K_XL.gguf", "UD-Q4_K_XL"),
        ("model-IQ2_XXS.gguf", "IQ2_XXS"),
        ("gpt-oss-20b-mxfp4.gguf", "MXFP4"),
        ("tiny-llama.gguf", None),
        ("Qwen3-4B.gguf", None),
    ],
)
def test_quantizations_in_names(name: str, quantization: str | None) -> None:
    assert quantization_in(name) == quantization


def test_models_of_a_repository_are_told_apart() -> None:
    paths = [
        "m-Q4_0.gguf",
        "m-Q8_0.gguf",
        "m-draft-Q4_0.gguf",
        "a-F16.gguf",
        "b-F16.gguf",
        "c.gguf",
    ]
    assert list(labels("user/repo", paths).values()) == [
        "Q4_0", "Q8_0", "draft-Q4_0", "a-F16", "b-F16", "c",
    ]  # fmt: skip
    assert labels("user/some-DRAFT-GGUF", ["some-DRAFT-Q4_0.gguf"]) == {
        "some-DRAFT-Q4_0.gguf": "Q4_0"
    }


def test_parts_in_names() -> None:
    part = part_of("m-Q4_0-00002-of-00003.gguf")
    assert part is not None
    assert (part.stem, part.number, part.total) == ("m-Q4_0", 2, 3)
    assert part.siblings[0] == "m-Q4_0-00001-of-00003.gguf"
    assert part_of("m.gguf") is part_of("m-00004-of-00003.gguf") is None


# Finding files ----------------------------------------------------------------------------------


def test_embedded_names_and_paths_are_found_first() -> None:
    assert find("shell") == models.embedded("shell").target
    Path("user").mkdir()
    Path("user/repo").write_bytes(MODEL)
    put("user/repo", "m-Q4_K_M.gguf")
    assert find("user/repo") == Path("user/repo")
    assert find("none.gguf") == Path("none.gguf")  # loading says that there is none


def test_pulled_models_are_found_by_repository_and_quantization() -> None:
    four = put("User/Repo-GGUF", "m-Q4_K_M.gguf")
    eight = put("User/Repo-GGUF", "m-Q8_0.gguf")
    assert find("user/repo-gguf") == four  # the default
    assert find("user/repo-gguf:q8_0") == eight
    with pytest.raises(UsageError, match="only Q4_K_M, Q8_0; localspec models pull"):
        find("user/repo-gguf:Q5_0")


def test_the_only_quantization_needs_no_name_and_others_do() -> None:
    five = put("user/repo", "m-Q5_0.gguf")
    assert find("user/repo") == five
    put("user/repo", "m-Q8_0.gguf")
    with pytest.raises(UsageError, match="several quantizations; name one of user/repo:Q5_0"):
        find("user/repo")


def test_to_find_a_model_one_folder_is_looked_into(monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = put("User/Repo", "repo-Q4_K_M.gguf")
    for n in range(5):
        put(f"user{n}/repo", "repo-Q4_K_M.gguf")
        put(f"user/repo{n}", "repo-Q4_K_M.gguf")
    looked, models_in = list[Path](), shelf.models_in

    def look(folder: Path, *, deep: bool) -> dict[str, tuple[Path, ...]]:
        looked.append(folder)
        return models_in(folder, deep=deep)

    monkeypatch.setattr(shelf, "models_in", look)
    assert [model.path for model in shelf.of_repository("user/repo")] == [wanted]
    assert looked == [wanted.parent]


def test_a_draft_beside_its_target_is_not_what_a_repository_means() -> None:
    target = put("user/repo", "m-Q8_0.gguf", "m-draft-Q4_0.gguf")
    assert find("user/repo") == target
    assert find("user/repo:draft-Q4_0").name == "m-draft-Q4_0.gguf"


@pytest.mark.parametrize("name", ["~nobody-of-that-name/m.gguf", "../m.gguf", "/dev/null", "a/b/c"])
def test_paths_need_not_exist_to_be_paths(name: str) -> None:
    assert find(name).name == name.rpartition("/")[2]


def test_aliases_are_names_of_the_catalogue() -> None:
    with pytest.raises(UsageError, match=r"localspec models pull llama-3\.1-8b gets it"):
        find("llama-3.1-8b")
    path = put(
        "bartowski/Meta-Llama-3.1-8B-Instruct-GGUF", "Meta-Llama-3.1-8B-Instruct-Q4_K_M.gguf"
    )
    assert find("llama-3.1-8b") == find("LLAMA-3.1-8B") == path


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("shel", "did you mean 'shell'"),
        ("lama-3.1-8b", "did you mean 'llama-3.1-8b'"),
        ("qwen3_8b", "did you mean 'qwen3-8b'"),
        ("usr/repo", "did you mean 'user/repo'"),
        ("somebody/else", "models pull somebody/else gets it"),
        ("nothing-like-it", "give a GGUF file"),
        ("near.ggu", "did you mean 'near.gguf'"),
    ],
)
def test_near_misses_are_suggested(name: str, words: str) -> None:
    put("user/repo", "m-Q4_K_M.gguf")
    Path("near.gguf").write_bytes(MODEL)
    with pytest.raises(UsageError, match=words):
        find(name)


def test_drafts_go_by_the_same_names() -> None:
    draft = put("user/small", "m-Q8_0.gguf")
    assert models.resolve("shell", "user/small")[1] == draft
    assert models.resolve("shell", "none")[1] is None
    assert models.resolve("shell", "auto")[1] == models.embedded("shell").draft


# The shelf --------------------------------------------------------------------------------------


def test_models_in_parts_are_one_and_incomplete_ones_none() -> None:
    names = [f"m-Q4_0-0000{i}-of-00002.gguf" for i in (1, 2)]
    put("user/parts", *names)
    put("user/half", names[0])
    (model,) = shelf.shelved()
    assert (model.name, len(model.files)) == ("user/parts:Q4_0", 2)
    assert model.size == 2 * len(MODEL)


def test_removing_leaves_nothing_and_touches_nothing_else(tmp_path: Path) -> None:
    put("user/repo", "m-Q4_0.gguf")
    put("user/other", "m-Q4_0.gguf")
    first, second = shelf.shelved()
    shelf.remove(second)
    assert [model.name for model in shelf.shelved()] == [first.name]
    assert not shelf.folder("user/repo").exists()
    assert shelf.folder("user/other").is_dir()


@pytest.mark.skipif(os.name == "nt", reason="links are made otherwise there")
def test_links_do_not_lead_removing_out_of_the_folder(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "m-Q4_0.gguf").write_bytes(MODEL)
    shelf.folder("user").mkdir(parents=True)
    shelf.folder("user/repo").symlink_to(outside, target_is_directory=True)
    for model in shelf.shelved():
        with pytest.raises(ValueError, match="not below"):
            shelf.remove(model)
    assert (outside / "m-Q4_0.gguf").exists()
    with pytest.raises(ValueError, match="leads out"):
        shelf.folder("../../etc")


@pytest.mark.parametrize("record", ["", "[]", "{}", '{"repository": 1}', "null", "\xff"])
def test_a_damaged_record_is_none(record: str) -> None:
    path = put("user/repo", "m-Q4_0.gguf")
    path.with_name(path.name + ".json").write_text(record, encoding="latin-1")
    assert shelf.origin(path) is None
    assert len(shelf.shelved()) == 1


def test_last_use_is_remembered_and_may_be_lost(home: Path) -> None:
    usage.used(Path("a.gguf"))
    usage.used(Path("b.gguf"))
    assert set(usage.last_used()) == {Path("a.gguf").absolute(), Path("b.gguf").absolute()}
    (home / "state" / "last-used.json").write_text("no json")
    assert usage.last_used() == {}


# Files in parts ---------------------------------------------------------------------------------


def part(number: int, count: int) -> bytes:
    fields = [
        gguf_bytes.entry(key, gguf_bytes.UINT32, value.to_bytes(4, "little"))
        for key, value in (("split.no", number), ("split.count", count))
    ]
    return gguf_bytes.gguf([ARCHITECTURE, *fields], [tensor(f"t{number}")], weights=128)


def write_parts(folder: Path, *numbers: int) -> Path:
    for place, number in enumerate(numbers, start=1):
        (folder / f"m-0000{place}-of-0000{len(numbers)}.gguf").write_bytes(
            part(number, len(numbers))
        )
    return folder / f"m-00001-of-0000{len(numbers)}.gguf"


def test_a_model_in_parts_is_described_as_one(tmp_path: Path) -> None:
    description = describe(write_parts(tmp_path, 0, 1, 2))
    assert (len(description.files), description.parameters) == (3, 96)


def test_parts_that_are_missing_or_others_are_refused(tmp_path: Path) -> None:
    first = write_parts(tmp_path, 0, 0)  # the second claims to be the first again
    with pytest.raises(ModelError, match="is not part 2 of 2"):
        describe(first)
    first.with_name("m-00002-of-00002.gguf").unlink()
    with pytest.raises(ModelError, match="lacks 1 of its parts, first m-00002-of-00002"):
        describe(first)
    with pytest.raises(ModelError, match=r"name m-00001-of-00002\.gguf instead"):
        describe(first.rename(first.with_name("m-00002-of-00002.gguf")))
    with pytest.raises(ModelError, match="does not say which"):
        describe(first.with_name("m-00002-of-00002.gguf").rename(tmp_path / "renamed.gguf"))


# The catalogue ----------------------------------------------------------------------------------


def test_our_catalogue_is_sound() -> None:
    entries = catalogue.catalogue()
    assert len({entry.repository for entry in entries.values()}) == len(entries) > 20
    for entry in entries.values():
        assert parse(entry.repository) is not None
        for quantization, name in entry.files.items():
            assert quantization_in(name) == quantization
            assert is_safe(name)
        for draft in entry.drafts:
            if draft.kind == "small model":
                assert draft.model in entries
                assert draft.model != entry.alias


def write_catalogue(home: Path, text: str) -> None:
    file = home / "config" / "catalogue.toml"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)


OWN = """
[mine]
repository = "me/mine-GGUF"
parameters = "8B"
files = { Q5_0 = "mine-Q5_0.gguf" }
licence = "mit"
context = 4096
source = "I made it"
drafts = [ { model = "shell" } ]
"""


def test_a_user_can_add_entries_and_replace_ours(home: Path) -> None:
    write_catalogue(home, OWN + OWN.replace("[mine]", "[qwen3-8b]"))
    assert catalogue.reference("mine") == Reference("me/mine-GGUF", "Q5_0")
    assert catalogue.reference("qwen3-8b:Q8_0") == Reference("me/mine-GGUF", "Q8_0")
    assert catalogue.catalogue()["mine"].drafts[0].kind == "small model"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[mine", "cannot be used"),
        ("mine = 1", ".mine. is no table"),
        (OWN.replace("licence", "license"), "license|licence"),
        (OWN.replace("4096", '"4096"'), "context of .mine. is no int"),
        (OWN.replace("me/mine-GGUF", "../../etc"), "is not user/repo"),
        (OWN.replace('{ Q5_0 = "mine-Q5_0.gguf" }', "{}"), "does not name a file"),
        (OWN.replace('model = "shell"', 'kind = "MTP"'), "does not name its model"),
        (OWN.replace('model = "shell"', 'model = "shell", kind = "x"'), "of no kind known"),
    ],
)
def test_mistakes_in_it_are_one_sentence(home: Path, text: str, words: str) -> None:
    write_catalogue(home, text)
    with pytest.raises(UsageError, match=words):
        catalogue.catalogue()
    assert json.dumps(models.resolve("shell")[0].name)  # what needs no catalogue goes on
