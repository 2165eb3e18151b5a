"""What a chat template refuses or passes over is told in another form, or as text."""

import re
from typing import Any

import pytest
from byte_templates import (
    BOS,
    Bytes,
    rendered,
    spelled,
    written,
)

from localspec.conversation.template import ChatTemplate
from localspec.errors import UsageError

TOOL = {"type": "function", "function": {"name": "f", "parameters": {}}}
THOUGHT = {"reasoning_content": "Hm."}


def call(name: str, arguments: object) -> dict[str, Any]:
    function = {"name": "f", "arguments": arguments}
    return {"role": "assistant", "content": "", "tool_calls": [{"id": name, "function": function}]}


CALLED: list[dict[str, Any]] = [
    {
        "role": "assistant",
        "content": "I look.",
        "tool_calls": [
            *call("call_1", {"x": 1})["tool_calls"],
            *call("call_2", {"x": 2})["tool_calls"],
        ],
    },
    {"role": "tool", "tool_call_id": "call_1", "content": "rain"},
    {"role": "tool", "tool_call_id": "call_2", "content": "sun"},
]
TEXTS = "{% for m in messages %}{{ m.role }}: {{ m.content }};{% endfor %}"
CALLS = (
    "{{ tools }}{% for m in messages %}{{ m.role }}:{{ m.content }}"
    "{% for call in m.tool_calls %}[{{ call.id }} EACH]{% endfor %}{{ m.tool_call_id }};"
    "{% endfor %}"
)
JSON = "{{ call.function.arguments|tojson }}"


def told(source: str, *messages: dict[str, Any]) -> str:
    """What `source` writes of a question and these, with a tool, after what it has of that."""
    asked = [{"role": "user", "content": "Ask."}, *messages]
    tokens = ChatTemplate(source, Bytes()).render(asked, tools=[TOOL])
    return "".join(map(str, spelled(tokens))).partition("Ask.;")[2]


def test_a_template_that_knows_nothing_of_tools_is_given_text() -> None:
    whole = rendered(TEXTS, "Ask.", tools=[TOOL])
    assert str(whole[0]).startswith("system: You may call functions")
    assert told(TEXTS, *CALLED) == (
        'assistant: I look.\n<tool_call>\n{"name": "f", "arguments": {"x": 1}}\n</tool_call>\n'
        '<tool_call>\n{"name": "f", "arguments": {"x": 2}}\n</tool_call>;'
        "user: <tool_response>\nrain\n</tool_response>\n<tool_response>\nsun\n</tool_response>;"
    )


def test_one_that_knows_tools_and_leaves_out_calls_has_their_text() -> None:
    said = told("{{ tools }}" + TEXTS, *CALLED)
    assert said.startswith('assistant: I look.\n<tool_call>\n{"name": "f"')
    assert said.endswith("tool: rain;tool: sun;")


def test_one_that_knows_both_has_them_as_they_are() -> None:
    assert told(CALLS.replace("EACH", JSON), *CALLED) == (
        'assistant:I look.[call_1 {"x": 1}][call_2 {"x": 2}];tool:raincall_1;tool:suncall_2;'
    )


def test_arguments_are_objects_or_json_as_it_wants_them() -> None:
    objects = CALLS.replace("EACH", "{{ call.function.arguments.items()|list }}")
    texts = CALLS.replace("EACH", "{{ '' + call.function.arguments }}")
    printed = CALLS.replace("EACH", "{{ call.function.arguments }}")
    for arguments in ({"x": 1}, '{"x": 1}'):
        called = call("call_1", arguments)
        assert "[call_1 [('x', 1)]]" in told(objects, called)
        assert '[call_1 {"x": 1}]' in told(texts, called)
        assert '[call_1 {"x": 1}]' in told(printed, called)


@pytest.mark.parametrize("wrong", ["!= 9", "< 9"])
def test_names_of_calls_have_nine_letters_where_it_refuses_others(wrong: str) -> None:
    check = "{% if call.id|length WRONG %}{{ raise_exception('no') }}{% endif %}"
    check = check.replace("WRONG", wrong)
    said = told(CALLS.replace("EACH", check + JSON), *CALLED)
    names = re.findall(r"\[(\w{9}) ", said)
    assert names == re.findall(r"(?:rain|sun)(\w{9});", said)
    assert len({*names}) == 2


@pytest.mark.parametrize(
    "first",
    [
        "{{ raise_exception('no') if m.tool_calls|length > 1 }}{% set calls = m.tool_calls %}",
        "{% set calls = (m.tool_calls or [])[:1] %}",
    ],
)
def test_calls_come_one_by_one_where_it_knows_no_more_at_once(first: str) -> None:
    source = CALLS.replace("{{ m.role }}", first + "{{ m.role }}")
    source = source.replace("in m.tool_calls", "in calls").replace("EACH", JSON)
    assert told(source, *CALLED) == (
        'assistant:I look.[call_1 {"x": 1}];tool:raincall_1;'
        'assistant:[call_2 {"x": 2}];tool:suncall_2;'
    )


