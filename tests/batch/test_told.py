"""What a person and a program are told: the line, the summary, the events, the energy."""

import json
from pathlib import Path

import pytest
from batch_world import RECIPE, Scripted

from localspec import UsageError
from localspec.batch import words
from localspec.batch.backends.base import Effort, Reply
from localspec.batch.energy import Meter, counters
from localspec.batch.plan import Counts
from localspec.batch.request import Task
from localspec.batch.screen import Events, Screen
from localspec.batch.tally import Tally
from localspec.batch.template import Template
from localspec.console import ranges

TASK = Task(1, "a", "0" * 48)


def tally() -> Tally:
    one = Tally.after(Counts(1200, 200, 1))
    for n in range(300):
        one.add(Reply(TASK, 200 if n else 500, {}, Effort(10, 20, 4, 3)))
    one.seconds, one.alone, one.parallel = 30.0, 60.0, 16
    return one


def test_the_line_says_how_far_how_fast_and_how_long() -> None:
    assert words.line(tally()) == (
        "███████░░░░░░░░░ 500/1,200 · 200 tokens/s · 2.0× one at a time · 75% of guesses held · "
        "2 failed · 70 s left"
    )
    assert words.line(Tally(lines=3)) == "░░░░░░░░░░░░░░░░ 0/3 · waiting for the first answers"


def test_the_summary_says_what_it_cost() -> None:
    one = tally()
    one.joules = 600.0
    assert words.summary(one) == (
        "500 of 1,200 lines answered, 2 of them failed (200 by an earlier run).\n"
        "6,000 tokens from 3,000 of prompts in 30 s, 16 at a time · 200 tokens/s · "
        "2.0× one at a time · 75% of guesses held · 100 J per 1,000 tokens"
    )
    nothing = Tally.after(Counts(5, 5, 0))
    assert words.summary(nothing) == "5 of 5 lines answered; there was nothing to do."
    assert words.summary(Tally()) == "The input has no lines."


def test_what_cannot_be_known_is_null() -> None:
    document = words.document(Tally(lines=3))
    unknown = {name for name, value in document.items() if value is None}
    assert unknown == {
        "acceptance_rate", "speedup", "seconds_left", "joules", "joules_per_1000_tokens",
    }  # fmt: skip


def test_ranges_of_lines() -> None:
    assert list(ranges(iter([1, 3, 4, 5, 9, 10]))) == ["1", "3-5", "9-10"]
    assert list(ranges(iter([]))) == []


def test_events_are_json_lines_and_a_screen_is_silent_without_a_terminal(
    capfd: pytest.CaptureFixture[str],
) -> None:
    now = 0.0

    def clock() -> float:
        return now

    for screen in (Events(clock), Screen(clock)):
        with screen:
            screen.started(Counts(3, 0, 0))
            screen.answering(Scripted())
            for _ in range(3):
                now += 0.6
                screen.answered(Reply(TASK, 200, {}, Effort(1, 6)))
        out, err = capfd.readouterr()
        assert err == ""
        if isinstance(screen, Events):
            events = [json.loads(line) for line in out.splitlines()]
            assert [event["event"] for event in events] == ["started", "progress", "ended"]
            assert events[-1]["answered"] == 3
            assert [event["parallel"] for event in events] == [0, 5, 5]
            assert events[-1]["tokens_per_second"] == 10.0
            assert events[-1]["speedup"] == 1.0
        else:
            assert out == ""


def test_energy_is_read_from_the_packages_and_survives_a_counter_that_begins_anew(
    tmp_path: Path,
) -> None:
    for zone, name, micro in (
        ("intel-rapl:0", "package-0", 900_000),
        ("intel-rapl:0:0", "core", 5),  # a part
        ("intel-rapl:1", "package-1", 0),
        ("intel-rapl:2", "psys", 7),  # all of a laptop, packages included
    ):
        folder = tmp_path / zone
        folder.mkdir()
        (folder / "name").write_text(f"{name}\n")
        (folder / "energy_uj").write_text(f"{micro}\n")
        (folder / "max_energy_range_uj").write_text("1000000\n")
    meter = Meter(counters(tmp_path, "no such library"))
    (tmp_path / "intel-rapl:0" / "energy_uj").write_text("100000")
    (tmp_path / "intel-rapl:1" / "energy_uj").write_text("300000")
    for other in ("intel-rapl:0:0", "intel-rapl:2"):
        (tmp_path / other / "energy_uj").write_text("999999")
    meter.read()
    assert meter.joules == pytest.approx(0.5)
    (tmp_path / "intel-rapl:1" / "energy_uj").unlink()
    meter.read()
    assert meter.joules is None
    assert Meter(counters(tmp_path / "nowhere", "no such library")).joules is None


# Templates -------------------------------------------------------------------------------------


def test_a_template_takes_fields_of_any_kind() -> None:
    template = Template("{{{a b}}}: {c}{c} {d}")
    fields = {"a b": "x", "c": 1.5, "d": ["é", None]}
    assert template.fill(fields) == '{x}: 1.51.5 ["é", null]'


@pytest.mark.parametrize("text", ["no field", "{", "{}", "{a!r}", "{a:>9}", "{{a}}", "}"])
def test_what_is_no_template_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="The template"):
        Template(text)


def test_a_template_cannot_reach_into_objects() -> None:
    assert Template("{a.__class__}").fill({"a.__class__": "only a name"}) == "only a name"
    with pytest.raises(KeyError):
        Template("{a.__class__}").fill({"a": "x"})


def test_templates_and_systems_make_conversations() -> None:
    from localspec.batch.source import Record

    recipe = RECIPE._replace(template=Template("Sum up: {text}"), system="Be brief.")
    made = json.loads(recipe.task(Record(1, {"text": "t", "custom_id": "q"})).body)
    assert made["messages"] == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Sum up: t"},
    ]
    fault = recipe.task(Record(4, {"other": 1})).fault
    assert fault == "Line 4 has no field 'text', which the template asks for."
