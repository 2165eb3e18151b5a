"""What a chat template may do, how a text begins, and what becomes of a template that is none."""

import json
from datetime import datetime

import pytest
from byte_templates import (
    BOS,
    CHATML,
    END,
    START,
    Bytes,
    rendered,
    spelled,
    written,
)

from localspec.conversation.template import ChatTemplate
from localspec.errors import ModelError, UsageError


class TestRendering:
    def test_chatml(self) -> None:
        assert rendered(CHATML, "Hi", "Hello") == [
            *(START, "user\nHi", END, "\n"),
            *(START, "assistant\nHello", END, "\n"),
            *(START, "assistant\n"),
        ]

    def test_the_prompt_for_an_answer_can_be_left_out(self) -> None:
        whole = rendered(CHATML, "Hi", add_generation_prompt=False)
        assert whole == [START, "user\nHi", END, "\n"]

    def test_white_space_around_blocks_goes_as_with_transformers(self) -> None:
        assert written("a\n  {% if true %}\n  b\n  {% endif %}\nc") == "a\n  b\nc"

    def test_what_is_not_there_is_nothing(self) -> None:
        assert written("[{{ documents }}{{ messages[0].name }}]{{ tools is none }}", "") == "[]True"

    def test_more_can_be_given_to_templates_that_ask_for_it(self) -> None:
        source = "{{ enable_thinking }} {{ tools[0].function.name }}"
        tools = [{"function": {"name": "f"}}]
        assert written(source, enable_thinking=False, tools=tools) == "False f"

    def test_nothing_that_is_given_takes_the_place_of_the_messages(self) -> None:
        given = {"self": "x", "messages": "y"}
        assert written("{{ messages[0].content }}", "Hi", **given) == "Hi"

    def test_json_is_for_readers_not_for_html(self) -> None:
        value = {"b": "<é & '\">", "a": [1, None]}
        assert written("{{ messages[0].content|tojson }}", value) == json.dumps(
            value, ensure_ascii=False
        )
        assert written("{{ messages[0].content|tojson(indent=2) }}", value) == json.dumps(
            value, ensure_ascii=False, indent=2
        )

    def test_a_list_of_its_own_may_be_a_queue(self) -> None:
        source = (
            "{% set queue = namespace(names=[]) %}"
            "{% for m in messages %}{% set _ = queue.names.append(m.content) %}{% endfor %}"
            "{{ queue.names.pop(0) }}{{ queue.names }}"
        )
        assert written(source, "a", "b", "c") == "a['b', 'c']"

    def test_training_marks_mean_nothing(self) -> None:
        assert written("{% generation %}{% set a = 1 %}x{% endgeneration %}{{ a }}") == "x"

    def test_loops_can_be_left_early(self) -> None:
        skip = "{% if i == 1 %}{% continue %}{% endif %}"
        stop = "{% if i == 3 %}{% break %}{% endif %}"
        assert (
            written("{% for i in range(9) %}" + skip + "{{ i }}" + stop + "{% endfor %}") == "023"
        )

    def test_today(self) -> None:
        before = datetime.now().year
        assert before <= int(written("{{ strftime_now('%Y') }}")) <= datetime.now().year

    @pytest.mark.parametrize(
        ("expression", "text"),
        [
            ("'a,b'.split(',')[-1]", "b"),
            ("' x '|trim ~ 1 ~ none", "x1None"),
            ("'-'.join(['a', 'b'])", "a-b"),
            ("['b', 'a']|sort|join('+')", "a+b"),
            ("['a']|map('upper')", "['A']"),
            ("'a\nb'|indent(2)", "a\n  b"),
            ("'aXbX'|replace('X', '-', 1)", "a-bX"),
            ("{'k': 1}.items()|list", "[('k', 1)]"),
            ("{'b': 1, 'a': 2}|dictsort|first|last", "2"),
            ("[{'n': 1}, {'n': 2}]|selectattr('n', 'equalto', 2)|map(attribute='n')|list", "[2]"),
            ("['a', 'b']|map('upper')|reverse|join", "BA"),
            ("(7 // 2) * 2 ** 3 - 5 % 3", "22"),
            ("'ab' * 2 + 'c'", "ababc"),
            ("([1] + [2])[::-1]", "[2, 1]"),
            ("3 is odd and 4 is even and 6 is divisibleby(3)", "True"),
            ("'</t>' in 'a</t>' and 'x' not in {'y': 1}", "True"),
            ("missing|default('d') ~ ''|default('e', true)", "de"),
            ("2.5|round|int", "2"),
            ("'<a{}|{}>'.format('', 1)", "<a|1>"),
        ],
    )
    def test_what_templates_reckon_with(self, expression: str, text: str) -> None:
        assert written("{{ " + expression + " }}") == text


