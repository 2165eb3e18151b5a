"""Thoughts, told from answers in any portions, where a chat template marks them."""

from pathlib import Path

import gguf
import pytest
from gguf.scripts.gguf_new_metadata import MetadataDetails, copy_with_new_metadata
from gguf_writing import read_gguf
from hypothesis import given
from hypothesis import strategies as st

import localspec
from localspec import models
from localspec.conversation.thinking import KNOWN, Marks, Thinking, Thought, ThoughtReader, marks_of

TAGS = Marks("<think>", "</think>")
words = st.text(alphabet="ab </thk>\n", max_size=12).filter(lambda text: "<think>" not in text)
CHANNELS = marks_of("<|start|>assistant<|channel|>analysis<|message|> … <|end|>")
HARMONY_TWICE = (
    "<|channel|>analysis<|message|>Hm.<|end|><|start|>assistant<|channel|>analysis<|message|>Oh."
    "<|end|><|start|>assistant<|channel|>final<|message|>Hi"
)
HARMONY = "<|channel|>analysis<|message|>Hm.<|end|><|start|>assistant<|channel|>final<|message|>Hi"


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
    thinking = Thinking((TAGS,), TAGS if begun else None)
    assert read(text, thinking, portion) == expected


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
    assert read(text, Thinking((TAGS,), TAGS if begun else None)) == expected


@pytest.mark.parametrize(
    ("template", "prompt", "text", "expected"),
    [
        ("{{ '<think>' }}…</think>", "", "<think>Hm.</think>\n\nHi", ("Hm.", "Hi")),
        ("… '<think>\\n' … '</think>'", "assistant\n<think>\n", "Hm.</think>Hi", ("Hm.", "Hi")),
        ("… '<think>\\n'", "assistant\n<think>\n", "Hm.</think>Hi", ("Hm.", "Hi")),
        ("{{ m.split('</think>')[-1] }}", "", "<think>Hm.</think>Hi", ("Hm.", "Hi")),
        ("<seed:think> </seed:think>", "", "<seed:think>Hm.</seed:think>Hi", ("Hm.", "Hi")),
        ("<thought> </thought>", "", "<thought>Hm.</thought>Hi", ("Hm.", "Hi")),
        ("<Reasoning> </Reasoning>", "", "<Reasoning>Hm.</Reasoning>Hi", ("Hm.", "Hi")),
        ("◁think▷ ◁/think▷", "", "◁think▷Hm.◁/think▷Hi", ("Hm.", "Hi")),
        ("[THINK] [/THINK]", "", "[THINK]Hm.[/THINK]Hi", ("Hm.", "Hi")),
        ("[THINK] [/THINK]", "", "[THINK]cut o", ("cut o", "")),
        ("<think> [/THINK]", "", "[THINK]Hm.</think>[/THINK]Hi", ("Hm.</think>", "Hi")),
        ("<think> </think>", "", "<thi", ("", "<thi")),
        ("no marks", "", "Say [THINK] or <think>", ("", "Say [THINK] or <think>")),
        ("no marks", "", "<think>Hm.</think>", ("", "<think>Hm.</think>")),
        (None, "", "  ", ("", "  ")),
        ("<|channel|>analysis<|message|>", "", HARMONY, ("Hm.", "Hi")),
        ("<|channel|>analysis<|message|>", "", f"{HARMONY}<|end|>", ("Hm.", "Hi")),
        ("<|channel|>analysis<|message|>", "", HARMONY_TWICE, ("Hm.\n\nOh.", "Hi")),
        ("<|channel|>analysis<|message|>", "", HARMONY_TWICE[:88], ("Hm.", "")),
        ("<|channel|>analysis<|message|>", "", f"{HARMONY}<|end|>!", ("Hm.", "Hi<|end|>!")),
        ("<|channel|>analysis<|message|>", "", f"{HARMONY}<|e", ("Hm.", "Hi<|e")),
        ("<|channel|>analysis<|message|>", "", "<|channel|>final<|message|>Hi", ("", "Hi")),
        ("<|channel|>analysis<|message|>", "<|start|>assistant<|channel|>analysis<|message|>",
         HARMONY.removeprefix("<|channel|>analysis<|message|>"), ("Hm.", "Hi")),
        ("'<|start|>' '<|channel|>' '<|message|>' '<|end|>'", "", HARMONY, ("Hm.", "Hi")),
        ("<|user|>{{ message.content }}<|end|>", "", HARMONY, ("", HARMONY)),
        ("<|START_THINKING|>", "", "<|START_THINKING|>Hm.<|END_THINKING|><|START_RESPONSE|>Hi",
         ("Hm.", "Hi")),
        ("<|END_THINKING|>", "", "<|START_THINKING|>Hm.<|END_THINKING|>Hi<|END_RESPONSE|>",
         ("Hm.", "Hi")),
        ("<|inner_prefix|>", "", "<|inner_prefix|>Hm.<|inner_suffix|>Hi", ("Hm.", "Hi")),
    ],
)  # fmt: skip
@pytest.mark.parametrize("portion", [1, 3, 1000])
def test_marks_are_those_of_the_template(
    template: str | None, prompt: str, text: str, expected: tuple[str, str], portion: int
) -> None:
    assert read(text, Thinking.after(prompt, marks_of(template)), portion) == expected


@pytest.mark.parametrize("marks", KNOWN)
@pytest.mark.parametrize("portion", [1, 1000])
def test_where_the_template_is_not_known_all_usual_marks_count(marks: Marks, portion: int) -> None:
    text = f"{marks.begin}Hm.{marks.end}\nHi"
    assert read(text, Thinking(KNOWN), portion) == ("Hm.", "Hi")


def test_marks_are_known_by_name() -> None:
    assert marks_of("{{ message.split('</think>')[-1] }}") == (TAGS,)
    assert marks_of("[THINK]{{ thoughts }}[/THINK]") == (Marks("[THINK]", "[/THINK]"),)
    assert {TAGS, Marks("<seed:think>", "</seed:think>"), *CHANNELS} <= set(KNOWN)
    assert marks_of("{{ message.content }}") == marks_of(None) == ()


TEMPLATE = """{% for message in messages %}{{ message.content }}
{% endfor %}{% if enable_thinking is not defined or enable_thinking %}<|im_start|>
{% else %}<|im_start|><|im_end|>{% endif %}"""


def test_what_the_template_has_written_already_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    marks = Marks("<|im_start|>", "<|im_end|>")  # control tokens
    monkeypatch.setattr("localspec.conversation.thinking._OTHERS", (marks,))
    path = tmp_path / "thinker.gguf"
    reader = read_gguf(models.embedded("shell").draft)
    template = MetadataDetails(gguf.GGUFValueType.STRING, TEMPLATE)
    writer = gguf.GGUFWriter(path, "qwen3")
    copy_with_new_metadata(reader, writer, {"tokenizer.chat_template": template}, [])
    with localspec.load(path, draft="none", context=256) as llm:
        for options, thinking in (
            ({}, Thinking((marks,), marks)),
            ({"template": {"enable_thinking": False}}, Thinking((marks,))),
            ({"json_schema": {"type": "boolean"}}, None),
            ({"raw": True}, None),
        ):  # type: ignore[var-annotated]
            assert llm.stream("Hello", max_tokens=1, **options).thinking == thinking
        [token] = llm.target.vocabulary.tokenize(marks.begin, control=True)
        bias = {token: 100.0}
        said = llm.generate("Hello", raw=True, max_tokens=1, temperature=0, logit_bias=bias)
        assert said.text == marks.begin, "who tells thoughts from the rest must see their marks"
