"""Commands that make no sense: each is answered with one sentence that names what is at fault."""

from pathlib import Path

import pytest
from command import refused

from localspec.arguments import parsers


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--temperature", "-1", "hi"], "temperature is -1"),
        (["--top-p", "2", "hi"], "top-p is 2"),
        (["--seed", "-1", "hi"], "seed is -1"),
        (["--seed", str(2**64), "hi"], "seed is 18446744073709551616"),
        (["--speculation", "some", "hi"], "not auto, off"),
        (["-m", "shel", "hi"], "did you mean 'shell'"),
        ([""], "prompt is empty"),
        (["word " * 3000], "too long"),
        (["--max-tokens", "0", "hi"], "--max-tokens is 0"),
        (["--context", "8", "hi"], "> 8, the maximum"),
        (["--cache", "q4", "hi"], "cache is 'q4'; it must be f16 or q8_0"),
        (["--system", "x", "--raw", "hi"], "--raw"),
        (["--json-schema", "nowhere.json", "hi"], "cannot be read"),
        ([], "Missing: PROMPT; localspec generate --help shows how."),
        (["--seed"], "--seed needs a value; localspec generate --help shows how."),
        (["--json=1", "hi"], "--json takes no value, and was given '1'"),
        (["--temperature", "x", "hi"], "--temperature cannot be 'x'; it must be a number;"),
        (["--temprature", "1", "hi"], "no flag --temprature; did you mean '--temperature'?"),
        (["hi", "there"], "no place for 'there'; a text of several words needs quotes"),
    ],
)
def test_wrong_usage_is_one_sentence_and_2(arguments: list[str], words: str) -> None:
    assert words in refused("generate", *arguments)


HUGE = str(10**23)
BELOW, ABOVE = ("-1", "0", "nan", "1e999"), ("1e999", HUGE)
_SAMPLING = {
    "--max-tokens": BELOW,
    "--temperature": ("-1", "nan", *ABOVE),
    "--top-k": ("-2", "nan", "1e999"),
    "--top-p": ("-1", "nan", *ABOVE),
    "--min-p": ("-1", "nan", *ABOVE),
    "--repeat-penalty": (*BELOW, *ABOVE),
    "--seed": ("nan", "1e999"),
}
_LOADING = {"--context": (*BELOW, HUGE), "--gpu-layers": ("-2", "nan", *ABOVE)}
_NUMBERS: dict[tuple[str, ...], dict[str, tuple[str, ...]]] = {
    ("generate", "hi"): {
        **_SAMPLING,
        **_LOADING,
        "--seed": ("-1", "nan", *ABOVE),
        "--speculation": ("-1", "nan", "1e999"),
    },
    ("chat",): dict.fromkeys(_LOADING, ("nan", "1e999")),  # it needs a terminal for the rest
    ("serve",): {
        **_LOADING,
        "--port": ("-1", "nan", *ABOVE),
        "--parallel": (*BELOW, HUGE, "257"),
        "--queue": ("-1", "nan", *ABOVE),
        "--keep-alive": ("-1", "0", "nan"),
    },
    ("batch", "-o", "answers.jsonl", "IN"): {**_SAMPLING, **_LOADING, "--parallel": (*BELOW, HUGE)},
    ("models", "fit", "shell"): {
        "--context": (*BELOW, HUGE),
        "--parallel": (*BELOW, HUGE, "257"),
    },
    ("distill", "shell"): {"--minutes": (*BELOW, HUGE)},
    ("bench",): {
        "--limit": BELOW,
        "--max-tokens": BELOW,
        "--temperature": ("-1", "nan", *ABOVE),
    },
    ("audit",): _LOADING,
}
"""What makes no sense for flags that take a number."""


@pytest.mark.parametrize("command", _NUMBERS, ids=lambda command: command[0])
def test_a_number_that_makes_no_sense_is_one_sentence_that_names_its_flag(
    command: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "IN").write_text('{"prompt": "hi"}\n')
    for flag, senseless in _NUMBERS[command].items():
        for number in senseless:
            assert flag in refused(*command, flag, number), (flag, number)
    assert list(tmp_path.iterdir()) == [tmp_path / "IN"]


def test_all_flags_that_take_a_number_were_thought_of() -> None:
    verbs = parsers()[1]
    leaves = {(name,): verb for name, verb in verbs.items() if not verb._subparsers}
    actions = next(iter(verbs["models"]._subparsers._group_actions)).choices  # type: ignore[union-attr]
    leaves |= {("models", name): action for name, action in actions.items()}  # type: ignore[union-attr]
    for path, parser in leaves.items():
        flags = {a.option_strings[-1] for a in parser._actions if a.type not in (None, str, Path)}
        thought = next((of for command, of in _NUMBERS.items() if command[: len(path)] == path), {})
        assert flags == thought.keys(), path


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["genrate", "hi"], "There is no command 'genrate'; did you mean 'generate'?"),
        (["models", "lst"], "There is no action 'lst'; did you mean 'list'?"),
        (["--json", "generate", "hi"], "--json is no flag here; those of a command stand after it"),
        (["bench", "--quantization", "Q5"], "cannot be 'Q5'; it must be Q4_0 or Q8_0;"),
    ],
)
def test_who_mistypes_is_told_what_was_meant(arguments: list[str], words: str) -> None:
    assert words in refused(*arguments)
