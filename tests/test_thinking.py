"""Thoughts, told from answers in any portions, where a chat template marks them."""

from pathlib import Path

import gguf
import pytest
from gguf.scripts.gguf_new_metadata import MetadataDetails, copy_with_new_metadata
from hypothesis import given
from hypothesis import strategies as st

import localspec
from localspec import models
from localspec.thinking import Marks, Thinking, Thought, ThoughtReader, marks_of

TAGS = Marks("<think>", "</think>")
words = st.text(alphabet="ab </thk>\n", max_size=12).filter(lambda text: "<think>" not in text)
HARMONY = marks_of("<|start|>assistant<|channel|>analysis<|message|> … <|end|>")


def read(text: str, thinking: Thinking, portion: int = 1000) -> tuple[str, str]:
    reader, thoughts, said = ThoughtReader(thinking), "", ""
    portions = [reader.feed(text[at : at + portion]) for at in range(0, len(text), portion)]
    for part in [part for parts in [*portions, reader.finish()] for part in parts]:
        if isinstance(part, Thought):
            thoughts += part.text
        else:
            said += part
    return thoughts, said


@given(words.filter(lambda text: "</think>" not in text), words, st.booleans(), st.integers(1, 9))
def test_portions_do_not_matter(thoughts: str, said: str, begun: bool, portion: int) -> None:
    text = f"{'' if begun else ' <think>'}\n{thoughts}\n</think>\n\n{said}"
    expected = (thoughts.strip(), said.lstrip())
    assert read(text, Thinking(TAGS, begun), portion) == expected


@pytest.mark.parametrize(
    ("text", "begun", "expected"),
    [
        ("Hello", False, ("", "Hello")),
        (" <thin", False, ("", " <thin")),
        ("Use <think> and </think>", False, ("", "Use <think> and </think>")),
        ("<think>\n\n</think>\n\nHi", False, ("", "Hi")),
        ("<think>Hm. ", False, ("Hm.", "")),
        ("Hm</thi", True, ("Hm</thi", "")),
        ("A</think>B</think>C", True, ("A", "B</think>C")),
    ],
)
def test_thoughts_stand_at_the_beginning(text: str, begun: bool, expected: tuple[str, str]) -> None:
    assert read(text, Thinking(TAGS, begun)) == expected


@pytest.mark.parametrize("portion", [1, 1000])
def test_channels_are_told_apart(portion: int) -> None:
    assert HARMONY is not None
    thinking, final = Thinking(HARMONY, begun=False), "<|channel|>final<|message|>"
    analysis = "<|channel|>analysis<|message|>Hm.<|end|><|start|>assistant"
    assert read(f"{analysis}{final}Hi", thinking, portion) == ("Hm.", "Hi")
    assert read(f"{final}Hi", thinking, portion) == ("", "Hi")


def test_marks_are_those_of_the_template() -> None:
    assert marks_of("{{ message.split('</think>')[-1] }}") == TAGS
    assert marks_of("[THINK]{{ thoughts }}[/THINK]") == Marks("[THINK]", "[/THINK]")
    assert marks_of("{{ message.content }}") is None
    assert marks_of(None) is None


TEMPLATE = """{% for message in messages %}{{ message.content }}
{% endfor %}{% if enable_thinking is not defined or enable_thinking %}<|im_start|>
{% else %}<|im_start|></think>{% endif %}"""


def test_what_the_template_has_written_already_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    marks = Marks("<|im_start|>", "</think>")  # the first is a control token
    monkeypatch.setattr("localspec.thinking._KNOWN", (marks,))
    path = tmp_path / "thinker.gguf"
    reader = gguf.GGUFReader(models.embedded("shell").draft)
    template = MetadataDetails(gguf.GGUFValueType.STRING, TEMPLATE)
    writer = gguf.GGUFWriter(path, "qwen3")
    copy_with_new_metadata(reader, writer, {"tokenizer.chat_template": template}, [])
    with localspec.load(path, draft="none", context=256) as llm:
        for options, thinking in (
            ({}, Thinking(marks, True)),
            ({"template": {"enable_thinking": False}}, Thinking(marks, False)),
            ({"json_schema": {"type": "boolean"}}, None),
            ({"raw": True}, None),
        ):  # type: ignore[var-annotated]
            assert llm.stream("Hello", max_tokens=1, **options).thinking == thinking
        [token] = llm.target.vocabulary.tokenize(marks.begin, control=True)
        bias = {token: 100.0}
        said = llm.generate("Hello", raw=True, max_tokens=1, temperature=0, logit_bias=bias)
        assert said.text == marks.begin, "who tells thoughts from the rest must see their marks"
