"""Pulling from a hub on this computer: what comes, under which name, and what comes with it."""

import json
from pathlib import Path

import pytest
from command import localspec
from hub_server import HubServer, Repository
from pulls import NAME, Notes, check_nothing_has_a_name, data_of, model

from localspec import models
from localspec.errors import UsageError
from localspec.models import catalogue, hub, shelf
from localspec.models.naming import Reference
from localspec.models.pull import pull
from localspec.models.resolve import find
from localspec.models.variants import choose

# What a pull does -------------------------------------------------------------------------------


def test_a_pulled_file_is_the_one_on_the_hub_and_its_origin_is_known(server: HubServer) -> None:
    listener = Notes()
    (pulled,) = pull(NAME, listener)
    assert pulled.path.read_bytes() == data_of(server)
    assert (pulled.name, pulled.fetched) == (f"{NAME}:Q4_K_M", len(data_of(server)))
    origin = shelf.origin(pulled.path)
    assert origin is not None
    assert (origin.repository, origin.commit) == (NAME, server.repositories[NAME].commit)
    assert [m.name for m in shelf.shelved()] == [f"{NAME}:Q4_K_M"]
    assert listener.seen[-1] == (pulled.fetched, pulled.fetched)
    assert listener.doings == ["repo-Q4_K_M.gguf", "checking repo-Q4_K_M.gguf"]
    assert [done for done, _ in listener.seen] == sorted(done for done, _ in listener.seen)


def test_what_is_here_is_not_fetched_again(server: HubServer, home: Path) -> None:
    (first,) = pull(NAME, Notes())
    downloads = len(server.downloads)
    assert pull(NAME, Notes())[0].fetched == 0
    first.path.with_name(first.path.name + ".json").unlink()  # the record is lost: it is read
    assert pull(NAME, Notes())[0].fetched == 0
    assert shelf.origin(first.path) is not None
    assert len(server.downloads) == downloads


def test_a_newer_file_takes_the_old_ones_place(server: HubServer) -> None:
    (old,) = pull(NAME, Notes())
    server.repositories[NAME].files["repo-Q4_K_M.gguf"] = newer = model(5)
    (new,) = pull(NAME, Notes())
    assert new.path == old.path
    assert new.path.read_bytes() == newer
    assert new.commit != old.commit


def test_models_in_parts_come_whole_and_in_folders(server: HubServer) -> None:
    names = [f"BF16/repo-BF16-0000{i}-of-00003.gguf" for i in (1, 2, 3)]
    server.repositories[NAME].files |= {name: model(i) for i, name in enumerate(names)}
    (pulled,) = pull(f"{NAME}:BF16", Notes())
    (shelved,) = shelf.shelved()
    assert shelved.path == pulled.path
    assert [file.name for file in shelved.files] == [Path(name).name for name in names]
    assert shelved.name == f"{NAME}:BF16"