@pytest.mark.parametrize("name", ["reasoning_content", "reasoning", "thinking"])
def test_thoughts_have_the_name_it_knows(name: str) -> None:
    source = CALLS.replace("{{ m.role }}", "{{ m.role }} {{ m.NAME }}")
    source = source.replace("NAME", name).replace("EACH", JSON)
    assert "assistant Hm.:I look." in told(source, {**CALLED[0], **THOUGHT})


def test_what_is_said_beside_calls_is_a_thought_where_it_takes_no_more() -> None:
    refuse = (
        "{% if m.tool_calls and m.thinking and m.content %}"
        "{{ raise_exception('not both') }}{% endif %}{{ m.role }} {{ m.thinking }}"
    )
    source = CALLS.replace("{{ m.role }}", refuse).replace("EACH", JSON)
    assert "assistant Hm.\n\nI look.:[call_1" in told(source, {**CALLED[0], **THOUGHT})


def test_instructions_are_said_by_the_user_where_it_refuses_them() -> None:
    refuse = "{% if messages[0].role == 'system' %}{{ raise_exception('no') }}{% endif %}"
    skip = TEXTS.replace("in messages", "in messages if m.role != 'system'")
    given = [{"role": "system", "content": "Be kind."}, {"role": "user", "content": "Hi"}]
    for source in (refuse + TEXTS, skip):
        tokens = ChatTemplate(source, Bytes()).render(given)
        assert "".join(map(str, spelled(tokens))) == "user: Be kind.\n\nHi;"
        tokens = ChatTemplate(source, Bytes()).render(given, tools=[TOOL])
        said = "".join(map(str, spelled(tokens)))
        assert "Be kind.\n\nYou may call functions" in said
        assert said.endswith("\n\nHi;")


@pytest.mark.parametrize(
    ("refused", "expected"),
    [
        ("false", ["system A", "system B", "user Hi", "system C", "assistant Ho", "system D"]),
        ("not loop.first", ["system A\n\nB", "user Hi\n\nC", "assistant Ho", "user D"]),
        ("true", ["user A\n\nB\n\nHi\n\nC", "assistant Ho", "user D"]),
    ],
)
def test_instructions_stand_where_the_template_has_a_place_for_them(
    refused: str, expected: list[str]
) -> None:
    """Agents send them in several parts, some of them in the middle of a conversation."""
    source = (
        f"{{% for m in messages %}}{{% if m.role == 'system' and {refused} %}}"
        "{{ raise_exception('System message must be at the beginning.') }}{% endif %}"
        "<s>{{ m.role }} {{ m.content }}{% endfor %}"
    )
    roles = ("system", "system", "user", "system", "assistant", "system")
    given = [
        {"role": role, "content": text}
        for role, text in zip(roles, ("A", "B", "Hi", "C", "Ho", "D"), strict=True)
    ]
    template = ChatTemplate(source, Bytes())
    assert [part for part in spelled(template.render(given)) if part != BOS] == expected
    with pytest.raises(UsageError, match="no users"):
        ChatTemplate("{{ raise_exception('no users') }}", Bytes()).render(given)


def test_templates_for_tools_alone_do_without() -> None:
    some = "{% if tools is defined %}Call! {% endif %}"
    source = some + "{% for t in tools %}{{ t }}{% endfor %}" + TEXTS
    assert written(source, "Hi") == "user: Hi;"


def test_tools_are_where_the_template_looks_for_them() -> None:
    inside = TEXTS.replace("{{ m.content }}", "{{ m.content }}{{ m.tools }}")
    assert written(inside, "Hi", tools=[TOOL]) == (
        'system: [{"name": "f", "parameters": {}}];user: Hi;'
    )
    elsewhere = "Functions: {{ '' + functions }} {{ '' + datetime[:2] }}\n" + TEXTS
    assert written(elsewhere, "Hi", tools=[TOOL]) == (
        'Functions: [{"name": "f", "parameters": {}}] 20\nuser: Hi;'
    )
    assert written(elsewhere, "Hi").startswith("Functions: [] 20")


def test_words_beside_calls_come_first_where_it_writes_one_or_the_other() -> None:
    either = "{{ m.role }}:{% if m.content is none %}"
    source = CALLS.replace("{{ m.role }}:{{ m.content }}", either)
    source = source.replace(
        "{% endfor %}{{ m.tool", "{% endfor %}{% else %}{{ m.content }}{% endif %}{{ m.tool"
    )
    assert told(source.replace("EACH", JSON), *CALLED) == (
        "assistant:I look.;"
        'assistant:[call_1 {"x": 1}][call_2 {"x": 2}];tool:raincall_1;tool:suncall_2;'
    )


def test_a_template_that_knows_no_tools_is_told_how_it_would_call_them() -> None:
    calls = "{% for c in m.tool_calls %}<call>{{ c.function.name }}: ARGUMENTS</call>{% endfor %}"
    calls = calls.replace("ARGUMENTS", "{{ c.function.arguments|tojson }}")
    source = TEXTS.replace("{{ m.content }}", "{{ m.content }}" + calls)
    whole = written(source, "Hi", tools=[TOOL])
    assert '<call>NAME: {"KEY": "VALUE"}</call>' in whole
