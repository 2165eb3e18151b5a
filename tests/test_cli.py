"""The command line as a person or a script meets it, in processes of its own where it matters."""

import contextlib
import errno
import io
import json
import os
import re
import signal
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
from command import localspec, refused

from localspec import cli, doctor, streams
from localspec.arguments import parsers
from localspec.models import embedded

QUESTION = "How do I list files by size?"
ROOT = Path(__file__).parents[1]


def process(*arguments: str, **options: Any) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "localspec", *arguments],
        capture_output=True,
        encoding="utf-8",
        check=False,
        **options,
    )


def talking(folder: Path) -> "subprocess.Popen[bytes]":
    """A command in the middle of an answer that is longer than the pipe it is written into,
    whatever the sums of this computer: it cannot end before the test has read it."""
    schema = folder / "long.json"
    schema.write_text(json.dumps({"enum": ["information " * 400]}))
    arguments = ["generate", "--temperature", "0", "--json-schema", str(schema), "1 2 3"]
    return subprocess.Popen(
        [sys.executable, "-m", "localspec", *arguments],
        bufsize=0,  # a byte is read, not all there is
        pipesize=4096,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def shown(*arguments: str, **variables: str) -> str:
    """What a terminal of 80 columns is sent by a command that runs in it."""
    import pty
    import termios

    terminal, inside = pty.openpty()
    termios.tcsetwinsize(inside, (24, 80))
    command = [sys.executable, "-m", "localspec", *arguments]
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "", **variables}
    with subprocess.Popen(command, stdin=inside, stdout=inside, stderr=inside, env=environment):
        os.close(inside)
        said = b""
        with open(terminal, "rb", buffering=0) as reader, contextlib.suppress(OSError):
            while piece := reader.read(4096):
                said += piece
    return said.decode().replace("\r\n", "\n")


def test_the_same_tokens_with_speculation_off_auto_and_5() -> None:
    documents = []
    for speculation in ("off", "auto", "5"):
        run = localspec(
            "generate", "--json", "--seed", "7", "--temperature", "0.8",
            "--speculation", speculation, QUESTION,
        )  # fmt: skip
        assert run.returncode == 0, run.stderr
        documents.append(json.loads(run.stdout))
    assert documents[0]["tokens"] == documents[1]["tokens"] == documents[2]["tokens"]
    assert [d["speculation"]["mode"] for d in documents] == ["off", "auto", 5]
    plain, fixed = documents[0], documents[2]
    assert plain["speculation"]["draft_tokens"] == 0 < fixed["speculation"]["draft_tokens"]
    assert plain["speculation"]["acceptance_rate"] is None, "nothing is no share of nothing"
    assert 0 < fixed["speculation"]["acceptance_rate"] <= 1
    assert plain["usage"]["completion_tokens"] == len(plain["tokens"]) + 1  # the end counts
    assert plain["timings"]["predicted_per_second"] > 0
    assert plain["speculation"]["estimated_plain_per_second"] > 0


def test_an_answer_goes_to_standard_output_and_nothing_else_does() -> None:
    run = process("generate", "--temperature", "0", "--max-tokens", "12", "-", input=QUESTION)
    assert run.returncode == 0
    assert run.stdout.endswith("\n")
    assert run.stdout.strip()
    assert run.stderr == ""


@pytest.mark.skipif(os.name == "nt", reason="terminals are made otherwise there")
@pytest.mark.parametrize(("term", "grey"), [("xterm", True), ("dumb", False)])
def test_a_terminal_gets_a_quiet_line_that_explains_itself(term: str, grey: bool) -> None:
    said = shown("generate", "--speculation", "3", "--temperature", "0", QUESTION, TERM=term)
    *_, line = said.splitlines()
    assert line.startswith("\x1b[2m") == ("\x1b" in said) == grey
    quiet = line.removeprefix("\x1b[2m").removesuffix("\x1b[0m")
    assert len(quiet) <= 80
    assert re.fullmatch(
        r"\d+ tokens · \d+ tokens/s, \d+ without guessing \(\d+\.\d\d×\) "
        r"· \d+ of \d+ guesses held",
        quiet,
    )


@pytest.mark.skipif(os.name == "nt", reason="terminals are made otherwise there")
def test_a_terminal_gets_no_torn_words() -> None:
    assert shown("models", "show", "llama-3.1-8b") == (
        "localspec: llama-3.1-8b is not on this computer; localspec models pull\n"
        "llama-3.1-8b gets it.\n"
    )


