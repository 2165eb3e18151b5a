"""The engine of this process, with the real pair: company, order and speculation change nothing."""

import json
from itertools import chain, islice, repeat
from pathlib import Path
from typing import Any

import pytest
from batch_world import World
from fake_endpoint import FakeEndpoint, Request

from localspec import models
from localspec.batch.backends import local
from localspec.batch.backends.base import Reply
from localspec.batch.backends.endpoints import Endpoints, Settings
from localspec.batch.backends.order import neighbours
from localspec.batch.backends.width import LARGEST, longest, room, widest
from localspec.batch.request import CHAT, Recipe, Task
from localspec.batch.source import Record
from localspec.conversation.template import ChatTemplate
from localspec.errors import ModelError
from localspec.loading import Loading

RECIPE = Recipe("shell", defaults={"max_tokens": 12})


def task(number: int, **fields: Any) -> Task:
    return RECIPE.task(Record(number, {"custom_id": f"a{number}", **fields}))


QUESTIONS = [task(n, prompt=f"How do I list {n} files by size?") for n in range(24)]


def bodies(width: int, tasks: list[Task]) -> dict[str, Any]:
    with local.opened(local.Settings(Loading(), width), len(tasks), print) as backend:
        return {reply.task.name: reply.body for reply in backend.answers(iter(tasks))}


def test_the_same_answers_whatever_the_company_and_the_order() -> None:
    alone = bodies(1, QUESTIONS)
    assert len(alone) == len(QUESTIONS)
    assert bodies(8, QUESTIONS[::-1]) == alone
    plain = [task(n, prompt=f"How do I list {n} files by size?", speculation=0) for n in range(24)]
    answers = bodies(5, plain)
    assert {name: body["choices"] for name, body in answers.items()} == {
        name: body["choices"] for name, body in alone.items()
    }


@pytest.fixture(scope="module")
def backend() -> Any:
    with local.opened(local.Settings(Loading()), 4, print) as opened:
        yield opened


def reply(backend: local.Local, **fields: Any) -> Reply:
    (only,) = backend.answers(iter([task(1, **fields)]))
    return only


def test_the_time_that_it_would_have_taken_alone_has_prompts_in_it(backend: local.Local) -> None:
    long = " ".join(f"Paragraph {n}: files, folders and their sizes." for n in range(40))
    given = reply(backend, prompt=f"{long} Why?", max_tokens=4).effort
    assert given.prompt > 400
    assert 0 < given.read <= given.prompt
    again = reply(backend, prompt=f"{long} Why not?", max_tokens=4).effort
    assert again.read < given.read, "most of it is still in the cache"
    whole, answer = (backend.alone(given._replace(read=n)) for n in (given.read, 0))
    assert whole
    assert answer
    plain = 4 / answer
    assert 1 < (whole - answer) * plain < given.read, "a prompt is read faster than it is said"


def test_a_body_holds_nothing_of_time_or_chance(backend: local.Local) -> None:
    first, again = (reply(backend, prompt="Hello").body for _ in range(2))
    assert first == again
    assert first["created"] == 0
    assert first["usage"].keys() == {"prompt_tokens", "completion_tokens", "total_tokens"}
    assert first["choices"][0]["message"]["role"] == "assistant"


def test_a_vllm_server_gives_lines_of_the_same_shape(backend: local.Local, tmp_path: Path) -> None:
    """`vllm run-batch` has the same four fields, and these three of `response`, too."""
    world = World(tmp_path)
    messages = [{"role": "user", "content": "Hello"}]
    body = {"model": "served", "messages": messages, "max_tokens": 4}
    envelope = {"method": "POST", "url": "/v1/chat/completions", "body": body}
    world.write(*({"custom_id": f"a{n}", **envelope} for n in range(2)))
    world.run(backend)
    ours = world.answers()
    world.output.unlink()
    with FakeEndpoint(Request.answer_as_vllm) as server:
        world.run(Endpoints(Settings([server.url])), recipe=RECIPE._replace(model="vllm"))
    theirs = world.answers()
    assert [line["custom_id"] for line in ours] == [line["custom_id"] for line in theirs]
    assert list(ours[0]) == list(theirs[0]) == ["id", "custom_id", "response", "error"]
    assert list(theirs[0]["response"]) == ["status_code", "request_id", "body"]
    assert {*lacking(ours, theirs)} == {"/response/body/choices/seed"}, "what ours adds"


def lacking(ours: Any, theirs: Any, place: str = "") -> list[str]:
    """Where who reads `ours` would stumble over `theirs`: fields of other kinds, or none.

    What may be null, as OpenAI's `system_fingerprint`, may be so in one of them.
    """
    if isinstance(ours, dict) and isinstance(theirs, dict):
        found = (
            lacking(ours[name], theirs.get(name, KeyError), f"{place}/{name}") for name in ours
        )
        return [*chain.from_iterable(found)]
    if isinstance(ours, list) and isinstance(theirs, list):
        return [*chain.from_iterable(map(lacking, ours, theirs, repeat(place)))]
    return [] if type(ours) is type(theirs) or None in (ours, theirs) else [place]


