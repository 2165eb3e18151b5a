"""Links, files, commands and flags that pages name exist, and the Python they show runs."""

import contextlib
import io
import os
import re
import runpy
import shlex
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from localspec.arguments import parsers
from localspec.arguments.parser import Parser
from localspec.errors import UsageError
from localspec.runtime import Options

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
PAGES = sorted(
    page
    for room in (".", "docs", "docs/decisions", "benchmarks", "models/shell")
    for page in (ROOT / room).glob("*.md")
)
NAMED_BY_OTHERS = {
    *("--max-num-seqs", "--shutdown-timeout", "--tool-call-parser", "--tensor-split"),
    *("--stream-interval", "--http2", "--async", "--schema", "--max-examples", "--cpus"),
    "--auth-type",
}
"""Flags of other programs, which pages speak of."""

per_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))


@cache
def files() -> frozenset[str]:
    """Of the repository, from its root."""
    rooms = ("localspec", "models", "tui", "tests", "docs", "benchmarks", "examples", ".ci")
    inside = (file for room in rooms for file in (ROOT / room).rglob("*"))
    return frozenset(
        str(file.relative_to(ROOT)) for file in (*inside, *ROOT.iterdir()) if file.is_file()
    )


@cache
def flags() -> frozenset[str]:
    """Of all verbs, and of the scripts that are run by hand."""
    _, verbs = parsers()
    of_verbs = {flag for verb in leaves(verbs.values()) for flag in verb._option_string_actions}
    scripts = [*ROOT.glob("benchmarks/*.py"), *ROOT.glob("models/shell/recipe/*.py")]
    return frozenset(of_verbs.union(*(re.findall(r'"(--[\w-]+)"', s.read_text()) for s in scripts)))


def leaves(of: "Iterator[Parser] | object") -> Iterator[Parser]:
    for parser in of:  # type: ignore[attr-defined]
        yield parser
        if parser._subparsers:
            yield from parser._subparsers._group_actions[0].choices.values()


def code(page: Path) -> Iterator[str]:
    """Whatever stands between backticks in running text."""
    text = re.sub(r"^```.*?^```$", "", page.read_text(), flags=re.DOTALL | re.MULTILINE)
    yield from (" ".join(found.split()) for found in re.findall(r"`([^`]+)`", text))


def blocks(page: Path, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", page.read_text(), re.DOTALL | re.MULTILINE)


def anchors(page: Path) -> set[str]:
    heads = re.findall(r"^#+ (.*)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", head.lower()).replace(" ", "-") for head in heads}


@per_page
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text()):
        if "://" in target:
            continue
        name, _, anchor = target.partition("#")
        to = page.parent / name if name else page
        assert to.exists(), target
        assert not anchor or anchor in anchors(to), target


@per_page
def test_files_and_tests_that_are_named_exist(page: Path) -> None:
    tests = "\n".join(file.read_text() for file in ROOT.glob("tests/**/test_*.py"))
    for word in (word.rstrip(":,") for text in code(page) for word in text.split()):
        if re.fullmatch(r"test_\w+", word):
            assert re.search(rf"def {word}\b", tests), word
        elif re.fullmatch(r"(\w[\w-]*/)*[\w-]+\.py|(\w[\w-]*/)+[\w.-]+\.(md|txt|toml|gguf)", word):
            assert any(f"/{file}".endswith(f"/{word}") for file in files()), word
        elif re.fullmatch(r"(localspec|models|tui|tests|docs)/[\w/-]+", word):
            assert (ROOT / word).exists(), word


@per_page
def test_tables_have_as_many_cells_in_each_row(page: Path) -> None:
    for table in re.findall(r"(?:^\|.*\n)+", page.read_text(), re.MULTILINE):
        rows = re.sub(r"`[^`]*`", "", table.replace(r"\|", "")).splitlines()
        assert len({row.count("|") for row in rows}) == 1, rows[0]


@per_page
def test_commands_that_are_shown_are_understood(page: Path) -> None:
    parser, _ = parsers()
    lines = "\n".join(blocks(page, "sh")).replace("\\\n", " ").splitlines()
    indented = re.findall(r"^    (localspec .*)$", page.read_text(), re.MULTILINE)
    for line in (*lines, *indented, *code(page)):
        for command in re.findall(r"(?:^|&& |; )(localspec [^;&|]+)", line):
            said = shlex.split(command.replace("`", "'"), comments=True)[1:]
            if len(said) > 1 and said[0] in parser._subparsers._group_actions[0].choices:  # type: ignore[union-attr]
                with contextlib.suppress(SystemExit):  # --help
                    understood(said)


def understood(said: list[str]) -> None:
    """A verb that is only named lacks what it needs, and that is no mistake."""
    try:
        parsers()[0].parse_args(said)
    except UsageError as error:
        if "Missing:" not in str(error):
            raise


@per_page
def test_flags_that_are_named_exist(page: Path) -> None:
    named = {flag for text in code(page) for flag in re.findall(r"(?:^|[ /])(--[\w-]+)", text)}
    assert named - flags() - NAMED_BY_OTHERS == set()


def test_every_script_for_measuring_stands_in_its_readme() -> None:
    listed = set(code(ROOT / "benchmarks/README.md"))
    scripts = [p for p in ROOT.glob("benchmarks/*.py") if "__main__" in p.read_text()]
    assert [p.name for p in scripts if p.name not in listed] == []


@pytest.mark.parametrize("script", sorted(ROOT.glob("benchmarks/*.py")), ids=lambda path: path.name)
def test_scripts_for_measuring_say_how_they_are_called(
    script: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if os.name == "nt" and "import pty" in script.read_text():
        pytest.skip("there are no such terminals there")
    monkeypatch.setattr("sys.argv", [str(script), "--help"])
    monkeypatch.syspath_prepend(script.parent)
    with contextlib.redirect_stdout(io.StringIO()) as told, contextlib.suppress(SystemExit):
        runpy.run_path(str(script), run_name="__main__")
    assert script.name in told.getvalue() or "__main__" not in script.read_text()


def test_every_room_stands_in_the_readme() -> None:
    listed = " ".join(code(README))
    rooms = [p.name for p in (ROOT / "localspec").iterdir() if (p / "__init__.py").exists()]
    alone = [p.name for p in (ROOT / "localspec").glob("[a-z]*.py")]
    assert [name for name in (*rooms, *alone) if name not in listed] == []


def test_options_of_the_api_that_the_readme_lists_exist() -> None:
    listed = re.search(r"`stream` and `generate` take (.*?)\.\n", README.read_text(), re.DOTALL)
    assert listed
    assert set(re.findall(r"`(\w+)`", listed[1])) <= Options.__annotations__.keys()


@pytest.mark.parametrize("block", blocks(README, "python"))
def test_python_that_is_shown_runs(block: str) -> None:
    with contextlib.redirect_stdout(io.StringIO()) as told:
        exec(compile(block, "README.md", "exec"), {})
    assert told.getvalue().strip()


@pytest.mark.parametrize("example", sorted(ROOT.glob("examples/*.py")), ids=lambda path: path.name)
def test_examples_run(example: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", [str(example)])
    with contextlib.redirect_stdout(io.StringIO()) as told:
        runpy.run_path(str(example), run_name="__main__")
    assert told.getvalue().strip()
