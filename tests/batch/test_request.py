"""What is asked of a model for a line of the input."""

import json

import pytest

from localspec.batch.request import Recipe
from localspec.batch.source import Record

RECIPE = Recipe("m", defaults={"max_tokens": 5})


def body(url: str, **fields: object) -> dict[str, object]:
    record = Record(1, {"custom_id": "a", "method": "POST", "url": url, "body": fields})
    task = RECIPE.task(record)
    assert (task.fault, task.url) == ("", url)
    return dict(json.loads(task.body))


@pytest.mark.parametrize("url", ["/v1/chat/completions", "/v1/completions"])
def test_defaults_and_a_seed_are_put_in_where_a_line_has_none(url: str) -> None:
    made = body(url, prompt="x", stream=True)
    assert made.pop("seed") == body(url, prompt="y")["seed"], "it comes of the line's name"
    assert made == {"max_tokens": 5, "prompt": "x"}
    assert body(url, max_tokens=7, seed=3) == {"max_tokens": 7, "seed": 3}


@pytest.mark.parametrize("url", ["/v1/responses", "/v1/embeddings"])
def test_what_does_not_know_them_is_asked_as_it_is(url: str) -> None:
    assert body(url, input="x", model="m") == {"input": "x", "model": "m"}