class TestBeginning:
    @pytest.mark.parametrize("source", ["{{ bos_token }}{{ messages[0].content }}", "<s>Hi"])
    def test_a_template_may_begin_the_text_itself(self, source: str) -> None:
        template = ChatTemplate(source, Bytes(adds_bos=True))
        assert spelled(template.render([{"content": "Hi"}])) == [BOS, "Hi"]

    def test_or_leave_it_to_the_tokenizer(self) -> None:
        template = ChatTemplate("{{ messages[0].content }}", Bytes(adds_bos=True))
        assert spelled(template.render([{"content": "Hi"}])) == [BOS, "Hi"]
        assert spelled(template.render([{"content": "<s>"}])) == [BOS, "<s>"]

    def test_models_without_have_none(self) -> None:
        class Bare(Bytes):
            bos = eos = -1

        template = ChatTemplate("[{{ bos_token }}{{ eos_token }}]", Bare())
        assert spelled(template.render([])) == ["[]"]


class TestFaults:
    @pytest.mark.parametrize(
        "source",
        [
            "{% if %}",
            "{{ 'a'|no_such_filter }}",
            "{% for a in b %}",
            "{{" + "[" * 5000,
            "{% include 'x' %}",
            "{% import 'x' as y %}",
            "{% extends 'x' %}",
            "{% block a %}{% endblock %}",
            "{% autoescape true %}{% endautoescape %}",
            "{% for a in [1] recursive %}{{ loop([1]) }}{% endfor %}",
        ],
    )
    def test_what_is_no_chat_template(self, source: str) -> None:
        with pytest.raises(ModelError, match="chat template does not work"):
            ChatTemplate(source, Bytes())

    @pytest.mark.parametrize(
        ("source", "reason"),
        [
            ("{{ messages[0].content.text.more }}", "has no attribute 'text'"),
            ("{{ 1 + 'a' }}", "unsupported operand"),
            ("{{ nothing.at_all }}", "'nothing' is undefined"),
            ("{{ no_function() }}", "'no_function' is undefined"),
            ("{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}", "recursion"),
            ("{{ 1 // 0 }}", "zero"),
        ],
    )
    def test_what_goes_wrong_in_one(self, source: str, reason: str) -> None:
        with pytest.raises(ModelError, match=reason):
            rendered(source, "Hi")

    def test_control_tokens_that_would_take_minutes_to_look_for(self) -> None:
        class Many(Bytes):
            control_texts = tuple(f"<{i:0100}>" for i in range(2000))

        with pytest.raises(ModelError, match="control tokens have more than"):
            ChatTemplate(CHATML, Many())

    def test_what_a_template_says_cannot_harm_a_terminal(self) -> None:
        with pytest.raises(UsageError) as refused:
            rendered("{{ raise_exception('no \x1b]52;c;cHduZWQ=\x07') }}", "Hi")
        assert str(refused.value) == "The model's chat template refuses this: no ]52;c;cHduZWQ=."

    def test_messages_that_are_none(self) -> None:
        nested: object = "x"
        for _ in range(1000):
            nested = [nested]
        with pytest.raises(UsageError, match="nested"):
            rendered(CHATML, nested)
        with pytest.raises(UsageError, match="half a character"):
            rendered(CHATML, "\ud800")
        with pytest.raises(UsageError, match="longer than"):
            rendered(CHATML, "x" * 2_000_000)
