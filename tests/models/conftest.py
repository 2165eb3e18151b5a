"""A home of one's own, and a hub on this computer."""

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from hub_server import CHUNK, HubServer, Repository
from huggingface_hub import constants
from huggingface_hub.utils import close_session
from pulls import NAME, PATIENCE, model


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LOCALSPEC_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hub"))
    monkeypatch.setenv("HF_HUB_DOWNLOAD_TIMEOUT", str(PATIENCE))
    monkeypatch.delenv("HF_TOKEN", raising=False)
    return tmp_path / "home"


@pytest.fixture
def server(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[HubServer]:
    """A hub that this process and its children know as the hub."""
    repository = Repository({"repo-Q4_K_M.gguf": model(), "repo-Q8_0.gguf": model(1, 2 * CHUNK)})
    with HubServer({NAME: repository}) as server:
        monkeypatch.setenv("HF_ENDPOINT", server.address)
        monkeypatch.setattr(constants, "ENDPOINT", server.address)
        template = server.address + "/{repo_id}/resolve/{revision}/{filename}"
        monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
        monkeypatch.setattr(constants, "HF_HUB_DOWNLOAD_TIMEOUT", PATIENCE)
        monkeypatch.setattr(
            "huggingface_hub.file_download.time", SimpleNamespace(sleep=lambda _: 0)
        )
        yield server
        close_session()
