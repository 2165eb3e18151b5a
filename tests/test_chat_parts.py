"""What the chat is made of, below the screen: texts, figures, tints, files, servers, loading."""

import asyncio
import json
import threading
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st
from localspec.tui import commands, exchange, knobs, text, tint
from localspec.tui.backend import Backend, Reply, Said
from localspec.tui.figures import Figures, Meter, Part, fit, footnote, live, quiet, spark
from localspec.tui.loader import Loader
from localspec.tui.local import Local
from localspec.tui.pace import Pace
from localspec.tui.server import Server
from localspec.tui.session import merge
from localspec.tui.start import keymap
from localspec.tui.store import Message, Store, Tree
from localspec.tui.thinking import Writer, split_thoughts
from scripted import ScriptedBackend, ScriptedSource, figures
from textual.content import Content

from localspec.decoding.sequence import Piece
from localspec.decoding.statistics import Statistics
from localspec.errors import LocalspecError, UsageError
from localspec.governor.doubt import Doubt
from localspec.remote import Remote
from localspec.thinking import Marks, Thinking, marks_of

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


# Figures ---------------------------------------------------------------------------------------


def test_live_figures_are_of_the_last_two_seconds() -> None:
    meter = Meter()
    for tenth in range(1, 101):
        s = Statistics(
            completion_tokens=1, predicted_tokens=10 * min(tenth, 50) + tenth, steps=tenth
        )
        s.predicted_seconds = tenth / 10
        meter.observe(Figures(s, plain_per_second=5))
    assert meter.rate == pytest.approx(10)
    assert meter.figures.speedup == pytest.approx(12)
    expected = [110] * 6 + [85, 60, 35, 10] + [10] * 6
    assert meter.history[-16:] == pytest.approx(expected, abs=6)
    assert spark(meter.history).endswith("▁▁▁▁")


def test_who_guesses_now_is_who_guessed_most_lately() -> None:
    meter = Meter()
    for second, (model, lookup) in enumerate([(30, 0), (60, 0), (61, 40), (61, 80), (61, 120)], 1):
        s = Statistics(steps=10 * second, draft_tokens=model + lookup)
        s.predicted_seconds, s.drafted_by_drafter = second, {"model": model, "lookup": lookup}
        meter.observe(Figures(s))
    assert (meter.drafter, meter.draft_length) == ("lookup", 4)


@pytest.mark.parametrize(
    ("doubt", "forbidden", "reason"),
    [
        (Doubt(0.41, 0.56), False, "not guessing: 41% would hold, 56% needed"),
        (Doubt(0.60, 0.56), False, "not guessing: it would gain too little here"),
        (Doubt(None, 0.56), False, "not guessing: the draft is not worth asking yet"),
        (None, False, "not guessing: nothing here was seen before"),
        (Doubt(0.41, 0.56), True, "not guessing: switched off by you"),
    ],
)
def test_why_nothing_is_guessed_is_said_when_it_has_lasted(
    doubt: Doubt | None, forbidden: bool, reason: str
) -> None:
    meter = Meter()
    for second in range(5):
        now = figures(100)
        now.statistics.steps += 10 * second
        now.statistics.predicted_seconds += second
        meter.observe(now)
        said = [part.text for part in quiet(meter, doubt, forbidden=forbidden)]
        assert said == [] or second == 4
    assert reason in said
    meter.observe(figures(200))
    assert quiet(meter, doubt) == []


def test_nothing_is_said_that_is_not_known() -> None:
    assert live(Meter()) == []
    assert footnote(Figures(), "stop", None) == []
    server = Figures(Statistics(completion_tokens=9, predicted_tokens=9, predicted_seconds=1))
    assert [part.text for part in footnote(server, "length", None)] == [
        "at its full length", "9 tokens", "9 tokens/s",
    ]  # fmt: skip
    assert footnote(Figures(), None, None)[0].text == "cut off: the program ended"


@given(
    st.lists(
        st.builds(Part, st.text("abc", min_size=1, max_size=9), st.integers(0, 5)), max_size=9
    ),
    st.integers(0, 60),
)
def test_the_most_important_figures_fit_in_their_order(parts: list[Part], width: int) -> None:
    parts = [part._replace(name=str(i)) for i, part in enumerate(parts)]
    chosen = fit(parts, width)
    assert chosen == [part for part in parts if part in chosen]
    assert len(" · ".join(part.text for part in chosen)) <= width
    left_out = [part for part in parts if part not in chosen]
    assert all(a.rank <= b.rank for a in chosen for b in left_out)


