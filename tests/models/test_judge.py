"""The judge of the shell pair: what it takes for right, and that nothing of it was trained on."""

import importlib
import re
import sys
from pathlib import Path
from types import ModuleType

import pytest

RECIPE = Path(__file__).parents[2] / "models" / "shell" / "recipe"


def module(name: str) -> ModuleType:
    sys.path.insert(0, str(RECIPE))
    try:
        return importlib.import_module(name)
    finally:
        sys.path.remove(str(RECIPE))


judge, blocks = module("judge"), module("blocks").blocks


def accepted(question: str) -> str:
    return dict(blocks("judge.txt"))[question]


@pytest.mark.parametrize(
    ("question", "answer", "right"),
    [
        ("Unpack photos.tar.gz for me.", "Extract it:\n\n```sh\ntar -xzf photos.tar.gz\n```", True),
        ("Unpack photos.tar.gz for me.", "Use `tar xf photos.tar.gz`.", True),
        ("Unpack photos.tar.gz for me.", "```sh\ntar -czf photos.tar.gz\n```", False),
        ("Unpack photos.tar.gz for me.", "```sh\ntar -xzf backup.tar.gz\n```", False),
        ("Reboot this thing.", "```sh\nsudo reboot\n```", True),
        ("I need the nested folders a/b/c made in one go.", "`mkdir -p a/b/c made`", False),
        ("Where am I right now in the directory tree?", "pwd", True),
    ],
)
def test_a_command_is_right_where_it_would_do(question: str, answer: str, right: bool) -> None:
    assert judge.right_command(answer, accepted(question)) is right


@pytest.mark.parametrize(
    ("answer", "found"),
    [
        ("```python\ndef cube(n):\n    return n**3\n```", (True, True)),
        ("```python\ndef cube(n):\n    return n**2\n```", (True, False)),
        ("```python\ndef cube(n):\n    return n**\n```", (False, False)),
        ("```python\ndef cube(n):\n    raise ValueError\n```", (True, False)),
        ("I cannot do that.", (False, False)),
    ],
)
def test_a_function_is_compiled_and_tried(answer: str, found: tuple[bool, bool]) -> None:
    assert judge.right_function(answer, "f(3) == 27") == found


def test_there_are_200_questions_with_valid_patterns() -> None:
    questions = list(blocks("judge.txt"))
    assert len({question for question, _ in questions}) == 200
    for _, patterns in questions:
        for pattern in patterns.splitlines():
            re.compile(pattern)


def test_no_question_of_the_judge_is_in_the_recipes() -> None:
    taught = (RECIPE / "recipes.txt").read_text(encoding="utf-8").lower()
    assert not [q for q, _ in blocks("judge.txt") if q.lower().rstrip("?.") in taught]
