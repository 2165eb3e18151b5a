"""How often a streamed answer is told of: at once where it begins and ends, seldom between."""

import json
from typing import Any

import httpx2
import pytest

from localspec.serve import answering

ASKED = {
    "messages": [{"role": "user", "content": "How do I list files larger than 5 MB?"}],
    "max_tokens": 40,
    "temperature": 0,
    "seed": 1,
}


def choices(http: httpx2.Client, **fields: Any) -> list[dict[str, Any]]:
    """What the events of a stream say of its answers."""
    response = http.post("/v1/chat/completions", json={**ASKED, "stream": True, **fields})
    lines = [line[6:] for line in response.text.splitlines() if line.startswith("data: {")]
    return [choice for line in lines for choice in json.loads(line)["choices"]]


def said(found: list[dict[str, Any]], index: int = 0) -> list[str]:
    """The texts of one answer's events, but for those without."""
    mine = [choice["delta"].get("content") for choice in found if choice["index"] == index]
    return [text for text in mine if text]


@pytest.mark.parametrize("fields", [{}, {"logprobs": True}, {"n": 2}])
def test_what_is_said_while_its_reader_rests_comes_together(
    http: httpx2.Client, monkeypatch: pytest.MonkeyPatch, fields: dict[str, Any]
) -> None:
    monkeypatch.setattr(answering, "_REST_SECONDS", 3600.0)  # the end does not wait for it
    found = choices(http, **fields)
    whole = http.post("/v1/chat/completions", json={**ASKED, **fields}).json()["choices"]
    for choice in whole:
        texts = said(found, choice["index"])
        assert "".join(texts) == choice["message"]["content"]
        assert len(texts) <= 1 + len(whole), "what came first, and what came by the end of each"
    if "logprobs" in fields:
        told = [
            entry
            for choice in found
            for entry in (choice["logprobs"] or {"content": ()})["content"]
        ]
        assert told == whole[0]["logprobs"]["content"]


def test_a_rest_comes_to_an_end(http: httpx2.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answering, "_REST_SECONDS", 0.01)
    endless = {"max_tokens": 900, "logit_bias": {"2": -100}}
    with http.stream(
        "POST", "/v1/chat/completions", json={**ASKED, "stream": True, **endless}
    ) as response:
        texts = (line for line in response.iter_lines() if '"content":"' in line)
        for _ in range(4):  # long before the answer has ended
            next(texts)