@pytest.mark.parametrize("arguments", [[], ["models"]])
def test_nothing_to_do_shows_what_there_is(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as left:
        cli.main(arguments)
    out, err = capsys.readouterr()
    assert (left.value.code, out) == (2, "")
    assert err.startswith(" ".join(["usage: localspec", *arguments]))


def test_a_mistake_is_the_exit_code_of_the_process() -> None:
    run = process("generate", "--temperature", "-1", "hi")
    assert (run.returncode, run.stdout, run.stderr.count("\n")) == (2, "", 1)


def test_files_that_are_no_models_are_one_sentence_and_1(tmp_path: Path) -> None:
    (tmp_path / "text.gguf").write_text("hello")
    assert "no file" in refused("generate", "-m", str(tmp_path / "none.gguf"), "hi", code=1)
    assert "not a GGUF" in refused("generate", "-m", str(tmp_path / "text.gguf"), "hi", code=1)


def test_standard_input_that_is_not_utf8_is_refused() -> None:
    run = subprocess.run(
        [sys.executable, "-m", "localspec", "generate", "-"],
        input=b"caf\xe9",
        capture_output=True,
        check=False,
    )
    assert (run.returncode, run.stdout) == (2, b"")
    assert b"not UTF-8 (byte 4)" in run.stderr


def test_files_as_windows_writes_them_are_read_alike(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    schema = tmp_path / "schema.json"
    schema.write_text('{"type": "boolean"}\r\n', encoding="utf-8-sig", newline="")
    typed = io.TextIOWrapper(io.BytesIO(f"\ufeff{QUESTION}\r\n".encode()))
    monkeypatch.setattr("sys.stdin", typed)
    common = ("generate", "--json", "--temperature", "0", "--json-schema", str(schema))
    read, said = (localspec(*common, prompt).stdout for prompt in ("-", QUESTION))
    assert json.loads(read)["usage"] == json.loads(said)["usage"]
    assert json.loads(read)["text"] in ("true", "false")


@pytest.mark.skipif(os.name == "nt", reason="signals are sent otherwise there")
def test_ctrl_c_keeps_what_was_said(tmp_path: Path) -> None:
    with talking(tmp_path) as process:
        assert process.stdout
        begin = process.stdout.read(1)
        process.send_signal(signal.SIGINT)
        rest, error = process.communicate()
    assert process.returncode == 130
    assert begin + rest
    assert b"Traceback" not in error


@pytest.mark.skipif(os.name == "nt", reason="pipes close otherwise there")
@pytest.mark.parametrize("name", ["localspec.cli", "localspec.arguments", "numpy"])
def test_ctrl_c_while_much_is_still_to_be_imported_is_quiet(name: str) -> None:
    installed = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"]
    module, main = installed["localspec"].split(":")
    code = f"""if True:
        import os, signal, sys
        class Impatient:
            def find_spec(self, name, *_):
                if name == {name!r}:
                    try:
                        os.kill(os.getpid(), signal.SIGINT)
                    except KeyboardInterrupt:
                        if name == "numpy":
                            raise ImportError("as it says") from None
                        raise
        sys.meta_path.insert(0, Impatient())
        from {module} import {main} as main
        sys.exit(main())"""
    command = [sys.executable, "-c", code, "doctor"]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (run.returncode, run.stdout, run.stderr) == (130, "", "")


def test_a_reader_that_has_seen_enough_is_no_error(tmp_path: Path) -> None:
    with talking(tmp_path) as process:
        assert process.stdout
        assert process.stderr
        process.stdout.read(1)
        process.stdout.close()
        error = process.stderr.read()
        process.wait()
    assert (process.returncode, error) == (0, b"")


def test_windows_says_in_another_way_that_the_reader_has_gone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Unread(io.StringIO):
        def flush(self) -> None:
            raise OSError(errno.EINVAL, "Invalid argument")

    monkeypatch.setattr(streams, "_UNREAD", {errno.EINVAL})
    monkeypatch.setattr(sys, "stdout", Unread())
    assert cli.main(["models", "list"]) == 0


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="nothing is full there")
@pytest.mark.parametrize(
    ("streams", "arguments", "code", "words"),
    [
        (">/dev/full", "models list", 1, "The output cannot be written (No space left"),
        (">/dev/full", "--help", 1, "The output cannot be written (No space left"),
        (">&-", "models list", 1, "The output cannot be written (Bad file descriptor)"),
        ("<&-", "generate -", 2, "Standard input cannot be read (Bad file descriptor)"),
        ("2>&-", "models fly", 2, ""),
        ("2>/dev/full", "models fly", 2, ""),
    ],
)
def test_closed_and_full_streams_are_one_sentence(
    streams: str, arguments: str, code: int, words: str
) -> None:
    run = subprocess.run(
        f"{sys.executable} -m localspec {arguments} {streams}",
        shell=True,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONUNBUFFERED": ""},
    )
    assert (run.returncode, run.stdout) == (code, ""), run.stderr
    assert run.stderr.count("\n") == (1 if words else 0)
    assert words in run.stderr


def test_what_goes_wrong_cannot_harm_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(verb: str) -> None:
        raise ValueError("not \x1b]52;c;cHduZWQ=\x07 again")

    monkeypatch.setattr(cli, "import_module", fails)
    told = refused("doctor", code=1)
    assert "(ValueError: not ]52;c;cHduZWQ= again)" in told
    assert told[:-1].isprintable()


def test_doctor_finds_this_computer_fit() -> None:
    run = process("doctor", "--json", env={**os.environ, "LOCALSPEC_SERVE_PORT": "9000"})
    document = json.loads(run.stdout)
    assert run.returncode == 0, document
    states = {finding["subject"]: finding["state"] for finding in document["findings"]}
    assert states["shell pair"] == states["exactness"] == "ok"
    told = [f["detail"] for f in document["findings"] if f["subject"] == "setting"]
    assert told == ["serve.port = 9000 (LOCALSPEC_SERVE_PORT)"]


def test_doctor_knows_the_keys_of_the_chat(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOCALSPEC_HOME", str(tmp_path))
    monkeypatch.setattr(doctor, "_answers", lambda: iter(()))
    settings = tmp_path / "config" / "config.toml"
    settings.parent.mkdir()
    settings.write_text('[keys]\nchats = "f2"\n')
    assert "keys.chats = f2" in localspec("doctor").stdout
    settings.write_text('[keys]\nchatz = "f2"\n')
    run = localspec("doctor")
    assert run.returncode == 1
    assert "did you mean 'chats'?" in " ".join(run.stdout.split())


def test_doctor_says_how_to_get_kernels_that_do_not_crash(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "_answers", lambda: iter(()))
    monkeypatch.setattr("localspec.llama.kernels.amx_crashes", lambda model: True)
    run = localspec("doctor")
    assert run.returncode == 0
    assert "! fast kernels" in run.stdout
    assert "-fno-tree-dse" in run.stdout


def test_doctor_says_what_to_do_where_a_folder_cannot_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "home").write_text("a file, not a folder")
    monkeypatch.setenv("LOCALSPEC_HOME", str(tmp_path / "home"))
    run = localspec("doctor")
    assert run.returncode == 1
    assert "✗ folders" in run.stdout
    assert "LOCALSPEC_HOME" in run.stdout


def test_a_terminal_that_knows_few_signs_is_no_error() -> None:
    ascii_only = {**os.environ, "PYTHONIOENCODING": "ascii"}
    assert process("models", "list", env=ascii_only).stdout.startswith("shell\n  45.3 MB ? ")
    run = process("generate", "--json", "--raw", "--max-tokens", "1", "ö", env=ascii_only)
    assert json.loads(run.stdout)["tokens"]


@pytest.mark.skipif(sys.platform != "linux", reason="names are characters there")
def test_paths_that_are_no_characters_are_paths_all_the_same(tmp_path: Path) -> None:
    model = tmp_path / os.fsdecode(b"m\xff.gguf")
    model.symlink_to(embedded("shell").draft)
    own = ("-m", str(model), "--draft", "none", "--max-tokens", "1")
    assert localspec("generate", *own, "--raw", "ls").returncode == 0
    assert localspec("models", "fit", str(model)).returncode == 0
    shown = process("models", "show", "--json", str(model)).stdout
    assert json.loads(shown)["files"] == [str(model)]


def test_every_verb_explains_itself_in_eighty_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("LOCALSPEC_HOME", "/home")
    parser, verbs = parsers()
    actions = next(iter(verbs["models"]._subparsers._group_actions)).choices  # type: ignore[union-attr]
    for verb in (*verbs.values(), *actions.values()):  # type: ignore[union-attr]
        text = verb.format_help()
        assert max(map(len, text.splitlines())) <= 80, verb.prog
        assert f"Example: {verb.prog}" in text or verb is verbs["models"]
    assert "a JSON document a line" in verbs["batch"].format_help()
    assert "--json" not in verbs["chat"].format_help()
    text = parser.format_help()
    assert max(map(len, text.splitlines())) <= 80
    assert "/home/config/config.toml" in text


def test_starting_is_quick() -> None:
    """No figure is asserted but that heavy parts stay out until they are needed."""
    code = "import sys, localspec.cli; print('numpy' in sys.modules, 'jinja2' in sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.split() == ["False", "False"]
    assert "generate" in process("--help").stdout


def test_every_package_is_installed() -> None:
    """The list in pyproject.toml is written by hand; a source tree does without it."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]
    folders = [file.parent.relative_to(ROOT) for file in ROOT.glob("*/**/__init__.py")]
    ours = [folder for folder in folders if folder.parts[0] in {"localspec", "models", "tui"}]
    dotted = {".".join(folder.parts) for folder in ours}
    inside = {name if name.startswith("localspec") else f"localspec.{name}" for name in dotted}
    inside.add("localspec.models.shell")  # files alone
    assert sorted(settings["packages"]) == sorted(inside)