def test_figures_survive_being_kept() -> None:
    assert Figures.from_json(json.loads(json.dumps(figures(50).as_json()))) == figures(50)


def test_drawing_keeps_to_its_share() -> None:
    spent = 0.0
    pace = Pace(lambda: spent)
    assert pace.interval() == 0.1
    for _ in range(50):
        spent += 0.040
        interval = pace.interval()
    assert 0.040 / interval == pytest.approx(0.08, rel=0.01)
    for _ in range(50):
        spent += 0.001
        interval = pace.interval()
    assert interval == 0.1


# Tints -----------------------------------------------------------------------------------------

says = st.lists(
    st.builds(Said, st.text("ab \n", max_size=300), st.sampled_from([None, "model", "lookup"]))
)


@given(says)
def test_every_character_is_tinted_by_who_guessed_it(said: list[Said]) -> None:
    whole, origins = "".join(part.text for part in said), merge((), said)
    assert sum(length for length, _ in origins) == len(whole)
    expected = [part.drafter for part in said for _ in part.text]
    shown: list[str | None] = []
    for block in tint.blocks(whole, origins):
        shown += _drafters(block)
        if len(shown) < len(whole):
            shown.append(expected[len(shown)])  # the end of a line between two blocks
    assert shown == expected


def _drafters(block: Content) -> list[str | None]:
    names: list[str | None] = [None] * len(block.plain)
    styles = {tint.tint(name, colour=True): name for name in ("model", "lookup")}
    for span in block.spans:
        names[span.start : span.end] = [styles[str(span.style)]] * (span.end - span.start)
    return names


