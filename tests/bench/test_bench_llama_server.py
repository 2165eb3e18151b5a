"""llama-server beside localspec: its flags, its life and its end, with a small Python server."""

import os
import sys
from contextlib import ExitStack
from pathlib import Path

import fake_llama_server
import pytest

from localspec.bench.contest import Question, Run
from localspec.bench.llama_server import serving, surviving
from localspec.bench.llama_server_flags import Site, help_of, settings
from localspec.decoding.sampling import Sampling
from localspec.errors import LocalspecError, UsageError

QUESTION = Question("a", 0, (1, 2, 3))


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return fake_llama_server.install(tmp_path, monkeypatch)


def pids(server: Path) -> list[int]:
    return [int(line) for line in server.with_name("pids").read_text().split()]


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def site(server: Path) -> Site:
    target, draft = server.with_name("t.gguf"), server.with_name("d.gguf")
    return Site(server, help_of(server), target, draft, 512, 2, repacking=False)


SAMPLING = Sampling(temperature=0, seed=1)


def test_flags_are_those_that_the_help_knows(server: Path) -> None:
    draft = Path("d.gguf")
    plain, default, *rest = settings(help_of(server), draft, every=True)
    assert plain.flags == ()
    assert default.flags == ("--spec-draft-model", "d.gguf", "--spec-type", "draft-simple")
    assert rest[-1].flags == ("--spec-type", "ngram-simple")
    flags = {setting.name: setting.flags[4:] for setting in rest}
    assert flags["n_max 7, p_min 0.6"] == ("--spec-draft-n-max", "7", "--spec-draft-p-min", "0.6")
    assert [s.name for s in settings(help_of(server), draft, every=False)] == ["plain", "default"]
    assert [s.name for s in settings(help_of(server), None, every=False)] == ["plain"]
    old = "--model --port\n-md, --model-draft F\n--draft-max N  --draft-p-min P"
    assert settings(old, draft, every=False)[1].flags == ("--model-draft", "d.gguf")
    assert settings(old, draft, every=True)[2].flags[2::2] == ("--draft-max", "--draft-p-min")
    with pytest.raises(UsageError, match="spec-draft-model"):
        settings("--model --port", draft, every=False)


def test_what_is_no_server_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be run"):
        help_of(tmp_path / "nothing")
    with pytest.raises(UsageError, match="no llama-server"):
        help_of(Path(sys.executable))


def test_a_server_answers_and_is_gone_afterwards(
    server: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LLAMA_ARG_THREADS", "99")
    plain, default = settings(help_of(server), Path("d.gguf"), every=False)
    with (
        serving(site(server), plain, SAMPLING, 24) as first,
        serving(site(server), default, SAMPLING, 24) as second,
    ):
        assert first.answer(QUESTION) == Run(13.0, 24)
        assert second.answer(QUESTION) == Run(14.0, 24, drafted=7)
        command = Path(f"/proc/{pids(server)[0]}")
        if command.exists():
            assert b"LLAMA_ARG_THREADS" not in (command / "environ").read_bytes()
            assert b"--no-repack" in (command / "cmdline").read_bytes()
        assert all(map(is_alive, pids(server)))
    assert len(pids(server)) == 2
    assert not any(map(is_alive, pids(server)))


@pytest.mark.parametrize(
    ("crashes", "server_dies", "repacked"),
    [(False, True, True), (True, True, False), (True, False, True)],
    ids=["nothing is known against it", "it dies, too", "it is another build"],
)
def test_weights_are_repacked_where_the_server_survives_it(
    server: Path,
    monkeypatch: pytest.MonkeyPatch,
    crashes: bool,
    server_dies: bool,
    repacked: bool,
) -> None:
    monkeypatch.setattr("localspec.bench.llama_server.amx_crashes", lambda model: crashes)
    monkeypatch.setenv("FAKE", "dies" if server_dies else "")
    assert surviving(site(server)._replace(repacking=True)).repacking is repacked


def test_a_server_is_ended_whatever_happens(server: Path) -> None:
    plain, _ = settings(help_of(server), Path("d.gguf"), every=False)
    with pytest.raises(KeyboardInterrupt), serving(site(server), plain, SAMPLING, 24):
        raise KeyboardInterrupt
    assert not is_alive(pids(server)[0])


def test_a_server_that_dies_is_quoted(server: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plain, _ = settings(help_of(server), Path("d.gguf"), every=False)
    monkeypatch.setenv("FAKE", "dies")
    with ExitStack() as stack, pytest.raises(LocalspecError, match="no such tensor"):
        stack.enter_context(serving(site(server), plain, SAMPLING, 24))


def test_an_answer_without_figures_is_refused(
    server: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain, _ = settings(help_of(server), Path("d.gguf"), every=False)
    monkeypatch.setenv("FAKE", "babbles")
    with serving(site(server), plain, SAMPLING, 24) as babbler:  # noqa: SIM117
        with pytest.raises(LocalspecError, match="no usable answer"):
            babbler.answer(QUESTION)