def test_requests_of_all_kinds(backend: local.Local) -> None:
    several = reply(backend, prompt="Say a number", n=2)
    assert [choice["index"] for choice in several.body["choices"]] == [0, 1]
    raw = reply(backend, url="/v1/completions", body={"prompt": "ls -", "max_tokens": 3})
    assert raw.body["object"] == "text_completion"
    assert raw.effort.completion == 3
    schema = {"type": "object", "properties": {"a": {"type": "boolean"}}, "required": ["a"]}
    wanted = {"type": "json_schema", "json_schema": {"name": "x", "schema": schema}}
    shaped = reply(backend, prompt="true or false?", response_format=wanted, max_tokens=40)
    assert shaped.body["choices"][0]["message"]["content"].lstrip().startswith("{")


@pytest.mark.parametrize(
    ("fields", "status", "words"),
    [
        ({"prompt": "x", "temperature": "hot"}, 400, "temperature does not fit"),
        ({"prompt": "x", "colour": "red"}, 400, "colour"),
        ({"prompt": "word " * 3000}, 400, "too long"),
        ({"messages": []}, 400, "messages"),
        ({"url": "/v1/images", "body": {}}, 404, "There is no /v1/images here"),
    ],
)
def test_what_makes_no_sense_is_a_failed_line(
    backend: local.Local, fields: dict[str, Any], status: int, words: str
) -> None:
    refused = reply(backend, **fields)
    assert (refused.status, refused.ok) == (status, False)
    assert words in refused.body["error"]["message"]


def test_a_line_that_the_chat_template_fails_on_fails_alone(
    backend: local.Local, monkeypatch: pytest.MonkeyPatch
) -> None:
    render = ChatTemplate.render

    def broken(self: ChatTemplate, messages: Any, **options: Any) -> list[int]:
        if messages[-1]["content"] == "odd":
            raise ModelError("The model's chat template does not work (odd).")
        return render(self, messages, **options)

    monkeypatch.setattr(ChatTemplate, "render", broken)
    tasks = [task(n, prompt=prompt) for n, prompt in enumerate(("Hello", "odd", "Again"))]
    replies = {one.task.name: one for one in backend.answers(iter(tasks))}
    assert [replies[f"a{n}"].status for n in range(3)] == [200, 500, 200]
    assert "does not work (odd)" in replies["a1"].body["error"]["message"]


def test_stopped_it_ends_soon_and_gives_only_whole_answers(backend: local.Local) -> None:
    endless = {"prompt": "1 2 3", "max_tokens": 900, "logit_bias": {"2": -100}}
    long = [task(n, url="/v1/completions", body=endless) for n in range(6)]
    quick = task(9, url="/v1/completions", body={"prompt": "0", "max_tokens": 1})  # read first
    with local.opened(local.Settings(Loading(), 3), 7, print) as stopping:
        replies = stopping.answers(iter([quick, *long]))
        first = next(replies)
        stopping.stop()
        assert first.effort.completion == 1
        assert len(list(replies)) < len(long)


def test_prompts_that_begin_alike_are_neighbours() -> None:
    texts = ["b one", "a one", "b two", "a two"]
    ordered = neighbours(task(n, prompt=text) for n, text in enumerate(texts))
    found = [json.loads(one.body)["messages"][0]["content"] for one in ordered]
    assert found == ["a one", "a two", "b one", "b two"]


def test_only_a_window_of_tasks_is_held() -> None:
    taken = []

    def endless() -> Any:
        for n in range(10**9):
            taken.append(n)
            yield task(n, prompt="x")

    assert len(list(islice(neighbours(endless()), 600))) == 600
    assert len(taken) <= 1100


def test_as_many_at_once_as_do_not_make_it_slower() -> None:
    assert widest(lambda n: 80.0 - abs(n - 8) * 10, 32) == 8
    assert widest(lambda n: min(n, 8) * 10.0, 16) == 16
    assert widest(lambda n: 10.0 / n, 32) == 1
    assert widest(lambda n: n * 10.0, 4) == 4


def test_no_more_at_once_than_there_is_memory_for(tmp_path: Path) -> None:
    target, _ = models.resolve("shell")
    weights = target.stat().st_size
    with_one = room(target, 1024, weights + (30 << 20))
    assert with_one < room(target, 1024, weights + (300 << 20)) < room(target, 128, weights << 4)
    assert room(target, 8192, 0) == 1
    assert room(target, 1024, 1 << 40) > LARGEST
    text = tmp_path / "text.gguf"
    for content in (b"hello", b"GGUF", b"GGUF\3\0\0\0" + b"\xff" * 99, target.read_bytes()[:200]):
        text.write_bytes(content)
        assert room(text, 1024, 0) in (1, LARGEST)


def test_the_context_that_is_enough() -> None:
    bounded = [task(1, prompt="x" * 100), task(2, prompt="x", max_tokens=300)]
    assert 1024 + 100 < (longest(bounded) or 0) < 2000
    assert longest([Task(1, "a", "b", CHAT, '{"messages": []}')]) is None
