"""`localspec models …` as a person or a script meets it, and files that llama.cpp dies on."""

import io
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import command
import gguf_bytes
import numpy as np
import pytest
from command import Done, localspec
from gguf_bytes import ARCHITECTURE, ARRAY, FLOAT32, STRING, UINT32, array, entry, tensor, text

from localspec import models
from localspec.errors import ModelError
from localspec.llama import child, kernels, trial
from localspec.models import shelf, usage
from localspec.models.catalogue import catalogue
from localspec.models.fingerprint import fingerprint, sha256

PAIR = models.embedded("shell")


def run(*arguments: str) -> Done:
    return localspec("models", *arguments)


def document(*arguments: str, code: int = 0) -> Any:
    done = run(*arguments, "--json")
    assert (done.returncode, done.stderr) == (code, ""), done.stderr
    return json.loads(done.stdout)


def refused(*arguments: str) -> str:
    return command.refused("models", *arguments)


def put(name: str, data: bytes, repository: str = "user/repo") -> Path:
    """A file on the shelf, as if it had been pulled."""
    path = shelf.folder(repository) / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    shelf.record(path, shelf.Origin(repository, "c0ffee", sha256(path), "2026-11-25T00:00:00"))
    return path


def number(key: str, value: int) -> bytes:
    return entry(key, UINT32, value.to_bytes(4, "little"))


def tiny_llama(**sizes: int) -> bytes:
    """Sound by its structure. Its tokenizer lacks the tokens for bytes, which llama.cpp asks for
    without looking whether they are there: it throws, and nobody catches that.
    """
    sizes = {
        "context_length": 64, "embedding_length": 32, "block_count": 1, "feed_forward_length": 32,
        "attention.head_count": 1, **sizes,
    }  # fmt: skip
    tokens = [text(word) for word in ("<unk>", "<s>", "</s>", "a")]
    fields = [
        ARCHITECTURE,
        entry("llama.attention.layer_norm_rms_epsilon", FLOAT32, np.float32(1e-5).tobytes()),
        entry("tokenizer.ggml.model", STRING, text("llama")),
        entry("tokenizer.ggml.tokens", ARRAY, array(STRING, 4, b"".join(tokens))),
        entry("tokenizer.ggml.scores", ARRAY, array(FLOAT32, 4, bytes(16))),
        *(number(f"llama.{key}", size) for key, size in sizes.items()),
    ]
    block = ("attn_q", "attn_k", "attn_v", "attn_output", "ffn_gate", "ffn_up", "ffn_down")
    shapes: dict[str, tuple[int, ...]] = {"token_embd": (32, 4), "output_norm": (32,)}
    shapes |= {f"blk.0.{name}": (32, 32) for name in block}
    shapes |= {"blk.0.attn_norm": (32,), "blk.0.ffn_norm": (32,)}
    offsets = np.cumsum([0] + [4 * int(np.prod(shape)) for shape in shapes.values()])
    tensors = [
        tensor(f"{name}.weight", shape, offset=int(offset))
        for (name, shape), offset in zip(shapes.items(), offsets, strict=False)
    ]
    return gguf_bytes.gguf(fields, tensors, weights=int(offsets[-1]))


DEADLY = {
    "an exception through C": (tiny_llama(), "unordered_map::at"),
    "an assertion": (tiny_llama(block_count=100_000), "GGML_ASSERT"),
}


# Files that llama.cpp dies on -------------------------------------------------------------------


