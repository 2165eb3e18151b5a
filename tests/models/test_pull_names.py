"""What a model is called on the hub is what it is called here, whatever else is there and here."""

from pathlib import Path

import pytest
from hub_server import CHUNK, HubServer
from pulls import NAME, Notes, model

from localspec.errors import UsageError
from localspec.models import hub, shelf
from localspec.models.naming import parse
from localspec.models.pull import pull
from localspec.models.resolve import find
from localspec.models.variants import choose, variants

CROWD = [
    "a-Q4_K_M.gguf", "b-Q4_K_M.gguf", "c-Q8_0.gguf", "mmproj-c-Q8_0.gguf", "c-Q8_0.imatrix.gguf",
    "c-draft-Q4_0.gguf", "d-imatrix-Q5_0.gguf", "e-F16-00001-of-00002.gguf",
    "e-F16-00002-of-00002.gguf", "F-BF16.GGUF",
]  # fmt: skip


@pytest.fixture
def crowd(server: HubServer) -> HubServer:
    """A hub whose repository holds files of all kinds."""
    server.repositories[NAME].files = {name: model(i, CHUNK) for i, name in enumerate(CROWD)}
    return server


@pytest.mark.parametrize(
    ("label", "file"),
    [
        ("a-Q4_K_M", "a-Q4_K_M.gguf"),
        ("b-Q4_K_M", "b-Q4_K_M.gguf"),
        ("Q8_0", "c-Q8_0.gguf"),
        ("draft-Q4_0", "c-draft-Q4_0.gguf"),
        ("Q5_0", "d-imatrix-Q5_0.gguf"),
        ("F16", "e-F16-00001-of-00002.gguf"),
        ("BF16", "F-BF16.GGUF"),
    ],
)
def test_the_name_that_a_pull_prints_is_found_here_and_pulled_again(
    crowd: HubServer, label: str, file: str
) -> None:
    pulled = pull(f"{NAME}:{label}", Notes(), draft=False)[0]
    assert (pulled.name, pulled.path.name) == (f"{NAME}:{label}", file)
    assert find(pulled.name) == pulled.path
    assert pull(pulled.name, Notes(), draft=False)[0].fetched == 0
    assert [m.path for m in shelf.shelved()] == [pulled.path]
    assert find(shelf.shelved()[0].name) == pulled.path


def test_nothing_else_of_it_is_a_model(crowd: HubServer) -> None:
    assert {variant.quantization for variant in variants(hub.snapshot(NAME))} == {
        "a-Q4_K_M", "b-Q4_K_M", "Q8_0", "draft-Q4_0", "Q5_0", "F16", "BF16",
    }  # fmt: skip


def test_a_file_of_another_kind_takes_no_name_away(crowd: HubServer) -> None:
    """An earlier version called the model by its file's name, as mmproj files counted."""
    (pulled, _) = pull(f"{NAME}:c-Q8_0", Notes())
    assert pulled.name == f"{NAME}:Q8_0"
    assert find(f"{NAME}:c-q8_0") == find(f"{NAME}:Q8_0") == pulled.path


def test_a_draft_comes_by_its_name_and_alone(crowd: HubServer) -> None:
    assert [p.path.name for p in pull(f"{NAME}:draft-Q4_0", Notes())] == ["c-draft-Q4_0.gguf"]
    with pytest.raises(UsageError, match=r"it has .*draft-Q4_0 \("):
        pull(f"{NAME}:draft-Q8_0", Notes())


def test_a_draft_is_not_what_comes_without_a_name(server: HubServer, home: Path) -> None:
    server.repositories[NAME].files = {
        name: model(i, CHUNK) for i, name in enumerate(("m-Q8_0.gguf", "m-draft-Q4_K_M.gguf"))
    }
    reference = parse(NAME)
    assert reference is not None
    assert choose(hub.snapshot(NAME), reference).quantization == "Q8_0"


def test_parts_may_have_capital_endings_too(server: HubServer) -> None:
    names = [f"m-Q4_K_M-0000{n}-of-00002.GGUF" for n in (1, 2)]
    server.repositories[NAME].files = {name: model(i, CHUNK) for i, name in enumerate(names)}
    pull(NAME, Notes())
    (shelved,) = shelf.shelved()
    assert [file.name for file in shelved.files] == names