def test_the_token_goes_to_the_hub_and_nowhere_else(
    server: HubServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.repositories[NAME].token = "hf_secret"
    with pytest.raises(UsageError, match="HF_TOKEN"):
        pull(NAME, Notes())
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    pull(NAME, Notes())
    assert all("authorization" not in headers for headers in server.downloads)


def test_gated_repositories_say_what_to_do(server: HubServer) -> None:
    server.repositories[NAME].gated = True
    with pytest.raises(UsageError, match="accept its terms"):
        pull(NAME, Notes())


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("user/none", "no repository 'user/none'"),
        (f"{NAME}:Q2_K", "does not have Q2_K; it has Q8_0"),
        ("no-such-alias", "not in the catalogue; give user/repo"),
        ("lama-3.1-8b", "did you mean 'llama-3.1-8b'"),
        ("../../etc", "not in the catalogue"),
        ("user/..", "not in the catalogue"),
    ],
)
def test_names_that_are_none_are_refused(server: HubServer, name: str, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        pull(name, Notes())


def test_a_repository_cannot_write_outside_its_folder(server: HubServer, home: Path) -> None:
    server.repositories[NAME].files = {
        "../../../evil-Q4_K_M.gguf": model(),
        "/tmp/evil-Q4_K_M.gguf": model(),
        "a/../../../evil-Q4_K_M.gguf": model(),
        "C:\\evil-Q4_K_M.gguf": model(),
    }
    with pytest.raises(UsageError, match="holds no GGUF files"):
        pull(NAME, Notes())
    check_nothing_has_a_name(home)


@pytest.mark.parametrize("sign", ["\x9b", "\x7f", "\u202e", "\u200b"])
def test_names_that_do_not_show_as_what_they_are_are_left_out(server: HubServer, sign: str) -> None:
    server.repositories[NAME].files = {f"repo-{sign}31m-Q4_K_M.gguf": model()}
    with pytest.raises(UsageError, match="holds no GGUF files"):
        pull(NAME, Notes())


def test_a_sha256_that_is_a_path_leads_nowhere(server: HubServer, tmp_path: Path) -> None:
    ours = tmp_path.resolve() / "ours.part"
    ours.write_bytes(b"precious")
    for path in (str(ours).removesuffix(".part"), "../../../ours", "0" * 63):
        server.faults.sha256 = path
        with pytest.raises(UsageError, match="holds no GGUF files"):
            pull(NAME, Notes())
    assert [file.name for file in tmp_path.iterdir() if file.name.startswith("ours")] == [ours.name]
    assert ours.read_bytes() == b"precious"


def test_files_that_are_no_language_models_are_not_chosen(server: HubServer) -> None:
    files = (
        "mmproj-repo-F16.gguf",
        "repo-Q4_K_M-00001-of-00002.gguf",
        "repo-Q6_K.gguf",
        "README.md",
    )
    server.repositories[NAME].files = {name: model(i) for i, name in enumerate(files)}
    assert choose(hub.snapshot(NAME), Reference(NAME)).quantization == "Q6_K"


# Drafts -----------------------------------------------------------------------------------------


def write_catalogue(home: Path) -> None:
    file = home / "config" / "catalogue.toml"
    file.parent.mkdir(parents=True)
    rest = 'licence="mit"\ncontext=1024\nsource="a test"\n'
    file.write_text(
        f'[big]\nrepository="{NAME}"\nparameters="8B"\nfiles={{Q4_K_M="repo-Q4_K_M.gguf"}}\n{rest}'
        'drafts=[{model="head", kind="EAGLE-3"}, {model="small"}]\n'
        '[small]\nrepository="user/small-GGUF"\nparameters="1B"\n'
        f'files={{Q8_0="small-Q8_0.gguf"}}\n{rest}'
    )


def test_the_draft_of_the_catalogue_comes_with_its_target(server: HubServer, home: Path) -> None:
    write_catalogue(home)
    server.repositories["user/small-GGUF"] = Repository({"small-Q8_0.gguf": model(9)})
    target, draft = pull("big", Notes())
    assert (target.name, draft.name) == (f"{NAME}:Q4_K_M", "user/small-GGUF:Q8_0")
    assert len(pull("big", Notes(), draft=False)) == 1


def test_a_draft_that_cannot_be_had_does_not_keep_the_target(server: HubServer, home: Path) -> None:
    write_catalogue(home)
    listener = Notes()
    (target,) = pull("big", listener)
    assert target.path.exists()
    assert "small was left out" in listener.notes[0]


def test_a_draft_beside_its_target_comes_too(server: HubServer) -> None:
    server.repositories[NAME].files["repo-draft-Q4_0.gguf"] = model(3)
    target, draft = pull(NAME, Notes())
    assert (target.name, draft.name) == (f"{NAME}:Q4_K_M", f"{NAME}:draft-Q4_0")
    assert find(NAME) == target.path
    assert find(draft.name) == draft.path
    assert models.resolve(NAME) == (target.path, draft.path)  # and guesses for it
    assert models.resolve(draft.name) == (draft.path, None)


# Looking without fetching -----------------------------------------------------------------------


@pytest.mark.parametrize("ignores_ranges", [False, True])
def test_a_model_that_is_not_here_can_be_reckoned(
    server: HubServer, home: Path, ignores_ranges: bool
) -> None:
    shell = models.embedded("shell").target.read_bytes()
    server.repositories[NAME].files = {"shell-Q5_0.gguf": shell}
    server.faults.ignores_ranges = ignores_ranges
    done = localspec("models", "fit", NAME, "--json")
    assert done.returncode == 0, done.stderr
    (here,) = (p for p in json.loads(done.stdout)["plans"] if p["cache"] == "f16")
    assert here["needs"]["target"]["weights"] > 44e6
    assert shelf.shelved() == []
    if not ignores_ranges:
        assert server.downloads[0]["range"] == f"bytes=0-{(16 << 20) - 1}"


def test_our_own_catalogue_stays_out_of_this() -> None:
    """The tests above bring their own entries; none of ours may be called like those."""
    assert not {"big", "small", "head"} & catalogue.catalogue().keys()
