"""What the chat is made of, below the screen: texts, thoughts, files, settings."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from localspec.conversation.thinking import Marks, Thinking, marks_of
from localspec.decoding.sequence import Piece
from localspec.errors import LocalspecError, UsageError
from localspec.tui import commands, exchange, knobs, text
from localspec.tui.backend import Said
from localspec.tui.local import Local
from localspec.tui.store import Message, Store, Tree
from localspec.tui.thinking import Writer, split_thoughts

# Texts -----------------------------------------------------------------------------------------


def test_code_is_found_in_fences_of_all_kinds() -> None:
    fences = "```py\na\n```\n~~~\nb\n```\n~~~\n````\n```\nc\n```\n````\n    ```\n```\nopen"
    assert text.code_blocks(fences) == ["a", "b\n```", "```\nc\n```", "open"]
    assert text.code_blocks("none `here`") == []


@given(st.text())
def test_a_title_is_one_short_line(first: str) -> None:
    title = text.title(first)
    assert 0 < len(title) <= 56
    assert "\n" not in title


def test_titles() -> None:
    assert text.title("\n## How *do* I\nlist files?") == "How *do* I"
    assert text.title("word " * 40) == "word word word word word word word word word word word…"
    assert text.title("\x1b[31m \n") == "[31m"


# Thoughts --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("whole", "thoughts", "answer", "thinking"),
    [
        ("<think>a</think>b", "a", "b", False),
        ("\n<think>\na\n</think>\n\nb\n", "a", "b\n", False),
        ("<think>still", "still", "", True),
        ("opened by the template</think>\nb", "opened by the template", "b", False),
        ("no thoughts", "", "no thoughts", False),
        ("say <think> aloud", "", "say <think> aloud", False),
        ("", "", "", False),
    ],
)
def test_thoughts_are_told_apart(whole: str, thoughts: str, answer: str, thinking: bool) -> None:
    parts = split_thoughts(whole)
    assert (parts.thoughts, parts.answer, parts.thinking) == (thoughts, answer, thinking)


@given(st.text().filter(lambda text: "</think>" not in text), st.text())
def test_an_answer_only_grows_while_it_comes(thoughts: str, answer: str) -> None:
    """What is drawn of an answer on its way is what was drawn before, and more."""
    whole = f"<think>{thoughts}</think>{answer}"
    shown = ""
    for end in range(len("<think>"), len(whole) + 1):
        parts = split_thoughts(whole[:end])
        assert parts.answer.startswith(shown)
        shown = parts.answer
    assert shown == answer.lstrip()


TAGS = Marks("<think>", "</think>")
BRACKETS = Marks("[THINK]", "[/THINK]")


@pytest.mark.parametrize(
    ("thinking", "raw", "kept"),
    [
        (Thinking((TAGS,)), "<think>hm</think>\n\nYes.", "<think>hm</think>\n\nYes."),
        (Thinking((TAGS,), TAGS), "hm</think>Yes.", "<think>hm</think>\n\nYes."),
        (Thinking((BRACKETS,)), "[THINK]hm[/THINK]Yes.", "<think>hm</think>\n\nYes."),
        (Thinking((BRACKETS,)), "[THINK]cut o", "<think>cut o</think>"),
        (Thinking((BRACKETS,)), "[THI", "[THI"),
        (Thinking((BRACKETS,)), "Yes.", "Yes."),
        (None, "Say [THINK] or <think>", "Say [THINK] or <think>"),
        (None, "<think>hm</think>Yes.", "<think>hm</think>Yes."),
    ],
)
@pytest.mark.parametrize("size", [1, 3, 1000])
def test_thoughts_are_kept_in_one_form(
    thinking: Thinking | None, raw: str, kept: str, size: int
) -> None:
    writer = Writer(thinking)
    said: list[Said] = []
    for at in range(0, len(raw), size):
        said += writer.say(raw[at : at + size], "model")
    assert "".join(part.text for part in [*said, *writer.finish()]) == kept


@pytest.mark.parametrize(
    ("prompt", "pieces"),
    [
        ("<|start|>assistant", ["<|channel|>", "analysis", "<|message|>"]),
        ("<|start|>assistant<|channel|>analysis<|message|>", []),
    ],
)
def test_thoughts_between_control_tokens_are_thoughts(prompt: str, pieces: list[str]) -> None:
    """Control tokens that are marks have text here; see `Vocabulary.show`."""
    pieces = [*pieces, "h", "m", "<|end|>", "<|start|>", "assistant", "<|channel|>", "final",
              "<|message|>", "Yes", ".", "<|end|>"]  # fmt: skip
    left = [Piece(text, token) for token, text in enumerate(pieces)]
    stream = SimpleNamespace(
        sequence=SimpleNamespace(finish_reason="stop"),
        thinking=Thinking.after(prompt, marks_of("<|channel|>analysis<|message|>")),
        take=lambda: [left.pop(0)],
        ended=False,
    )
    llm: Any = SimpleNamespace(stream=lambda *_: stream, close=lambda: None)
    backend = Local(llm)
    reply = backend.ask([{"role": "user", "content": "hi"}], {})
    backend.close()  # the question has arrived
    said = ""
    while left:
        stream.ended = len(left) == 1
        said += "".join(part.text for part in reply.take())
    assert said == "<think>hm</think>\n\nYes."


# Files -----------------------------------------------------------------------------------------


def tree() -> Tree:
    messages = (
        Message(3, None, "user", "Hi `you`", 1.5),
        Message(5, 3, "assistant", "<think>x</think>Hello", 2.5, "stop", "shell", 7),
        Message(8, 3, "assistant", "Good day", 3.5, "stop"),
    )
    return Tree({message.id: message for message in messages}, head=5)


def test_a_conversation_survives_a_file(tmp_path: Path) -> None:
    exchange.write(tmp_path / "a.json", "Title", "Be kind.", tree())
    assert exchange.read(tmp_path / "a.json") == ("Title", "Be kind.", tree())
    with Store(None) as store:
        id = store.import_tree(*exchange.read(tmp_path / "a.json"))
        assert [m.content for m in store.tree(id).path()] == ["Hi `you`", "<think>x</think>Hello"]
    assert exchange.as_markdown("Title", "Be kind.", tree()) == (
        "# Title\n\n> Be kind.\n\n## You\n\nHi `you`\n\n## shell\n\nHello\n"
    )


def test_files_are_never_written_over(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text("precious")
    with pytest.raises(UsageError, match="exists already"):
        exchange.write(tmp_path / "a.md", "a", "", tree())
    with pytest.raises(UsageError, match=r"must end in \.md or in \.json"):
        exchange.write(tmp_path / "a.txt", "a", "", tree())
    for impossible in (tmp_path / "a.md" / "b.md", tmp_path / f"{'a' * 300}.md"):
        with pytest.raises(LocalspecError, match="cannot be written"):
            exchange.write(impossible, "a", "", tree())
    assert exchange.free_path(tmp_path, "A") == tmp_path / "a-2.md"


@pytest.mark.parametrize(
    "content",
    [
        b"", b"\xff", b"[]", b"{}", b"7", b'{"messages": 7}', b'{"messages": [7]}',
        b'[{"role": "user"}]', b'[{"role": "user", "content": 7}]',
        b'[{"role": "tool", "content": "x"}]', b'[{"role": "user", "content": "\\ud800"}]',
        b'[{"id": 1, "parent": 1, "role": "user", "content": "x"}]',
        b'[{"id": 1, "parent": 2, "role": "user", "content": "x"}]',
        b'[{"id": 1, "role": "user", "content": "x"}, {"id": 1, "role": "user", "content": "y"}]',
        b'[{"id": "1", "role": "user", "content": "x"}]',
        b'[{"role": "user", "content": [{"type": "text"}]}]',
        b'[{"role": "user", "content": ["text"]}]', b'[{"role": ["user"], "content": "x"}]',
        b'[{"role": "user", "content": "x", "created": "x"}]',
        b'[{"role": "user", "content": "x", "created": Infinity}]',
        b'[{"role": "user", "content": "x", "created": 1%s}]' % (b"0" * 400),
        b'[{"role": "user", "content": "x", "model": "\\ud800"}]',
        b'{"title": "\\ud800", "messages": [{"role": "user", "content": "x"}]}',
        b'{"system": "\\ud800", "messages": [{"role": "user", "content": "x"}]}',
        b"[" * 100_000,
    ],
)  # fmt: skip
def test_files_that_make_no_sense_are_refused_in_a_sentence(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.json").write_bytes(content)
    with pytest.raises(UsageError) as caught:
        exchange.read(tmp_path / "x.json")
    assert str(caught.value).endswith(".")


def test_a_seed_that_is_none_is_left_out(tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text('[{"role": "assistant", "content": "x", "seed": true}]')
    with Store(None) as store:
        id = store.import_tree(*exchange.read(tmp_path / "x.json"))
        assert [m.seed for m in store.tree(id).path()] == [None]


# Settings --------------------------------------------------------------------------------------


def test_settings_are_read_as_they_are_typed() -> None:
    assert knobs.parse("top-P", " 0.5 ") == 0.5
    assert knobs.parse("speculation", "off") == 0
    for name, value in (("top_k", "1.5"), ("speculation", "maybe"), ("max_tokens", "0"),
                        ("temperature", "nan"), ("seed", "-1")):  # fmt: skip
        with pytest.raises(UsageError):
            knobs.parse(name, value)
    assert knobs.defaults()["temperature"] == 0.7


def test_no_command_hides_another() -> None:
    names = [command.name for command in commands.COMMANDS]
    assert len(set(names)) == len(names)