@pytest.mark.parametrize("name", DEADLY)
def test_a_file_that_llama_cpp_dies_on_is_an_error(tmp_path: Path, name: str) -> None:
    data, reason = DEADLY[name]
    path = tmp_path / "deadly.gguf"
    path.write_bytes(data)
    with pytest.raises(ModelError, match=f"dies on .*{reason}.*do not use it"):
        kernels.way(path)
    in_a_child = [sys.executable, "-m", "localspec", "generate", "-m", str(path), "hi"]
    done = subprocess.run(in_a_child, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.count("\n") == 1


def test_nothing_in_the_folder_one_stands_in_is_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Modules of these names are imported by whatever tries a file."""
    for name in ("json", "psutil", "numpy"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('this is somebody else')")
    monkeypatch.chdir(tmp_path)
    assert trial.attempt(PAIR.draft, size=0, repack=False) == trial.Outcome("works")


def test_a_file_that_llama_cpp_refuses_says_why(tmp_path: Path) -> None:
    path = tmp_path / "short.gguf"
    path.write_bytes(gguf_bytes.gguf([ARCHITECTURE], [tensor("a")], weights=128))
    with pytest.raises(ModelError, match=r"cannot load .*context_length"):
        kernels.way(path)


def test_a_file_that_works_is_tried_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[Path] = []
    attempt = trial.attempt

    def counted(model: Path, **options: Any) -> trial.Outcome:
        tried.append(model)
        return attempt(model, **options)

    monkeypatch.setattr(kernels, "attempt", counted)
    moved = tmp_path / "moved.gguf"
    moved.write_bytes(PAIR.draft.read_bytes())
    assert kernels.way(PAIR.draft) == kernels.way(moved)
    assert PAIR.draft in tried
    assert moved not in tried  # the same content, under another name


def test_a_cache_that_cannot_be_written_costs_time_and_nothing_else(home: Path) -> None:
    home.mkdir()
    (home / "cache").write_text("a file where a folder should be")
    (home / "state").write_text("and here")
    assert kernels.way(PAIR.draft)
    usage.used(PAIR.draft)
    assert usage.last_used() == {}


@pytest.mark.parametrize(
    "end", ["os.kill(os.getpid(), signal.SIGINT)", "sys.exit('KeyboardInterrupt')"]
)
def test_ctrl_c_is_not_remembered_as_the_death_of_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, home: Path, end: str
) -> None:
    """A terminal sends it to the child that tries a file, too; at first Python ends with a 1."""
    (tmp_path / "interrupted.py").write_text(f"import os, signal, sys\n{end}\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    run_child = child.run
    monkeypatch.setattr(child, "run", lambda _, *rest, **limits: run_child("interrupted", **limits))
    with pytest.raises(KeyboardInterrupt):
        kernels.way(PAIR.draft)
    assert not (home / "cache" / "kernels.json").exists()


@pytest.mark.parametrize(
    ("seconds", "memory", "words"),
    [(0.2, 1 << 40, "does not end"), (1e9, 1, "more than 1 bytes of memory")],
)
def test_a_child_is_held_to_its_limits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seconds: float, memory: int, words: str
) -> None:
    (tmp_path / "endless.py").write_text("import time\nwhile True:\n    time.sleep(1)\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    assert words in child.run("endless", seconds=seconds, memory=memory).exceeded


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """How models are tried."""
    noted: list[dict[str, Any]] = []

    def attempt(model: Path, **options: Any) -> trial.Outcome:
        noted.append(options)
        return trial.attempt(model, **options)

    monkeypatch.setattr(kernels, "attempt", attempt)
    return noted


def test_a_model_larger_than_memory_is_tried_without_its_weights(
    seen: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("localspec.cgroups.memory_free", lambda: 1 << 20)
    kernels.way(PAIR.draft)
    assert (seen[0]["decode"], seen[0]["repack"]) == (False, False)


def test_widths_are_not_compared_for_a_gpu_whose_kernels_are_others(
    seen: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kernels, "on_cpu", lambda gpu_layers: False)
    assert kernels.way(PAIR.draft).even is None
    assert {options["compare"] for options in seen} == {False}


# What is said of files --------------------------------------------------------------------------


def test_the_list_shows_what_is_here_and_what_there_is() -> None:
    put("m-Q8_0.gguf", PAIR.draft.read_bytes())
    put("broken-Q4_0.gguf", b"GGUF and nothing more")
    listed = document("list", "--all")
    shell, broken, pulled = listed["models"]
    assert (shell["name"], shell["draft"]) == ("shell", PAIR.draft.stem)
    assert (pulled["name"], pulled["context_length"]) == ("user/repo:Q8_0", 1024)
    assert "damaged" in broken["problem"]
    assert {"qwen3-8b", "llama-3.1-8b"} <= {entry["name"] for entry in listed["catalogue"]}
    in_a_child = [sys.executable, "-m", "localspec", "models", "list"]
    page = subprocess.run(in_a_child, capture_output=True, encoding="utf-8", check=True).stdout
    assert "user/repo:Q8_0" in page
    assert "is a damaged GGUF file" in page


def test_show_has_a_summary_and_each_part() -> None:
    shown = document("show", "shell")
    assert (shown["architecture"], shown["quantization"]) == ("qwen3", "Q5_0")
    assert shown["keys"]["qwen3.block_count"] == 12
    assert len(shown["tensors"]) == 134
    assert "16384 tokens" in run("show", "shell").stdout
    assert "im_start" in run("show", "shell", "--template").stdout
    assert "blk.11.ffn_up.weight" in run("show", "shell", "--tensors").stdout
    assert "qwen3.block_count = 12" in run("show", "shell", "--keys").stdout


def test_what_the_catalogue_knows_of_a_template_is_told() -> None:
    put("m-Q8_0.gguf", PAIR.draft.read_bytes(), catalogue()["gemma-3-1b"].repository)
    shown = run("show", "gemma-3-1b:Q8_0").stdout
    assert "has no system role" in " ".join(shown.split())
    known = {entry["name"]: entry["template"] for entry in document("list", "--all")["catalogue"]}
    assert "has no system role" in known["gemma-3-1b"]
    assert known["llama-3.1-8b"] is None


def test_show_is_not_fooled_by_what_a_file_says(tmp_path: Path) -> None:
    path = tmp_path / "sly.gguf"
    fields = [ARCHITECTURE, entry("general.name", STRING, text("\x1b]0;owned\x07sly"))]
    path.write_bytes(gguf_bytes.gguf(fields, [tensor("a")], weights=128))
    assert document("show", str(path))["name"].endswith("sly")
    assert "\x1b" not in json.dumps(document("show", str(path)))


def test_verify_goes_from_structure_to_a_load() -> None:
    checks = document("verify", "shell")["checks"]
    assert [(check["subject"], check["state"]) for check in checks] == [
        ("structure", "ok"),
        ("content", "warning"),  # nothing is recorded of it
        ("load", "ok"),
    ]
    put("m-Q8_0.gguf", PAIR.draft.read_bytes())
    assert {c["state"] for c in document("verify", "user/repo")["checks"]} == {"ok"}


def test_verify_finds_a_file_that_changed() -> None:
    path = put("m-Q8_0.gguf", PAIR.draft.read_bytes())
    with path.open("r+b") as file:
        file.seek(-1, os.SEEK_END)
        last = file.read(1)[0]
        file.seek(-1, os.SEEK_END)
        file.write(bytes([last ^ 1]))
    found = document("verify", "user/repo", code=1)
    assert found["checks"][-1]["state"] == "failed"
    assert "changed since it was pulled" in found["checks"][-1]["detail"]


def test_rm_asks_and_deletes_only_what_was_pulled(tmp_path: Path) -> None:
    path = put("m-Q8_0.gguf", PAIR.draft.read_bytes())
    assert "add --yes" in refused("rm", "user/repo")
    assert path.exists()
    assert document("rm", "user/repo", "--yes")["freed"] == PAIR.draft.stat().st_size
    assert not path.exists()
    other = tmp_path / "other.gguf"
    other.write_bytes(b"GGUF")
    assert "was not pulled" in refused("rm", str(other), "--yes")
    assert "came with localspec" in refused("rm", "shell", "--yes")
    assert other.exists()
    assert PAIR.target.exists()


def test_twins_that_bench_made_are_listed_and_deleted(home: Path) -> None:
    assert "There are no twins here" in refused("rm", "twins", "--yes")
    assert document("list")["twins"] == 0
    assert "twins" not in run("list").stdout
    for name in ("llama-3.1-8b-Q4_0-1234.gguf", "qwen3-8b-Q4_0-12.part"):
        twin = home / "cache" / "twins" / name
        twin.parent.mkdir(parents=True, exist_ok=True)
        twin.write_bytes(bytes(1_000_000))
    assert document("list")["twins"] == 2_000_000
    assert "twins\n  2.0 MB · made by bench --shape" in run("list").stdout
    assert "add --yes" in refused("rm", "twins")
    assert document("rm", "twins", "--yes") == {"name": "twins", "freed": 2_000_000}
    assert not list(twin.parent.iterdir())


@pytest.mark.parametrize(("typed", "gone"), [("y\n", True), ("n\n", False), ("", False)])
def test_rm_goes_by_what_a_person_types(
    monkeypatch: pytest.MonkeyPatch, typed: str, gone: bool
) -> None:
    path = put("m-Q8_0.gguf", PAIR.draft.read_bytes())
    terminal = io.StringIO(typed)
    monkeypatch.setattr(terminal, "isatty", lambda: True)
    monkeypatch.setattr(sys, "stdin", terminal)
    done = run("rm", "user/repo")
    assert (done.returncode, done.stderr) == (0 if gone else 1, "")
    assert ("Nothing was deleted" in done.stdout) == path.exists() == (not gone)


def test_what_comes_with_localspec_is_not_pulled() -> None:
    words = "localspec: shell comes with localspec; there is nothing to pull.\n"
    assert refused("pull", "shell") == words


def test_names_that_are_none_are_one_sentence() -> None:
    for action in ("show", "rm", "verify", "pair", "fit"):
        assert "did you mean 'shell'" in refused(action, "shel")
    assert "There is no action 'fly'; there are list" in refused("fly")


def test_fingerprints_go_by_content(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    one.write_bytes(bytes(5_000_000))
    two.write_bytes(bytes(5_000_000))
    assert fingerprint(one) == fingerprint(two)
    two.write_bytes(bytes(5_000_001))
    assert fingerprint(one) != fingerprint(two)
    two.write_bytes(bytes(2_500_000) + b"x" * 200_000 + bytes(2_300_000))
    assert fingerprint(one) != fingerprint(two)
    with pytest.raises(ModelError):
        fingerprint(tmp_path / "none")
