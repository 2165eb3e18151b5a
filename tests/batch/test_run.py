"""A run as a whole, with a scripted backend: every line once, in order, whatever happens."""

import json
import os
import random

import pytest
from batch_world import Scripted, Watching, World, lines

from localspec.batch.plan import Counts
from localspec.batch.request import Recipe, Task
from localspec.errors import LocalspecError, UsageError


def test_answers_are_in_the_order_of_the_input(world: World) -> None:
    world.write(*lines(23))
    assert world.run() == (Counts(23, 23, 0), False)
    assert [answer["custom_id"] for answer in world.answers()] == [f"a{n}" for n in range(23)]


def test_or_in_the_order_in_which_they_came(world: World) -> None:
    world.write(*lines(7))
    world.run(as_completed=True)
    order = [answer["custom_id"] for answer in world.answers()]
    assert order == ["a4", "a3", "a2", "a1", "a0", "a6", "a5"]


def test_what_is_safe_in_the_output_is_not_waited_for(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.write(*lines(1000))
    world.run()
    synced, sync = list[int](), os.fsync

    def count(file: int) -> None:
        synced.append(file)
        sync(file)

    monkeypatch.setattr(os, "fsync", count)
    world.write(*lines(1001))
    assert world.run() == (Counts(1001, 1001, 0), False)
    assert len(synced) < 8


def test_an_answer_has_the_shape_of_openai(world: World) -> None:
    world.write({"custom_id": "x", "prompt": "hello"}, "{")
    assert world.run() == (Counts(2, 2, 1), False)
    good, bad = world.answers()
    assert list(good) == list(bad) == ["id", "custom_id", "response", "error"]
    assert (good["custom_id"], good["error"]) == ("x", None)
    assert good["id"].startswith("batch_req_")
    assert good["response"]["status_code"] == 200
    assert list(good["response"]) == ["status_code", "request_id", "body"]
    assert (bad["custom_id"], bad["response"]) == ("line-2", None)
    assert bad["error"]["code"] == "invalid_line"
    assert bad["error"]["line"] == 2
    assert "Line 2 is not JSON" in bad["error"]["message"]


def test_an_empty_input_gives_an_empty_output(world: World) -> None:
    world.source.write_text("\n\n")
    assert world.run() == (Counts(0, 0, 0), False)
    assert world.output.read_bytes() == b""


# Hostile lines ---------------------------------------------------------------------------------


def test_a_custom_id_is_answered_once(world: World) -> None:
    world.write({"custom_id": 7, "prompt": "a"}, {"custom_id": "7", "prompt": "b"}, *lines(2))
    assert world.run().counts == Counts(4, 4, 1)
    first, second, *_ = world.answers()
    assert first["response"]["status_code"] == 200
    assert second["custom_id"] == "7"
    assert second["error"]["message"] == "Line 2 has the custom_id '7' of line 1."


def test_hostile_lines_cost_themselves_only(world: World) -> None:
    hostile = [
        '{"custom_id": ["a"], "prompt": "x"}',
        '{"custom_id": "", "prompt": "x"}',
        '{"prompt": "half a character: \\ud800"}',
        '{"custom_id": "\\udfff", "prompt": "x"}',
        '{"prompt": 1e999}',
        '{"body": [], "url": "/v1/completions"}',
        '{"body": {}, "url": 3}',
        '{"body": {}, "url": "file:///etc/passwd"}',
        '{"body": {}, "url": "/v1/chat\\u0000"}',
        '{"body": {"messages": []}, "method": "DELETE"}',
        "{}",
        '{"messages"',
        "\x00",
    ]
    world.write(
        {"custom_id": "first", "prompt": "a"}, *hostile, {"custom_id": "last", "prompt": ""}
    )
    assert world.run().counts == Counts(15, 15, 13)
    first, *bad, last = world.answers()
    assert (first["custom_id"], last["custom_id"]) == ("first", "last")
    assert [answer["error"]["line"] for answer in bad] == list(range(2, 15))
    for answer in bad:
        assert answer["error"]["message"].startswith(f"Line {answer['error']['line']} ")


# Going on --------------------------------------------------------------------------------------


def test_what_is_answered_is_not_asked_again(world: World) -> None:
    world.write(*lines(20))
    expected = world.whole()
    world.output.unlink()
    with pytest.raises(LocalspecError):
        world.run(Breaking(8))
    assert world.journal.exists()
    assert not world.output.exists()
    rest = Scripted()
    world.run(rest)
    assert len(rest.asked) == 12
    assert world.output.read_bytes() == expected
    nobody = Scripted()
    world.run(nobody)
    assert nobody.asked == []
    assert world.output.read_bytes() == expected


class Breaking(Scripted):
    """Can answer no more after a number of answers."""

    def __init__(self, answers: int) -> None:
        super().__init__(on_task=self._count)
        self._left = answers

    def _count(self, task: Task) -> None:
        self._left -= 1
        if self._left < 0:
            raise LocalspecError("The model has gone.")


def test_order_company_and_line_numbers_do_not_matter_to_answers(world: World) -> None:
    world.write(*lines(9))
    expected = {
        answer["custom_id"]: answer for answer in map(json.loads, world.whole().splitlines())
    }
    world.output.unlink()
    shuffled = lines(9)[3:]
    random.Random(1).shuffle(shuffled)
    world.write(*shuffled)
    world.run()
    assert all(answer == expected[answer["custom_id"]] for answer in world.answers())


def test_each_line_has_a_seed_of_its_own_that_its_own_fields_come_before(world: World) -> None:
    recipe = Recipe("model", seed=7, defaults={"max_tokens": 5, "temperature": 1.0})
    bodies = {}
    backend = Scripted(on_task=lambda task: bodies.update({task.name: json.loads(task.body)}))
    world.write(*lines(2), {"prompt": "x", "seed": 9, "temperature": 0, "stream": True})
    world.run(backend, recipe=recipe)
    assert bodies["a0"]["seed"] != bodies["a1"]["seed"]
    assert all(0 <= body["seed"] < 2**31 for body in bodies.values())
    assert bodies["line-3"] == {
        "max_tokens": 5,
        "temperature": 0,
        "seed": 9,
        "messages": [{"role": "user", "content": "x"}],
    }


def test_what_a_line_says_by_another_name_comes_before_defaults_too(world: World) -> None:
    recipe = Recipe("model", defaults={"max_tokens": 5, "repeat_penalty": 1.1})
    bodies: list[dict[str, object]] = []
    backend = Scripted(on_task=lambda task: bodies.append(json.loads(task.body)))
    own = {"max_completion_tokens": 3, "repetition_penalty": 1.3}
    world.write({"prompt": "x", "seed": 9, **own})
    world.run(backend, recipe=recipe)
    assert bodies == [{"messages": [{"role": "user", "content": "x"}], "seed": 9, **own}]


def test_lines_that_changed_are_named_and_answered_anew(world: World) -> None:
    world.write(*lines(9))
    before = world.whole().splitlines()
    after = [*lines(9), {"custom_id": "new", "prompt": "new"}]
    for n in (1, 4, 5, 6):
        after[n]["prompt"] = "changed"
    world.write(*after[1:])
    watching, backend = Watching(), Scripted()
    world.run(backend, watching)
    assert watching.notes == ["Changed since they were answered, and answered anew: lines 1, 4-6."]
    assert sorted(backend.asked) == [1, 4, 5, 6, 9]
    now = world.output.read_bytes().splitlines()
    assert [now[i] == before[i + 1] for i in range(8)] == [n not in (0, 3, 4, 5) for n in range(8)]


def test_failures_stay_until_they_are_to_be_tried_again(world: World) -> None:
    world.write(*lines(3), {"custom_id": "b", "prompt": "fail"}, "{")
    assert world.run().counts == Counts(5, 5, 2)
    backend = Scripted()
    assert world.run(backend).counts == Counts(5, 5, 2)
    assert backend.asked == []
    assert world.run(backend, retry_failed=True).counts == Counts(5, 5, 2)
    assert backend.asked == [4]
    world.write(*lines(3), {"custom_id": "b", "prompt": "fail", "mended": True}, {"prompt": "x"})
    watching = Watching()
    assert world.run(backend, watching, retry_failed=True).counts == Counts(5, 5, 0)
    assert backend.asked == [4, 5, 4]
    assert watching.counts == [Counts(5, 3, 0)]


def test_an_output_of_something_else_is_left_alone(world: World) -> None:
    world.write(*lines(3))
    world.output.write_text('{"my": "thesis"}\n')
    with pytest.raises(UsageError, match="no output of localspec batch"):
        world.run()
    assert world.output.read_text() == '{"my": "thesis"}\n'
    assert not world.journal.exists()
    world.source, world.output = world.source, world.source
    with pytest.raises(UsageError, match="no output of localspec batch"):
        world.run()


def test_answers_of_another_model_or_input_are_not_replaced(world: World) -> None:
    world.write(*lines(3), "a line that fails alike whatever is asked of whom")
    before = world.whole()
    for recipe in (Recipe("other"), Recipe("model", seed=1), Recipe("model", defaults={"n": 2})):
        with pytest.raises(UsageError, match="none to these lines"):
            world.run(recipe=recipe)
    assert world.output.read_bytes() == before
    assert not world.journal.exists()


def test_refused_lines_bind_a_run_that_was_killed_to_no_model(world: World) -> None:
    world.write("{", *lines(2))
    with pytest.raises(LocalspecError, match="has gone"):
        world.run(Breaking(0))
    assert world.journal.exists()
    assert world.run(recipe=Recipe("other")).counts == Counts(3, 3, 1)