def test_without_colour_tints_are_underlined_or_bold() -> None:
    (block,) = tint.blocks("abc", ((1, "model"), (1, "lookup"), (1, None)), colour=False)
    assert [str(span.style) for span in block.spans] == ["underline", "bold"]


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
    with pytest.raises(LocalspecError, match="cannot be written"):
        exchange.write(tmp_path / "a.md" / "b.md", "a", "", tree())
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
        b'[{"role": "user", "content": "x", "created": "x"}]',
        b"[" * 100_000,
    ],
)  # fmt: skip
def test_files_that_make_no_sense_are_refused_in_a_sentence(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.json").write_bytes(content)
    with pytest.raises(UsageError) as caught:
        exchange.read(tmp_path / "x.json")
    assert str(caught.value).endswith(".")


# Settings --------------------------------------------------------------------------------------


def test_keys_come_from_the_settings_file(tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    assert keymap(config) == {}
    config.write_text('[keys]\nchats = "f2"\n')
    assert keymap(config) == {"chats": "f2"}
    for content in ("[keys", "[keys]\nchats = 2\n", "keys = 3\n"):
        config.write_text(content)
        with pytest.raises(UsageError, match=r"config\.toml"):
            keymap(config)


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


# Loading ---------------------------------------------------------------------------------------


def test_of_several_models_asked_for_the_last_one_counts() -> None:
    slow, quick = ScriptedBackend(), ScriptedBackend()
    begun, go_on, told = threading.Event(), threading.Event(), threading.Event()
    heard: list[Backend | None] = []

    class Source(ScriptedSource):
        def open(self, model: str, draft: str) -> ScriptedBackend:
            if model == "slow":
                begun.set()
                go_on.wait()
            return super().open(model, draft)

    def tell(backend: Backend | None, failure: LocalspecError | None) -> None:
        heard.append(backend)
        told.set()

    loader = Loader(Source(slow=slow, quick=quick), tell)
    loader.load("slow", "auto", None)
    assert begun.wait(60)
    loader.load("quick", "auto", None)
    assert loader.what == "quick"
    go_on.set()
    assert told.wait(60)
    assert heard == [quick]
    assert slow.closed
    assert not quick.closed


# Servers ---------------------------------------------------------------------------------------


def serve(*chunks: dict[str, object]) -> Callable[[httpx2.Request], httpx2.Response]:
    events = "".join(f"data: {json.dumps(chunk)}\n\n" for chunk in chunks) + "data: [DONE]\n\n"
    return lambda request: httpx2.Response(
        200, content=events.encode(), headers={"content-type": "text/event-stream"}
    )


def delta(**delta: str) -> dict[str, object]:
    return {"choices": [{"delta": delta, "finish_reason": None}]}


async def heard(reply: Reply) -> str:
    said = ""
    while not reply.ended:
        said += "".join(part.text for part in reply.take())
        await asyncio.sleep(0)
    return said


def test_a_server_answers_and_gives_its_figures() -> None:
    asked: list[dict[str, object]] = []
    answer = serve(
        delta(role="assistant"),
        delta(reasoning_content="hm"),
        delta(content="Hel"),
        delta(content="lo"),
        {
            "choices": [{"delta": {}, "finish_reason": "length"}],
            "timings": {"cache_n": 30, "prompt_n": 10, "prompt_ms": 50, "predicted_n": 4,
                        "predicted_ms": 20, "draft_n": 6, "draft_n_accepted": 3},
        },
        {"choices": [], "usage": {"prompt_tokens": 40, "completion_tokens": 5}},
    )  # fmt: skip

    def server(request: httpx2.Request) -> httpx2.Response:
        asked.append(json.loads(request.content))
        return answer(request)

    async def go() -> None:
        backend = Server(Remote("server", transport=httpx2.MockTransport(server)), "big")
        choices = {"seed": 7, "speculation": 0}
        reply = backend.ask([{"role": "user", "content": "hi"}], choices)
        assert await heard(reply) == "<think>hm</think>\n\nHello"
        assert (reply.finish_reason, reply.seed) == ("length", 7)
        s = reply.figures.statistics
        assert (s.prompt_tokens, s.cached_tokens, s.completion_tokens) == (40, 30, 5)
        assert (s.tokens_per_second, s.acceptance_rate) == (200, 0.5)
        assert reply.figures.counted

    asyncio.run(go())
    assert asked[0]["model"] == "big"
    assert "speculation" not in asked[0]


@pytest.mark.parametrize(
    ("deltas", "kept"),
    [
        ([{"content": "[THI"}, {"content": "NK]hm[/THINK]Yes"}], "<think>hm</think>\n\nYes"),
        ([{"reasoning": "h"}, {"reasoning": "m"}], "<think>hm</think>"),
        ([{"content": "\n"}, {"reasoning": "hm"}, {"content": "<think>?"}],
         "\n<think>hm</think>\n\n<think>?"),
    ],
)  # fmt: skip
def test_thoughts_of_servers_are_kept_like_others(deltas: list[dict[str, str]], kept: str) -> None:
    server = serve(*(delta(**each) for each in deltas))

    async def go() -> None:
        backend = Server(Remote("server", transport=httpx2.MockTransport(server)), "big")
        assert await heard(backend.ask([{"role": "user", "content": "hi"}], {})) == kept

    asyncio.run(go())


def test_a_server_that_fails_is_heard_after_what_it_said() -> None:
    server = serve(delta(content="Hel"), {"error": {"message": "no memory"}})

    async def go() -> None:
        backend = Server(Remote("server", transport=httpx2.MockTransport(server)), "big")
        reply = backend.ask([{"role": "user", "content": "hi"}], {})
        while not (said := reply.take()):
            await asyncio.sleep(0)
        assert said == [Said("Hel")]
        with pytest.raises(LocalspecError, match="no memory"):
            await heard(reply)
        assert reply.finish_reason == "error"

    asyncio.run(go())


def test_a_cancelled_answer_of_a_server_ends() -> None:
    async def forever(request: httpx2.Request) -> httpx2.Response:
        await asyncio.sleep(60)
        return httpx2.Response(200)

    async def go() -> None:
        backend = Server(Remote("server", transport=httpx2.MockTransport(forever)), "big")
        reply = backend.ask([{"role": "user", "content": "hi"}], {})
        await asyncio.sleep(0.01)
        reply.cancel()
        assert await asyncio.wait_for(heard(reply), 10) == ""
        assert reply.finish_reason == "cancelled"

    asyncio.run(go())
