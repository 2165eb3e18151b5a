"""What the chat shows of an answer beside its words: figures, and tints by who guessed."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scripted import figures
from textual.content import Content

from localspec.decoding.statistics import Statistics
from localspec.governor.doubt import Doubt
from localspec.tui import tint
from localspec.tui.backend import Said
from localspec.tui.figures import Figures, Meter
from localspec.tui.pace import Pace
from localspec.tui.session import merge
from localspec.tui.telling import Part, fit, footnote, live, quiet, spark

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


def test_an_answer_that_came_whole_with_its_prompt_took_no_steps() -> None:
    guessed = Statistics(completion_tokens=6, draft_tokens=5, accepted_tokens=5)
    said = [part.text for part in footnote(Figures(guessed), "stop", None)]
    assert "100% held" in said
    assert not any("a step" in part for part in said)


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
